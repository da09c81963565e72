"""Sources of frames that come in their own time: a growing folder, a file played, a camera, raw numbers on a stream."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lib.thermal import FrameReader, Reading, ThermalFrame, open_sequence
from lib.thermal.readers import FRAME_SUFFIXES
from lib.thermal.streams import camera_frames, raw_frames, thermal_frames
from lib.utils.errors import DataError
from lib.utils.text import natural_order

logger = logging.getLogger("samcl")

DEFAULT_FPS = 10.0
"""Frames per second of a file that doesn't say."""
POLL_SECONDS = 0.02
"""Between two looks into a growing folder; a file is read once its size is the same in both."""
PATIENCE_SECONDS = 1.0
"""In which a file that can't be read may become one that can, as its writer goes on."""


class LiveFrame(NamedTuple):
    """A frame of a source.

    Attributes:
        name: unique in the source, and among its runs where it has no names of its own; fit for a file.
        seconds: when it was taken, from any moment on.
        frame: as read.
    """

    name: str
    seconds: float
    frame: ThermalFrame


@dataclass(frozen=True)
class Source:
    """Where frames come from.

    Attributes:
        title: for people.
        frames: begins to read; raises DataError where it can't go on.
        waits: whether the source can stand still while a person looks at a frame, as a file can and a camera can't.
    """

    title: str
    frames: Callable[[], Iterator[LiveFrame]]
    waits: bool = False


def open_source(
    name: str, reading: Reading, fps: float | None = None, raw_kind: str = "uint16", stream: BinaryIO | None = None
) -> Source:
    """A source by its name.

    Args:
        name: a folder, a file that holds frames, the number of a camera, or ``-`` for ``stream``.
        reading: how to read files; of a stream, its ``raw_size`` is the size of the frames.
        fps: frames per second of a file; None = as it says.
        raw_kind: of the numbers of a stream, one of :data:`~lib.thermal.streams.RAW_TYPES`.
        stream: to read raw frames from.

    Raises:
        DataError: there is no such file, folder or camera, or it can't be read.
    """
    if name == "-":
        assert stream is not None
        numbers = raw_frames(stream, reading.raw_size, raw_kind, "standard input")
        return Source("standard input", lambda: _stamped(thermal_frames(numbers, "standard input", reading), "stdin"))
    path = Path(name)
    if path.is_dir():
        return Source(name, lambda: _growing(path / "image" if (path / "image").is_dir() else path, reading))
    if name.isdecimal() and not path.exists():
        title, numbers = f"camera {name}", camera_frames(int(name))
        return Source(title, lambda: _stamped(thermal_frames(numbers, title, reading), f"camera{name}"))
    sequence = open_sequence(path, reading)
    rate = fps or sequence.fps
    if not rate:
        logger.info("%s: its frame rate is unknown and taken for %g a second; --fps N says it", name, DEFAULT_FPS)
    return Source(name, lambda: _played(iter(sequence), rate or DEFAULT_FPS), waits=True)


def _stamped(frames: Iterator[ThermalFrame], prefix: str) -> Iterator[LiveFrame]:
    """Frames named by when they came."""
    for frame in frames:
        now = time.time()
        clock = time.strftime("%Y%m%d_%H%M%S", time.localtime(now))
        yield LiveFrame(f"{prefix}_{clock}_{int(now % 1 * 1000):03d}", time.monotonic(), frame)


def _played(frames: Iterator[tuple[str, ThermalFrame]], fps: float) -> Iterator[LiveFrame]:
    """Frames in the time of their file; what was late is not caught up with."""
    due = time.monotonic()
    for index, (name, frame) in enumerate(frames):
        time.sleep(max(0.0, due - time.monotonic()))
        yield LiveFrame(name, index / fps, frame)
        due = max(due + 1 / fps, time.monotonic())


def _growing(folder: Path, reading: Reading) -> Iterator[LiveFrame]:
    """The newest file of a folder, and then each that is added, for ever; files that can't be read are left out."""
    reader, seen, sizes = FrameReader(reading), set[str](), dict[str, int]()
    first = True
    while True:
        new = _new_files(folder, seen)
        whole = [name for name, (size, _) in new.items() if size > 0 and size == sizes.get(name)]
        sizes = {name: size for name, (size, _) in new.items()}
        whole.sort(key=lambda name: (new[name][1], natural_order(name)))
        seen.update(whole)
        if first and whole:
            first = False
            reader.decide([folder / name for name in whole], str(folder))
            whole = whole[-1:]
        for name in whole:
            frame = _read(reader, folder / name)
            if frame is not None:
                yield LiveFrame(Path(name).stem, time.monotonic(), frame)
        time.sleep(POLL_SECONDS)


def _new_files(folder: Path, seen: set[str]) -> dict[str, tuple[int, int]]:
    """Size in bytes and time of modification in ns of each file of a frame whose name isn't in ``seen``."""
    found = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in seen or entry.name.startswith(".") or not entry.name.lower().endswith(FRAME_SUFFIXES):
                    continue
                with suppress(FileNotFoundError):  # renamed or removed since it was listed
                    status = entry.stat()
                    found[entry.name] = (status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"{folder}: can't be read any more ({error.strerror})") from error
    return found


def _read(reader: FrameReader, path: Path) -> ThermalFrame | None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return reader.read(path)
        except DataError as error:
            if time.monotonic() > end:
                logger.warning("left out: %s", error)
                return None
            time.sleep(POLL_SECONDS)
