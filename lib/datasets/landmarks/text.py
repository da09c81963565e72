"""Landmarks in text: iBUG's ``.pts``, lines of YOLO-pose, and tables in CSV."""

import csv
import io
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from lib.datasets.landmarks.points import Landmarks, check_points, read_text
from lib.datasets.landmarks.regions import COUNTS, standard_groups
from lib.utils.errors import DataError

MAX_TABLE_BYTES = 1 << 28
"""Of a CSV table: some 200,000 frames."""
_HEADER = re.compile(r"(version|n_points)\s*:\s*(\S+)\s*")


def read_pts(path: Path) -> Landmarks:
    """Read an iBUG ``.pts`` file of version 1: ``version: 1``, ``n_points: N``, then ``x y`` lines in braces.

    Its coordinates count from 1, as menpo reads them too: the centre of the first pixel is (1, 1).

    Raises:
        DataError: no such file, of another version, or not 68 or 54 points; names a landmark that is NaN.
    """
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    opening = lines.index("{") if "{" in lines else 0
    header = {match[1]: match[2] for line in lines[:opening] if (match := _HEADER.fullmatch(line))}
    if not header or lines[-1] != "}":
        raise DataError(f"{path}: no .pts file; expected version: 1, n_points: 68 and a line of x y for each in braces")
    if header.get("version", "1") != "1":
        raise DataError(f"{path}: a .pts file of version {header['version'][:20]}; version 1 can be read")
    rows = [line.split() for line in lines[opening + 1 : -1]]
    if header.get("n_points", str(len(rows))) != str(len(rows)):
        raise DataError(f"{path}: n_points is {header['n_points'][:20]}, but {len(rows)} lines of points follow")
    points = [[_minus_1(y), _minus_1(x)] for x, y in (_numbers(row, 2, path, index) for index, row in enumerate(rows))]
    return _landmarks(points, path)


def _minus_1(number: float | None) -> float | None:
    return None if number is None else number - 1


def read_yolo(path: Path, size: tuple[int, int]) -> Landmarks:
    """Read the one line of a YOLO-pose label file: ``class cx cy w h``, then ``x y`` or ``x y v`` of each landmark.

    All are shares of the frame's width and height. v is a visibility (0: not marked, then the landmark is null) or
    a detector's confidence. A confidence of the face and a number of its track may follow.

    Args:
        path: the file.
        size: (H, W) of the frame in pixels.

    Raises:
        DataError: no such file, no face, several faces, or not 68 or 54 points; names a landmark that is null.
    """
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    if len(lines) != 1:
        raise DataError(f"{path}: {f'several faces ({len(lines)} lines)' if lines else 'no face, as it has no line'}")
    count = len(lines[0]) - 5
    kinds = [(points, fields) for points in COUNTS for fields in (2, 3) if 0 <= count - points * fields <= 2]
    if len(kinds) != 1:
        raise DataError(
            f"{path}: no YOLO-pose line of 68 or 54 landmarks: expected class, box and x y or x y v for each, got "
            f"{len(lines[0])} numbers"
        )
    points, fields = kinds[0]
    values = lines[0][5 : 5 + points * fields]
    rows = [
        _numbers(values[start : start + fields], fields, path, start // fields)
        for start in range(0, len(values), fields)
    ]
    marked = [fields == 2 or row[2] != 0 for row in rows]
    pairs = [
        [_scaled(row[1], size[0]), _scaled(row[0], size[1])] if here else None
        for row, here in zip(rows, marked, strict=True)
    ]
    confidences = [row[2] for row in rows if fields == 3 and row[2] is not None]
    # Labels made by hand say 1 (covered) and 2 (visible).
    sure = sum(confidences) / len(confidences) if confidences and max(confidences) <= 1 else None
    return _landmarks(pairs, path, sure)


def _scaled(share: float | None, side: int) -> float | None:
    return None if share is None else share * side


class LandmarkTable:
    """A CSV file of the landmarks of many frames: a header ``frame,x0,y0,x1,y1,...`` and a row for each frame.

    Coordinates are pixels counted from 0. An empty cell, ``nan`` or ``null`` is a landmark that wasn't marked.

    Args:
        path: the file.

    Attributes:
        header: its first line.
        rows: the cells of each row by the frame's name, as written.

    Raises:
        DataError: no such file, another header, or a frame twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            lines = list(csv.reader(io.StringIO(read_text(path, MAX_TABLE_BYTES), newline="")))
        except csv.Error as error:
            raise DataError(f"{path}: no CSV ({error})") from error
        self.header = [cell.strip() for cell in lines[0]] if lines else []
        self._check_header()
        self.rows: dict[str, list[str]] = {}
        for number, row in enumerate(lines[1:], 2):
            if not row:
                continue
            if row[0] in self.rows:
                raise DataError(f"{path}, line {number}: frame {row[0][:80]} is in the table twice: several faces?")
            self.rows[row[0]] = row

    def read(self, frame: str) -> Landmarks:
        """Landmarks of ``frame``.

        Raises:
            DataError: the frame has no row, or it isn't 68 or 54 points; names a landmark that is null.
        """
        where = f"{self.path}, frame {frame}"
        cells = self._row(frame)[1:]
        if len(cells) != len(self.header) - 1:
            raise DataError(f"{where}: expected {len(self.header) - 1} numbers, as the header has, got {len(cells)}")
        rows = [_numbers(cells[start : start + 2], 2, where, start // 2) for start in range(0, len(cells), 2)]
        return _landmarks([[y, x] for x, y in rows], where)

    def excerpt(self, frame: str) -> bytes:
        """The table of ``frame`` alone, as CSV."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, self._row(frame)])
        return text.getvalue().encode()

    def _row(self, frame: str) -> list[str]:
        if frame not in self.rows:
            raise DataError(f"{self.path}: no row of frame {frame}, so it has no landmarks")
        return self.rows[frame]

    def _check_header(self) -> None:
        expected = [["frame", *(f"{axis}{index}" for index in range(count) for axis in "xy")] for count in COUNTS]
        if self.header not in expected:
            begins = ",".join(self.header)[:60]
            raise DataError(f"{self.path}: expected the header frame,x0,y0,... to x67,y67 or x53,y53, got {begins!r}")


@lru_cache(maxsize=2)
def _table(path: Path, version: tuple[int, int]) -> LandmarkTable:
    return LandmarkTable(path)


def open_table(path: Path) -> LandmarkTable:
    """The table at ``path``, read again only when the file has changed; errors as of :class:`LandmarkTable`."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: unreadable landmarks ({error.strerror or error})") from error
    return _table(path, (status.st_mtime_ns, status.st_size))


def _numbers(words: Sequence[str], count: int, where: object, index: int) -> list[float | None]:
    """Numbers of landmark ``index``; None for one that isn't there."""
    try:
        numbers = [None if word.strip().lower() in ("", "null", "none") else float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise DataError(f"{where}: landmark {index}: expected {count} numbers, got {' '.join(words)[:60]!r}")
    return [None if number is None or math.isnan(number) else number for number in numbers]


def _landmarks(points: list, where: object, confidence: float | None = None) -> Landmarks:
    checked = check_points(points, where)
    return Landmarks(checked, standard_groups(len(checked)), confidence)
