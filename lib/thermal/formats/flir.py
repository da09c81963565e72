"""FLIR's records of temperatures, in radiometric JPEGs and in .fff and .seq files, of either byte order."""

import io
import mmap
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lib.thermal.formats.jpeg import Segment
from lib.thermal.formats.orientation import orientation_of, upright
from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

_MAGIC = b"FFF\0"
_RAW, _CAMERA = 1, 32
"""Types of records, here and below as exiftool's documentation of FLIR's tags names them."""
_HEADER, _ENTRY, _PIXELS = 64, 32, 32
"""Bytes of a file's header, of an entry of its directory, and of a raw record before its pixels."""
_VERSIONS = range(100, 200)
_CAMERA_BYTES = 832
_CAMERA_WORDS = (*range(32, 64, 4), *range(88, 100, 4), *range(112, 140, 4), 776, 780, 824, 828)
"""Where a camera's record holds floats and integers of 32 bits."""
_EXPORT = "export its temperatures as CSV from FLIR Tools or FLIR Thermal Studio"
_NOTE = "deg C by the camera's own calibration"
_PART = 60_000
"""Bytes of a segment of a JPEG, at most 65,533."""


class _Records(NamedTuple):
    """The two records that temperatures are computed from.

    Attributes:
        counts: (H, W) uint16.
        camera: with calibration and surroundings, little-endian.
    """

    counts: np.ndarray
    camera: bytes


def flir_records(found: Sequence[Segment]) -> bytes:
    """What a JPEG's APP1 segments of FLIR hold, in the order of their numbers; empty if there are none."""
    parts = [part.content for part in found if part.marker == 0xE1 and part.content.startswith(b"FLIR\0")]
    return b"".join(part[8:] for part in sorted(parts, key=lambda part: part[6:7]))


def read_flir(path: Path, records: bytes) -> Stored | None:
    """The frame of a radiometric JPEG, upright as its picture is; None if it is but a picture of a FLIR camera."""
    parsed = _parsed(records, path)
    if parsed is None:
        return None
    celsius = _celsius(parsed, path)
    with Image.open(path, formats=("JPEG",)) as picture:
        orientation = orientation_of(picture, path)
        alike = (picture.width > picture.height) == (celsius.shape[1] > celsius.shape[0])
    celsius = upright(celsius, orientation) if alike else celsius
    return Stored(1, iter([celsius]), celsius.shape, calibrated=True, note=_NOTE)


def read_fff(path: Path, reading: Reading) -> Stored:
    """A .fff file of one frame or a .seq file of many, each with its own calibration."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        starts = list(_starts(content))
        ends = [*starts[1:], len(content)]
    if not starts:
        raise DataError(f"{path}: no records of a FLIR camera in it; {_EXPORT}")

    def frames() -> Iterator[np.ndarray]:
        with path.open("rb") as file:
            for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
                file.seek(start)
                parsed = _parsed(file.read(end - start), path)
                if parsed is None:
                    raise DataError(f"{path}: frame {index + 1} has no thermal data; {_EXPORT}")
                yield _celsius(parsed, path)

    return Stored(len(starts), frames(), calibrated=True, note=_NOTE)


def _starts(content: mmap.mmap) -> Iterator[int]:
    """Where the frames of a .fff or .seq file begin."""
    place = content.find(_MAGIC)
    while place >= 0:
        if _order(content[place : place + _HEADER]):
            yield place
        place = content.find(_MAGIC, place + 1)


def _order(header: bytes) -> str:
    """Byte order of a header, by the version that it gives; empty where that is none."""
    if len(header) < _HEADER:
        return ""
    return next((order for order in "><" if struct.unpack_from(f"{order}I", header, 20)[0] in _VERSIONS), "")


def _parsed(records: bytes, path: Path) -> _Records | None:
    """The records of one frame; None if it has no thermal data."""
    order = _order(records)
    if not records.startswith((_MAGIC, b"AFF\0")) or not order:
        raise DataError(f"{path}: damaged, or FLIR records of a version that is not known; {_EXPORT}")
    directory, count = struct.unpack_from(f"{order}II", records, 24)
    damaged = DataError(f"{path}: cut off or damaged: its FLIR records lie outside the file")
    if directory + _ENTRY * count > len(records):
        raise damaged
    contents: dict[int, bytes] = {}
    for entry in range(directory, directory + _ENTRY * count, _ENTRY):
        (kind,) = struct.unpack_from(f"{order}H", records, entry)
        start, length = struct.unpack_from(f"{order}II", records, entry + 12)
        if kind in (_RAW, _CAMERA):
            if start + length > len(records):
                raise damaged
            contents.setdefault(kind, records[start : start + length])
    if _RAW not in contents:
        return None
    camera = contents.get(_CAMERA, b"")
    if len(camera) < _CAMERA_BYTES:
        raise DataError(f"{path}: has a FLIR camera's raw counts without its calibration; {_EXPORT}")
    return _Records(_counts(contents[_RAW], path), _little_endian(camera))


def _counts(record: bytes, path: Path) -> np.ndarray:
    """(H, W) uint16 of a raw record."""
    damaged = DataError(f"{path}: cut off or damaged: its FLIR pixels aren't whole")
    if len(record) < _PIXELS:
        raise damaged
    order = _record_order(record)
    width, height = struct.unpack_from(f"{order}HH", record, 2)
    pixels = record[_PIXELS:]
    if pixels.startswith(b"\xff\xd8"):
        raise DataError(
            f"{path}: its frames are compressed as JPEG-LS, which no library that is used here reads; {_EXPORT}, or "
            "convert them with the FLIR Science File SDK"
        )
    if pixels.startswith(b"\x89PNG"):
        with Image.open(io.BytesIO(pixels), formats=("PNG",)) as picture:
            counts = np.array(picture).astype(np.uint16)
        if counts.shape != (height, width):
            raise damaged
        # Most cameras write the two bytes of a pixel the wrong way round into their PNG: the rough one of both.
        return min((counts, counts.byteswap()), key=_roughness)
    if not width * height or len(pixels) < 2 * width * height:
        raise damaged
    return np.frombuffer(pixels, f"{order}u2", width * height).reshape(height, width).astype(np.uint16)


def _roughness(counts: np.ndarray) -> float:
    return float(np.abs(np.diff(counts.astype(np.int32), axis=1)).mean())


def _record_order(record: bytes) -> str:
    """Records have a byte order of their own, whatever their file's: their first number is a small one."""
    return "<" if struct.unpack_from("<H", record)[0] < 0x100 else ">"


def _little_endian(camera: bytes) -> bytes:
    if _record_order(camera) == "<":
        return camera
    swapped = bytearray(camera)
    for place in _CAMERA_WORDS:
        swapped[place : place + 4] = camera[place : place + 4][::-1]
    return bytes(swapped)


def _celsius(records: _Records, path: Path) -> np.ndarray:
    """(H, W) float64 deg C, by flyr.

    flyr reads JPEGs whose records are big-endian and whose numbers in them are little-endian; so they get one.
    """
    try:
        import flyr
    except ImportError as error:
        raise DataError(f"{path}: a file of a FLIR camera; to read its temperatures, pip install flyr") from error
    try:
        return flyr.unpack(io.BytesIO(_jpeg(records))).celsius
    except Exception as error:  # whatever its parts raise: ValueError, OverflowError, KeyError, ...
        raise DataError(
            f"{path}: flyr can't compute temperatures from this camera's records ({type(error).__name__}: {error}); "
            f"{_EXPORT}"
        ) from error


def _jpeg(records: _Records) -> bytes:
    height, width = records.counts.shape
    raw = struct.pack("<HHH", 2, width, height).ljust(_PIXELS, b"\0") + records.counts.astype("<u2").tobytes()
    entries, place = b"", _HEADER + 4 * _ENTRY
    for kind, record in ((_RAW, raw), (_CAMERA, records.camera)):
        entries += struct.pack(">HHIIII", kind, 2, 100, 1, place, len(record)).ljust(_ENTRY, b"\0")
        place += len(record)
    # flyr counts entries from the start of the file, so that the header is two of four.
    header = (_MAGIC + bytes(16) + struct.pack(">III", 100, _HEADER, 4)).ljust(_HEADER, b"\0")
    whole = header + entries.ljust(4 * _ENTRY, b"\0") + raw + records.camera
    parts = [whole[start : start + _PART] for start in range(0, len(whole), _PART)]
    picture = io.BytesIO()
    Image.new("L", (8, 8)).save(picture, "JPEG")
    head = b"\xff\xd8"
    for number, part in enumerate(parts):
        body = b"FLIR\0\1" + bytes([number, len(parts) - 1]) + part
        head += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return head + picture.getvalue()[2:]
