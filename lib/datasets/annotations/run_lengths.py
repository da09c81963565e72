"""Masks as run lengths, in the forms of COCO, CVAT and Label Studio.

The first two count the pixels of turns of 0 and 1, beginning with 0: COCO down the columns, also packed into text,
CVAT along the rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.utils.errors import DataError

_PACKED = 5  # bits of a number in a character of COCO's text; a sixth says that more follow
_FIRST = 48  # code of the character that stands for 0


def counts_of(pixels: np.ndarray) -> list[int]:
    """Run lengths of a flat bool array, the first of False, and 0 where that doesn't come first.

    >>> counts_of(np.array([1, 1, 0, 1], bool))
    [0, 2, 1, 1]
    """
    changes = np.flatnonzero(np.diff(pixels.astype(np.int8))) + 1
    runs = np.diff([0, *changes.tolist(), pixels.size]).tolist()
    return [0, *runs] if pixels.size and pixels[0] else runs


def pixels_of(counts: Any, length: int, where: str) -> np.ndarray:
    """The flat bool array (length,) of run lengths, the first of False.

    Raises:
        DataError: no list of whole numbers that add up to ``length``.
    """
    whole = isinstance(counts, list) and all(type(count) is int and 0 <= count <= length for count in counts)
    if not whole or sum(counts) != length:
        total = f"{sum(counts)} pixels" if whole else str(counts)[:60]
        raise DataError(f"{where}: run lengths of {total}; its mask has {length} pixels: export it anew")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


def unpack_coco(text: str, where: str) -> list[int]:
    """Run lengths from COCO's text: 5 bits a character, from the third number on as differences to the one two before.

    Raises:
        DataError: no such text.

    >>> unpack_coco("02", "a.json")
    [0, 2]
    """
    counts: list[int] = []
    number, bits = 0, 0
    for character in text:
        value = ord(character) - _FIRST
        if not 0 <= value < 64 or bits > 40:
            raise DataError(f"{where}: its counts are no run lengths in COCO's form ({text[:20]!r}); export it anew")
        number |= (value & 31) << bits
        bits += _PACKED
        if value & 32:
            continue
        if value & 16:  # the sign of a number whose last character this is
            number -= 1 << bits
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number, bits = 0, 0
    return counts


def unpack_label_studio(packed: Any, where: str) -> np.ndarray:
    """The values that Label Studio's brush stores, uint8: red, green, blue and opacity of each pixel, row by row.

    A stream of bits: 32 for the number of values, 5 for the bits of a value less 1, four times 4 for the bits of a
    count less 1. Then groups: one bit that says whether a value is repeated, two that choose among the four, a count
    less 1, and the value, or as many values.

    Raises:
        DataError: no bytes, or they end too early.
    """
    if not isinstance(packed, list) or not all(type(byte) is int and 0 <= byte <= 255 for byte in packed):
        raise DataError(f"{where}: rle is no list of bytes; export it anew as JSON")
    stream = _Bits(packed, where)
    length, depth = stream.read(32), stream.read(5) + 1
    widths = [stream.read(4) + 1 for _ in range(4)]
    if length > 1 << 28 or depth != 8:
        raise DataError(f"{where}: a brush of {length} values of {depth} bits can't be; export it anew as JSON")
    parts: list[np.ndarray] = []
    found = 0
    while found < length:
        repeated = stream.read(1)
        count = stream.read(widths[stream.read(2)]) + 1
        if repeated:
            parts.append(np.full(count, stream.read(8), np.uint8))
        else:
            parts.append(np.array([stream.read(8) for _ in range(count)], np.uint8))
        found += count
    return np.concatenate([np.zeros(0, np.uint8), *parts])[:length]


class _Bits:
    """Reads whole numbers from bytes, bit by bit."""

    def __init__(self, packed: Sequence[int], where: str) -> None:
        self._text = "".join(f"{byte:08b}" for byte in packed)
        self._where, self._at = where, 0

    def read(self, bits: int) -> int:
        part = self._text[self._at : self._at + bits]
        if len(part) < bits:
            raise DataError(f"{self._where}: rle ends before its last pixel; export it anew as JSON")
        self._at += bits
        return int(part, 2)
