"""Frames of sources without a file: raw numbers on a stream, and cameras that the system knows as such (UVC)."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from lib.thermal.formats.colours import Colours
from lib.thermal.frame import Reading, Stored, ThermalFrame
from lib.thermal.readers import FrameReader
from lib.thermal.units import NO_TEMPERATURES, decide_unit
from lib.utils.errors import DataError

RAW_TYPES = {"uint8": "u1", "uint16": "<u2", "int16": "<i2", "float32": "<f4", "float64": "<f8"}
"""What the numbers of a raw stream may be, and how NumPy calls them; little-endian."""
MOST_MISSED = 50
"""Reads in a row that a camera may fail; while it corrects itself (a shutter), some do for a second."""


def thermal_frames(numbers: Iterator[np.ndarray], where: str, reading: Reading | None = None) -> Iterator[ThermalFrame]:
    """Give the numbers of a source their unit, as those of a file get theirs.

    What integers of more than 8 bits mean is decided from the first frame, for all.

    Args:
        numbers: frames (H, W): uint8 are grey levels, other integers counts, floats deg C.
        where: name of the source, for messages.
        reading: as of :func:`~lib.thermal.readers.read_thermal`.

    Raises:
        DataError: the source fails, or its numbers can't be temperatures.

    >>> frame = next(thermal_frames(iter([np.full((2, 2), 33.5)]), "a stream"))
    >>> frame.radiometric, frame.values.tolist()
    (True, [[33.5, 33.5], [33.5, 33.5]])
    """
    reading = reading or Reading()
    first = next(numbers, None)
    if first is None:
        return
    told = reading.unit or reading.preset == NO_TEMPERATURES
    counts = first.dtype.kind in "iu" and first.dtype != np.uint8
    unit = decide_unit(first, where) if counts and not told else None
    note = f"integers read as {unit.name}, by their values (--temp_preset overrules that)" if unit else ""
    stored = Stored(None, chain([first], numbers), unit=unit, note=note)
    yield from FrameReader(reading).frames(Path(where), stored)


def raw_frames(stream: BinaryIO, size: tuple[int, int], kind: str, where: str) -> Iterator[np.ndarray]:
    """Frames of a stream of numbers, row by row, one frame after the other.

    Args:
        stream: to read from until its end.
        size: (width, height) of a frame in pixels.
        kind: of the numbers, one of :data:`RAW_TYPES`.
        where: name of the stream, for messages.

    Yields:
        (H, W) of that kind.

    Raises:
        DataError: the stream ends within a frame.

    >>> import io
    >>> [frame.tolist() for frame in raw_frames(io.BytesIO(bytes(range(8))), (2, 1), "uint16", "a stream")]
    [[[256, 770]], [[1284, 1798]]]
    """
    width, height = size
    kind = RAW_TYPES[kind]
    wanted = width * height * np.dtype(kind).itemsize
    while data := stream.read(wanted):
        if len(data) < wanted:
            raise DataError(
                f"{where}: ends after {len(data)} of the {wanted} bytes of a frame of {width}x{height} (width x "
                f"height) {np.dtype(kind)}: cut off, or of another size or kind"
            )
        yield np.frombuffer(data, kind).reshape(height, width)


def camera_frames(index: int) -> Iterator[np.ndarray]:
    """Open a camera; its frames as they come: counts of 16 bits where it has them (Y16), else grey levels.

    Args:
        index: of the camera, 0 for the first.

    Returns:
        (H, W) uint16 or uint8 each; DataError where it gives no frames any more.

    Raises:
        DataError: there is no such camera.
    """
    where = f"camera {index}"
    camera = cv2.VideoCapture(index)
    if not camera.isOpened():
        camera.release()
        raise DataError(f"{where}: can't be opened; is it plugged in, in use, or has it another number?")
    if camera.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"Y16 ")):
        camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    return _frames_of(camera, where)


def _frames_of(camera: cv2.VideoCapture, where: str) -> Iterator[np.ndarray]:
    """See :func:`camera_frames`."""
    colours, missed = Colours(Path(where)), 0
    try:
        while missed < MOST_MISSED:
            there, frame = camera.read()
            missed = 0 if there else missed + 1
            if there:
                yield _one_channel(frame, colours)
    finally:
        camera.release()
    raise DataError(f"{where}: gives no frames any more; was it unplugged?")


def _one_channel(frame: np.ndarray, colours: Colours) -> np.ndarray:
    if frame.ndim == 2 or frame.shape[2] == 1:
        return frame.reshape(frame.shape[:2])
    return colours.levels(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
