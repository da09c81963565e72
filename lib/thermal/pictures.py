"""Frames in pictures: counts of more than 8 bits, floats, grey levels, and radiometric JPEGs of FLIR cameras."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""By content, whatever a file's name says: Pillow would start another program for some of the other formats."""
PAGES = 64
"""Pages that OpenCV decodes at a time."""
_JPEG = b"\xff\xd8"
_COLOURS = "colours read as their brightness"


def read_picture(path: Path, reading: Reading) -> Stored:
    """PNG, JPEG or BMP: grey of 16 bits as counts; of 8 bits, and colours, as grey levels; FLIR's JPEGs as deg C."""
    with path.open("rb") as file:
        content = file.read() if file.read(2) == _JPEG else b""
    flir = _flir_segments(_JPEG + content) if content else b""
    if flir:
        return _read_flir(path, _JPEG + content, flir)
    return _stored(path, 1)


def read_tiff(path: Path, reading: Reading) -> Stored:
    """TIFF of integers or floats, one page a frame; colours of 8 bits as grey levels."""
    with path.open("rb") as file:
        count = _count_pages(file, path)
    try:
        return _stored(path, count)
    except UnidentifiedImageError:  # as of float64, which Pillow doesn't know
        return Stored(count, _pages_by_opencv(path, count))


def _stored(path: Path, count: int) -> Stored:
    """What Pillow reads of ``path``, which is decoded only when the frames are asked for."""
    with Image.open(path, formats=FORMATS) as picture:
        note = _COLOURS if _has_colours(picture.mode) else ""
        return Stored(count, _pages(path, count), (picture.height, picture.width), note=note)


def _pages(path: Path, count: int) -> Iterator[np.ndarray]:
    with Image.open(path, formats=FORMATS) as picture:
        for page in range(count):
            picture.seek(page)
            yield _values(picture)


def _pages_by_opencv(path: Path, count: int) -> Iterator[np.ndarray]:
    """Pages of one channel; slow beyond some hundred, as OpenCV goes through all that come before."""
    for start in range(0, count, PAGES):
        _, pages = cv2.imreadmulti(str(path), start, min(PAGES, count - start), flags=cv2.IMREAD_UNCHANGED)
        for page in pages:
            if page.ndim != 2:
                raise DataError(f"{path}: expected one channel, or colours of 8 bits, got shape {page.shape}")
        if not pages:
            raise DataError(f"{path}: damaged, cut off, or of a kind that neither Pillow nor OpenCV reads")
        yield from pages


def _values(picture: Image.Image) -> np.ndarray:
    """(H, W): counts, floats, or grey levels uint8."""
    keeps = picture.mode in ("I", "F") or picture.mode.startswith("I;16")
    return np.array(picture if keeps else picture.convert("L"))


def _has_colours(mode: str) -> bool:
    return mode in ("RGB", "RGBA", "CMYK", "YCbCr", "P")


def _count_pages(file: BinaryIO, path: Path) -> int:
    """Number of pages, from the chain of directories through the file (TIFF 6.0, section 2, and BigTIFF).

    Raises:
        DataError: no TIFF, or a directory lies outside the file, which decoders take for the end.
    """
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    version = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) == 16 else None
    if version not in (42, 43):
        raise DataError(f"{path}: no TIFF, whatever its name says, or a damaged one")
    # Classic files have 16-bit counts, entries of 12 bytes and 32-bit offsets, big ones 64-bit counts and offsets.
    count_code, entry_bytes, offset_code = ("H", 12, "I") if version == 42 else ("Q", 20, "Q")
    count_bytes, offset_bytes = struct.calcsize(count_code), struct.calcsize(offset_code)
    offset = struct.unpack_from(f"{order}{offset_code}", head, 4 if version == 42 else 8)[0]
    size = file.seek(0, io.SEEK_END)
    seen: set[int] = set()
    while offset:
        if offset in seen or offset + count_bytes > size:
            raise DataError(f"{path}: cut off or damaged: page {len(seen) + 1} lies outside the file")
        seen.add(offset)
        file.seek(offset)
        (entries,) = struct.unpack(f"{order}{count_code}", file.read(count_bytes))
        end = offset + count_bytes + entries * entry_bytes
        if end + offset_bytes > size:
            raise DataError(f"{path}: cut off or damaged: page {len(seen)} lies outside the file")
        file.seek(end)
        (offset,) = struct.unpack(f"{order}{offset_code}", file.read(offset_bytes))
    if not seen:
        raise DataError(f"{path}: a TIFF without a page")
    return len(seen)


def _flir_segments(content: bytes) -> bytes:
    """What a JPEG's APP1 segments of FLIR hold, in their order; empty if there are none."""
    parts, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", content, place + 2)
        segment = content[place + 4 : place + 2 + length]
        if content[place + 1] == 0xE1 and segment.startswith(b"FLIR\0") and len(segment) > 8:
            parts.append(segment[8:])
        place += 2 + length
    return b"".join(parts)


def _read_flir(path: Path, content: bytes, flir: bytes) -> Stored:
    try:
        import flyr
    except ImportError as error:
        raise DataError(
            f"{path}: a radiometric JPEG of a FLIR camera; to read its temperatures, pip install flyr"
        ) from error
    # flyr takes a damaged number of records at its word, which can be billions.
    directory, records = struct.unpack_from(">II", flir, 24) if len(flir) >= 32 else (0, 1)
    if directory + 32 * records > len(flir):
        raise DataError(f"{path}: cut off or damaged: its FLIR records lie outside the file")
    celsius = flyr.unpack(io.BytesIO(content)).celsius
    return Stored(1, iter([celsius]), celsius.shape, calibrated=True, note="deg C by the camera's own calibration")
