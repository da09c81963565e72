"""Frames in pictures: counts of more than 8 bits, floats, grey levels, and radiometric JPEGs of FLIR cameras."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from lib.datasets.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

PAGES = 16
"""Pages of a TIFF that are decoded at a time: OpenCV walks from the first page to the next it is asked for."""


def read_picture(path: Path, reading: Reading) -> Stored:
    """PNG, JPEG or BMP: grey of 16 bits as counts; of 8 bits, and colours, as grey levels; FLIR's JPEGs as deg C."""
    content = path.read_bytes()
    flir = _flir_segments(content)
    if flir:
        return _read_flir(path, content, flir)
    with Image.open(io.BytesIO(content)) as picture:
        counts = picture.mode == "I" or picture.mode.startswith("I;16")
        values = np.array(picture if counts else picture.convert("L"))
        note = "colours read as their brightness" if picture.mode in ("RGB", "RGBA", "CMYK", "YCbCr", "P") else ""
    return Stored(1, iter([values]), note=note)


def read_tiff(path: Path, reading: Reading) -> Stored:
    """TIFF of integers or floats, one page a frame; colours of 8 bits as grey levels."""
    with path.open("rb") as file:
        count = _count_pages(file, path)

    def frames() -> Iterator[np.ndarray]:
        for start in range(0, count, PAGES):
            wanted = min(PAGES, count - start)
            _, pages = cv2.imreadmulti(str(path), start, wanted, flags=cv2.IMREAD_UNCHANGED)
            if len(pages) != wanted:
                raise DataError(
                    f"{path}: damaged, or of a kind that OpenCV can't read: page {start + len(pages) + 1} of {count}"
                )
            yield from (_one_channel(page, path) for page in pages)

    return Stored(count, frames())


def _one_channel(page: np.ndarray, path: Path) -> np.ndarray:
    if page.ndim == 2:
        return page
    if page.dtype == np.uint8 and page.shape[2] in (3, 4):
        return cv2.cvtColor(page, cv2.COLOR_BGR2GRAY if page.shape[2] == 3 else cv2.COLOR_BGRA2GRAY)
    raise DataError(f"{path}: expected one channel, or colours of 8 bits, got {page.dtype} of shape {page.shape}")


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
    size, seen = file.seek(0, io.SEEK_END), set()
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
    if not content.startswith(b"\xff\xd8"):
        return b""
    parts, place = {}, 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", content, place + 2)
        segment = content[place + 4 : place + 2 + length]
        if content[place + 1] == 0xE1 and segment.startswith(b"FLIR\0") and len(segment) > 8:
            parts[segment[6]] = segment[8:]
        place += 2 + length
    return b"".join(parts[number] for number in sorted(parts))


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
    return Stored(1, iter([celsius]), calibrated=True, note="deg C by the camera's own calibration")
