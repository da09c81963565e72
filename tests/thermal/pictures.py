"""Pictures of unusual kinds, written byte by byte: orientation tags, several channels, tiles, planes."""

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from tests.thermal.files import encoded

STORED = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[::-1],
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image.swapaxes(0, 1)[:, ::-1],
}
"""How an upright image is stored under each orientation: TIFF 6.0, section 8, tag Orientation."""


def exif(orientation: int) -> bytes:
    """A TIFF structure with the orientation alone."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def jpeg_with(content: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with more APP segments, each of any length, which is cut where needed."""
    added = b""
    for marker, body in segments:
        for start in range(0, len(body), 65_000):
            part = body[start : start + 65_000]
            added += b"\xff" + bytes([marker]) + struct.pack(">H", len(part) + 2) + part
    return content[:2] + added + content[2:]


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_with(content: bytes, name: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return content[:33] + chunk(name, body) + content[33:]


def png_of_grey_and_opacity(grey: np.ndarray) -> bytes:
    """PNG of 16 bits, colour type 4."""
    height, width = grey.shape
    rows = np.dstack([grey, np.full_like(grey, 65535)]).astype(">u2")
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def jpeg(image: np.ndarray, orientation: int = 1) -> bytes:
    return jpeg_with(encoded(".jpg", image), (0xE1, b"Exif\0\0" + exif(orientation)))


def png(image: np.ndarray, orientation: int = 1) -> bytes:
    return png_with(encoded(".png", image), b"eXIf", exif(orientation))


def tiff_of(*pages: tuple[np.ndarray, dict[int, int | Sequence[int]]], tile: int = 0, rows: int = 0) -> bytes:
    """An uncompressed TIFF; each page's tags replace those that its array needs.

    Args:
        pages: (H, W), (H, W, C) or, with tag 284 = 2, (C, H, W), and tags.
        tile: side of square tiles in pixels; 0 for strips.
        rows: of a strip; 0 for all.
    """
    content = b"II*\0" + struct.pack("<I", 8)
    for index, (page, more) in enumerate(pages):
        planes = page if more.get(284) == 2 else page[None]
        height, width = planes.shape[1:3]
        channels = planes.shape[3] if planes.ndim == 4 else len(planes)
        parts = [part.tobytes() for plane in planes for part in _parts(plane, tile, rows or height)]
        tags: dict[int, int | Sequence[int]] = {256: width, 257: height, 258: [8 * page.itemsize] * channels, 259: 1}
        tags |= {262: 2 if channels > 2 else 1, 277: channels, 339: [{"u": 1, "i": 2, "f": 3}[page.dtype.kind]]}
        tags |= {322: tile, 323: tile} if tile else {278: rows or height}
        tags |= {325 if tile else 279: [len(part) for part in parts], 324 if tile else 273: [0] * len(parts)} | more
        directory = len(content)
        place = directory + 2 + 12 * len(tags) + 4
        offsets, data = [], b""
        lists = {tag: [value] if isinstance(value, int) else list(value) for tag, value in tags.items()}
        place += sum(4 * len(values) for values in lists.values() if len(values) > 1)
        for part in parts:
            offsets.append(place + len(data))
            data += part
        lists[324 if tile else 273] = offsets
        entries, arrays, at = b"", b"", directory + 2 + 12 * len(tags) + 4
        for tag, values in sorted(lists.items()):
            value = values[0] if len(values) == 1 else at + len(arrays)
            entries += struct.pack("<HHII", tag, 4, len(values), value)
            arrays += struct.pack(f"<{len(values)}I", *values) if len(values) > 1 else b""
        following = place + len(data) if index + 1 < len(pages) else 0
        content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following) + arrays + data
    return content


def _parts(plane: np.ndarray, tile: int, rows: int) -> Iterator[np.ndarray]:
    if not tile:
        yield from (plane[start : start + rows] for start in range(0, len(plane), rows))
        return
    for top in range(0, plane.shape[0], tile):
        for left in range(0, plane.shape[1], tile):
            whole = np.zeros((tile, tile, *plane.shape[2:]), plane.dtype)
            part = plane[top : top + tile, left : left + tile]
            whole[: part.shape[0], : part.shape[1]] = part
            yield whole
