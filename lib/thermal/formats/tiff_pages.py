"""The directories of TIFF files: what they say about their pages, without decoding any."""

import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lib.thermal.formats.orientation import TAG, UPRIGHT, upright_size
from lib.utils.errors import DataError

_TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""Codes of ``struct`` by TIFF's types of whole numbers."""
_KINDS = {1: "u", 2: "i", 3: "f"}
REMEDY = "save each frame as a page of one channel, uncompressed"


@dataclass(frozen=True, slots=True)
class Page:
    """What a directory of a TIFF says about its page; the names are those of TIFF 6.0.

    Attributes:
        index: of the page in its file.
        place: of the directory in the file, in bytes.
        dtype: of the numbers; None for depths that NumPy doesn't have, as of 12 bits.
        alpha: number of channels that say how opaque a pixel is.
        reduced: whether the page is a preview of another, or a mask for it.
        tile: (H, W) in pixels; None where the page is stored in strips.
        offsets: of the strips or tiles in the file, in bytes.
    """

    index: int
    place: int
    height: int
    width: int
    bits: int
    channels: int
    alpha: int
    dtype: np.dtype | None
    compression: int
    planar: bool
    orientation: int
    reduced: bool
    rows_per_strip: int
    tile: tuple[int, int] | None
    offsets: tuple[int, ...]

    @property
    def deep(self) -> bool:
        """Whether the numbers may be more than grey levels."""
        return self.bits > 8 or (self.dtype is not None and self.dtype.kind != "u")

    @property
    def plain(self) -> bool:
        """Whether the numbers lie in the file as NumPy has them."""
        return self.compression == 1 and self.dtype is not None and self.deep

    @property
    def tiles(self) -> tuple[int, int]:
        """Number of tiles down and across the page."""
        height, width = self.tile or (self.height, self.width)
        return -(-self.height // height), -(-self.width // width)

    @property
    def parts(self) -> int:
        """Number of strips or tiles of the page."""
        down, across = self.tiles if self.tile is not None else (-(-self.height // self.rows_per_strip), 1)
        return down * across * (self.channels if self.planar else 1)

    def part_sizes(self) -> list[int]:
        """Bytes of each strip or tile of a plain page, in the order of :attr:`offsets`."""
        assert self.dtype is not None
        planes = self.channels if self.planar else 1
        pixel = self.channels // planes * self.dtype.itemsize
        if self.tile is not None:
            down, across = self.tiles
            return [self.tile[0] * self.tile[1] * pixel] * (planes * down * across)
        rows = [self.rows_per_strip] * (self.height // self.rows_per_strip)
        rows += [self.height % self.rows_per_strip] if self.height % self.rows_per_strip else []
        return [count * self.width * pixel for count in rows] * planes

    @property
    def end(self) -> int:
        """Where the last byte of a plain page's pixels ends in the file; beyond any file if strips are missing."""
        if self.parts != len(self.offsets):
            return 1 << 63
        return max(offset + size for offset, size in zip(self.offsets, self.part_sizes(), strict=True))

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels of the upright page."""
        return upright_size(self.height, self.width, self.orientation)


class Directories:
    """The chain of directories through a TIFF or BigTIFF file (TIFF 6.0, section 2).

    Raises:
        DataError: no TIFF, or a directory lies outside the file, which decoders take for the end.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        head = file.read(16)
        self._order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = struct.unpack(f"{self._order}H", head[2:4])[0] if self._order and len(head) == 16 else None
        if version not in (42, 43):
            raise DataError(f"{path}: no TIFF, whatever its name says, or a damaged one")
        # Classic files have 16-bit counts, entries of 12 bytes and 32-bit offsets, big ones 64-bit counts and offsets.
        self._count_code, self._entry_code, self._offset_code = (
            ("H", "HHI", "I") if version == 42 else ("Q", "HHQ", "Q")
        )
        self._offset_bytes = struct.calcsize(f"<{self._offset_code}")
        (self._first,) = struct.unpack_from(f"{self._order}{self._offset_code}", head, 4 if version == 42 else 8)
        self.file_bytes = file.seek(0, io.SEEK_END)

    def pages(self) -> Iterator[Page]:
        """All pages in order."""
        place, seen = self._first, set[int]()
        while place:
            outside = DataError(f"{self._path}: cut off or damaged: page {len(seen) + 1} lies outside the file")
            if place in seen:
                raise outside
            try:
                page, following = self.page(len(seen), place)
            except struct.error as error:
                raise outside from error
            seen.add(place)
            yield page
            place = following

    def page(self, index: int, place: int) -> tuple[Page, int]:
        """The page whose directory is at ``place``, and the place of the next directory; 0 after the last."""
        self._file.seek(place)
        (count,) = self._unpack(self._count_code)
        entry_bytes = struct.calcsize(f"<{self._entry_code}") + self._offset_bytes
        if self._file.tell() + count * entry_bytes + self._offset_bytes > self.file_bytes:
            raise struct.error
        entries = self._file.read(count * entry_bytes)
        (following,) = self._unpack(self._offset_code)
        tags = {}
        for start in range(0, len(entries), entry_bytes):
            tag, values = self._entry(entries[start : start + entry_bytes])
            tags[tag] = values
        return self._described(index, place, tags), following

    def _entry(self, entry: bytes) -> tuple[int, tuple[int, ...]]:
        tag, kind, count = struct.unpack_from(f"{self._order}{self._entry_code}", entry)
        if kind not in _TYPES or not count:
            return tag, ()
        code = f"{self._order}{count}{_TYPES[kind]}"
        data = entry[-self._offset_bytes :]
        if struct.calcsize(code) > self._offset_bytes:
            (place,) = struct.unpack(f"{self._order}{self._offset_code}", data)
            if place + struct.calcsize(code) > self.file_bytes:
                raise struct.error
            self._file.seek(place)
            data = self._file.read(struct.calcsize(code))
        return tag, struct.unpack_from(code, data)

    def _described(self, index: int, place: int, tags: dict[int, tuple[int, ...]]) -> Page:
        def one(tag: int, usual: int) -> int:
            return (tags.get(tag) or (usual,))[0]

        width, height, channels, bits = one(256, 0), one(257, 0), one(277, 1), tags.get(258) or (1,)
        where = f"{self._path}: page {index + 1}"
        if min(width, height, channels) < 1:
            raise DataError(f"{where} has no size: damaged")
        if len(set(bits)) > 1:
            raise DataError(f"{where} has channels of different depths, {bits} bits; {REMEDY}")
        kind = _KINDS.get(one(339, 1))
        if kind is None:
            raise DataError(f"{where} holds neither integers nor floats; {REMEDY}")
        with_tiles = one(322, 0) > 0 and one(323, 0) > 0
        orientation = one(TAG, UPRIGHT)
        return Page(
            **{"index": index, "place": place, "height": height, "width": width, "bits": bits[0]},
            channels=channels,
            alpha=sum(extra in (1, 2) for extra in tags.get(338, ())),
            dtype=_dtype(self._order, kind, bits[0]),
            compression=one(259, 1),
            planar=one(284, 1) == 2,
            orientation=orientation if orientation in range(1, 9) else UPRIGHT,
            reduced=bool(one(254, 0) & 5) or one(255, 1) == 2,
            rows_per_strip=max(1, min(one(278, height), height)),
            tile=(one(323, 0), one(322, 0)) if with_tiles else None,
            offsets=tags.get(324 if with_tiles else 273, ()),
        )

    def _unpack(self, code: str) -> tuple[int, ...]:
        return struct.unpack(f"{self._order}{code}", self._file.read(struct.calcsize(f"<{code}")))


def _dtype(order: str, kind: str, bits: int) -> np.dtype | None:
    with suppress(TypeError):
        return np.dtype(f"{order}{kind}{bits // 8}") if bits % 8 == 0 else None
    return None
