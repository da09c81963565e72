"""The segments before the picture of a JPEG file, where cameras put what the picture doesn't show."""

import struct
from typing import NamedTuple


class Segment(NamedTuple):
    """One segment.

    Attributes:
        marker: its kind; 0xE0 to 0xEF are APP0 to APP15.
        content: without marker and length.
    """

    marker: int
    content: bytes


def segments(content: bytes) -> list[Segment]:
    """The segments of a JPEG up to its first scan, as far as the file goes."""
    found, place = [], 2
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", content, place + 2)
        found.append(Segment(content[place + 1], content[place + 4 : place + 2 + length]))
        place += 2 + length
    return found
