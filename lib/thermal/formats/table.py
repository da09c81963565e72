"""Frames in text: the CSV exports of camera software, and tables of other programs."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.thermal.formats.axes import layout_of, split_frames
from lib.thermal.formats.header import unit_in_header
from lib.thermal.formats.pixel_lists import TABLE_AXES, has_time_column, is_pixel_list, lines_of_pixels, read_pixel_list
from lib.thermal.frame import Reading, Stored
from lib.thermal.units import CELSIUS
from lib.utils.errors import DataError

NUMBERED = 8
"""Rows and columns from which on 0, 1, 2, ... down the first column or along the first row are numbers of rows or
columns, not temperatures."""
DELIMITERS = (";", "\t", ",", None)
"""What may stand between numbers; None is any run of blanks."""
SAMPLED_LINES = 40
"""Lines that tell the delimiter."""
ROW_LABEL = re.compile(r"(row|line|r|y|zeile)?\W*\d*", re.IGNORECASE)
"""What a line may begin with if it is a row of a frame, not a frame."""


class _Row(NamedTuple):
    """A line of numbers, which text or an empty cell may precede."""

    line: int
    label: str | None
    cells: list[str]
    values: list[float]

    @property
    def kind(self) -> tuple[int, bool]:
        """What all rows of a frame have in common: their numbers, and whether something precedes them."""
        return len(self.values), self.label is not None


def read_csv(path: Path, reading: Reading) -> Stored:
    """Numbers separated by semicolons, tabs, commas or blanks, with decimal points or commas, one line a row.

    Lines before the first whole row are headers, whose unit counts; separators at the ends of lines, quotation marks
    and a byte order mark don't matter. Columns and rows of row and column numbers are left out. Empty lines, lines of
    text after one, and text before the first number of a line (``Frame 2``) begin the next frame. Lines that begin with
    a time, or with 768 numbers, are frames themselves. Numbers without decimals are integers.

    Raises:
        DataError: no numbers, a line that isn't like the others, frames of different sizes, units that contradict each
            other, or a table that may mean several things; it names the line or the option.
    """
    lines = list(enumerate(_text(path).splitlines(), 1))
    filled = [line for _, line in lines if line.strip()]
    if not filled:
        raise DataError(f"{path}: no text in it")
    delimiter = _delimiter(filled)
    rows = [_row(number, line, delimiter) for number, line in lines]
    kinds = Counter(row.kind for row in rows if row)
    if not kinds or max(kinds)[0] < 2:
        raise DataError(
            f"{path}: no line of numbers alone, separated by semicolons, tabs, commas or blanks; its last line is "
            f"{_short(filled[-1])}"
        )
    # A cut-off file has one short line, a header few numbers: the frame's rows are the most, and the longest of these.
    kind = max(kinds, key=lambda kind: (kinds[kind], kind))
    first = next(index for index, row in enumerate(rows) if row and row.kind == kind)
    header = [_cells(line, delimiter) for _, line in lines[:first] if line.strip()]
    blocks = _blocks(rows[first:], lines[first:], kind, path)
    said = reading.unit or reading.preset
    unit = None if said else unit_in_header(header, str(path))
    names = header[-1] if header else []
    frames, columns, note = _frames(blocks, names, reading, str(path))
    if not _has_decimals((row for block in blocks for row in block), columns) and np.isfinite(frames).all():
        _check_alternation(frames, path)
        frames = frames.astype(np.int64)
    if unit not in (None, CELSIUS):
        note = "; ".join(filter(None, [note, f"in {unit.name}, as its header says"]))
    return Stored(len(frames), iter(frames), (frames.shape[1], frames.shape[2]), unit, note=note)


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    if b"\0" in content:  # UTF-16 without a mark: zeros are the upper bytes
        return content.decode("utf-16-be" if content[::2].count(0) > content[1::2].count(0) else "utf-16-le")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # degree signs of older software


def _delimiter(lines: Sequence[str]) -> str | None:
    """The delimiter that makes rows of most of the lines, of which some at the end and in between are tried."""
    tried = [*lines[-1 : -SAMPLED_LINES // 2 : -1], *lines[:: -(-2 * len(lines) // SAMPLED_LINES)]]
    return max(DELIMITERS, key=lambda delimiter: sum(_row(0, line, delimiter) is not None for line in tried))


def _cells(line: str, delimiter: str | None) -> list[str]:
    """The cells of a line without empty ones at its end; a line in quotation marks as a whole is opened."""
    if '"' in line:
        cells = next(csv.reader([line], delimiter=delimiter or " ", skipinitialspace=True))
        if len(cells) == 1 and '"' not in cells[0]:
            return _cells(cells[0], delimiter)
    else:
        cells = line.split(delimiter)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _row(line: int, text: str, delimiter: str | None) -> _Row | None:
    """A line of two numbers or more, which one cell of something else may precede; None for other lines."""
    cells = _cells(text, delimiter)
    values = _numbers(cells)
    if values is not None:
        return _Row(line, None, cells, values) if len(cells) > 1 else None
    values = _numbers(cells[1:])
    return _Row(line, cells[0].strip(), cells[1:], values) if values is not None and len(values) > 1 else None


def _numbers(cells: list[str]) -> list[float] | None:
    """The numbers in the cells of a line; None if they hold anything else."""
    try:
        return [float(cell.replace(",", ".")) for cell in cells]
    except ValueError:
        return None


def _blocks(
    rows: Sequence[_Row | None], lines: Sequence[tuple[int, str]], kind: tuple[int, bool], path: Path
) -> list[list[_Row]]:
    """Rows of ``kind``, parted where a line is empty, text, or begins with text."""
    blocks: list[list[_Row]] = [[]]
    gap, other = False, None
    for row, (number, text) in zip(rows, lines, strict=True):
        if row and row.kind == kind:
            if blocks[-1] and (gap or row.label):
                blocks.append([])
            blocks[-1].append(row)
            gap, other = False, None
        elif not text.strip():
            gap = True
        elif row and row.label is None or (not gap and any(character.isdigit() for character in text)):
            other = (number, text, row)
            break
        else:
            gap, other = True, other or (number, text, row)
    if other:
        number, text, row = other
        got = f"{len(row.values)} numbers" if row else _short(text)
        raise DataError(f"{path}: line {number}: expected {kind[0]} numbers as in other lines, got {got}; cut off?")
    return blocks


def _frames(blocks: list[list[_Row]], names: list[str], reading: Reading, where: str) -> tuple[np.ndarray, int, str]:
    """(T, H, W) float64, the number of columns at the lines' ends that are pixels, and a note."""
    labels = [block[0].label for block in blocks]
    is_frame = len(blocks) > 1 and all(len(block) == 1 for block in blocks)
    one_a_line = is_frame and not all(ROW_LABEL.fullmatch(label or "") for label in labels)
    if is_frame or reading.axes not in (None, "THW"):
        blocks = [[row for block in blocks for row in block]]
    stripped = [_without_numbers(np.array([row.values for row in block], np.float64)) for block in blocks]
    tables = [table for table, _ in stripped]
    note = "without its row or column numbers" if any(left_out for _, left_out in stripped) else ""
    if len({table.shape for table in tables}) > 1:
        sizes = ", ".join(dict.fromkeys("{} rows of {}".format(*table.shape) for table in tables))
        raise DataError(
            f"{where}: {len(tables)} blocks of numbers of different sizes ({sizes}); cut off, or one frame with empty "
            "lines or text in it, which --axes HW says"
        )
    table, axes = tables[0], reading.axes
    names = names if 0 <= len(names) - table.shape[1] <= 1 else []
    if len(tables) > 1:
        return np.stack(tables), table.shape[1], note
    if axes in ("HWV", "WHV") or (axes is None and is_pixel_list(table)):
        return read_pixel_list(table, names[-3:], axes, where), 1, "a pixel a line"
    if axes is None and not one_a_line and not has_time_column(table, names):
        layout = layout_of(table.shape, table.dtype, reading, where)
        axes = layout.axes
    if axes in ("HW", "WH"):
        if has_time_column(table, names):
            table, note = table[:, 1:], "without its first column, which is no temperature"
        layout = layout_of(table.shape, table.dtype, Reading(axes=axes), where)
        return np.stack(list(split_frames(table, layout, where))), table.shape[1], note
    if axes not in (None, *TABLE_AXES):
        raise DataError(f"{where}: --axes {axes} doesn't fit a table; expected HW, WH, {', '.join(TABLE_AXES)}")
    frames, columns = lines_of_pixels(table, axes or "TN", reading, where)
    return frames, columns, "each line is a frame" if (axes or "TN") == "TN" else note


def _without_numbers(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """Leave out a first column and a first row that only count; and whether there were any."""
    rows, columns = values.shape
    numbered_rows = rows > NUMBERED and _counts(values[1:, 0])
    numbered_columns = columns >= NUMBERED and _counts(values[0, int(numbered_rows) :])
    return values[int(numbered_columns) :, int(numbered_rows) :], numbered_rows or numbered_columns


def _counts(values: np.ndarray) -> bool:
    return values[0] in (0, 1, 2) and bool((np.diff(values) == 1).all())


def _has_decimals(rows: Iterator[_Row], columns: int) -> bool:
    """Whether any of the last ``columns`` cells of the rows is more than a whole number."""
    return any(not cell.strip().removeprefix("-").isdecimal() for row in rows for cell in row.cells[-columns:])


def _check_alternation(frames: np.ndarray, path: Path) -> None:
    """Refuse whole numbers in whose lines every other one is smooth, as of ``25,1,25,0`` with two decimal commas."""
    if frames.shape[2] < NUMBERED:
        return
    neighbours, others = np.abs(np.diff(frames)).mean(), np.abs(np.diff(frames[:, :, ::2])).mean()
    if neighbours > 5 * max(others, 0.2):
        raise DataError(
            f"{path}: every other number of its lines is of another kind, as if commas were decimal marks and "
            "separators at once: export it with semicolons between the numbers, or with decimal points"
        )


def _short(line: str) -> str:
    return repr(line if len(line) <= 40 else f"{line[:40]}...")
