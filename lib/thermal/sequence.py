"""Sequences of thermal frames: a file, a folder, a video, or names on standard input; one frame in memory at a time."""

import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.thermal.formats.foreign import converter_of
from lib.thermal.frame import Reading, ThermalFrame
from lib.thermal.readers import FRAME_SUFFIXES, FrameReader
from lib.utils.errors import DataError
from lib.utils.text import first_few, natural_order

logger = logging.getLogger("samcl")

Named = Iterator[tuple[str, ThermalFrame]]
OnBad = Callable[[str, DataError], None]


@dataclass(frozen=True)
class ThermalSequence:
    """Named frames; every iteration begins anew, except of names on standard input.

    Attributes:
        length: number of frames; None where only the end shows it.
        fps: frames per second; None where the source doesn't say.
        frames: begins an iteration.
    """

    length: int | None
    fps: float | None
    frames: Callable[[], Named]

    def __iter__(self) -> Named:
        """(name, frame) in order; names are file stems, numbered where a file holds several frames, and unique.

        Raises:
            DataError: a frame can't be read; it names the file.
        """
        return self.frames()


def open_sequence(
    source: str | os.PathLike,
    reading: Reading | None = None,
    on_bad: OnBad | None = None,
    on_listed: Callable[[Path], None] | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> ThermalSequence:
    """Open a file of one or more frames, a folder of files of one frame each, a video, or ``-`` for names on stdin.

    Of a folder, ``image/`` is read if there is one, as in test folders; in natural order (frame2 before frame10),
    without its subfolders, hidden files, videos and files of other kinds, which a warning counts. What integers mean is
    decided once for all files of the same ending in a folder, and for all frames of a file; of names on standard input,
    for each file.

    Args:
        source: see above.
        reading: as of :func:`~lib.thermal.readers.read_thermal`.
        on_bad: gets the name of a file that can't be read, or not to its end, and the reason, and iterating goes on
            with the next file; None raises the reason instead.
        on_listed: gets each path from standard input before it is opened, and may raise.
        wanted: whether the frame of a name is; others are left out, of a folder unread, though :attr:`length` counts
            them; of standard input all are.

    Raises:
        DataError: no such file or folder, nothing to read in it, a damaged file, or integers whose unit is unclear.
    """
    reader = FrameReader(reading)
    if str(source) == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="surrogateescape")  # names in other encodings than the terminal's
        return ThermalSequence(None, None, lambda: _listed(sys.stdin, reader, on_bad, on_listed))
    path = Path(source)
    if path.is_dir():
        files = _files_of(path / "image" if (path / "image").is_dir() else path)
        reader.decide(files, str(path))
        return ThermalSequence(len(files), None, lambda: _each(files, reader, on_bad, wanted))
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    stored = reader.open(path)
    reader.decide([path], str(path))

    def frames() -> Named:
        named = _until_bad(_frames_of(path, reader), path, on_bad)
        return named if wanted is None else (pair for pair in named if wanted(pair[0]))

    return ThermalSequence(stored.count, stored.fps, frames)


def _frames_of(path: Path, reader: FrameReader) -> Named:
    """Frames of one file: its stem alone names a single one."""
    stored = reader.open(path)
    for index, frame in enumerate(reader.frames(path, stored)):
        yield (path.stem if stored.count == 1 else f"{path.stem}_{index:06d}"), frame


def _until_bad(frames: Named, path: Path, on_bad: OnBad | None) -> Named:
    """The frames of a file up to one that can't be read, which ``on_bad`` is told; without it, that is raised."""
    try:
        yield from frames
    except DataError as error:
        if on_bad is None:
            raise
        on_bad(path.name, error)


def _each(
    files: Iterable[Path], reader: FrameReader, on_bad: OnBad | None, wanted: Callable[[str], bool] | None
) -> Named:
    taken: set[str] = set()
    for path in files:
        name = _unique(path.stem, path, taken)
        if wanted is not None and not wanted(name):
            continue
        yield from _until_bad(((name, reader.read(each)) for each in (path,)), path, on_bad)


def _listed(
    lines: Iterable[str], reader: FrameReader, on_bad: OnBad | None, on_listed: Callable[[Path], None] | None
) -> Named:
    """Frames of the files that lines name, read as the lines come."""
    taken: set[str] = set()
    for line in lines:
        if line.strip():
            path = Path(line.strip())
            if on_listed is not None:
                on_listed(path)
            for name, frame in _until_bad(_frames_of(path, reader), path, on_bad):
                yield _unique(name, path, taken), frame


def _unique(name: str, path: Path, taken: set[str]) -> str:
    """``name``, followed by the file's kind and then by a number where others have it already."""
    kind = path.suffix.removeprefix(".").lower()
    number, unique = 1, name
    while unique in taken:
        unique = f"{name}_{kind}" if number == 1 else f"{name}_{kind}_{number}"
        number += 1
    taken.add(unique)
    return unique


def _files_of(folder: Path) -> list[Path]:
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    files = [entry for entry in entries if entry.suffix.lower() in FRAME_SUFFIXES and entry.is_file()]
    skipped = sorted(entry.name for entry in set(entries) - set(files))
    listing = first_few(skipped)
    if not files:
        converters = dict.fromkeys(filter(None, map(converter_of, entries)))
        others = "".join([f"; there are {listing}" if skipped else "", *(f"; {text}" for text in converters)])
        kinds = " ".join(sorted(FRAME_SUFFIXES))
        raise DataError(f"{folder}: no thermal frames; expected files that end in {kinds}{others}")
    if skipped:
        logger.warning("%s: left out, as they are no files of one frame: %s", folder, listing)
    return sorted(files, key=lambda path: natural_order(path.name))
