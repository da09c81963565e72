"""Hatches that tell classes apart without colour, for pixels and for SVG."""

import numpy as np

TILE = 8
"""Pixels after which a hatch repeats."""

_SVG_LINES = (
    "M-1 1l2-2M0 8l8-8M7 9l2-2",  # rising
    "M-1 7l2 2M0 0l8 8M7-1l2 2",  # falling
    "M0 4h8",  # level
    "M4 0v8",  # upright
    "M0 0l8 8M0 8l8-8",  # crossed
    "M2 4h4M4 2v4",  # plus signs
)
KINDS = len(_SVG_LINES)
"""Number of different hatches; class ``KINDS`` + k has the hatch of class k."""


def hatch_tile(index: int) -> np.ndarray:
    """Where the hatch of class ``index`` has ink: (TILE, TILE) bool, to be repeated over a picture."""
    y, x = np.mgrid[:TILE, :TILE]
    rising, falling = (x + y) % TILE == 0, (x - y) % TILE == 0
    level, upright = y == TILE // 2, x == TILE // 2
    plus = (level & (abs(x - TILE // 2) < 3)) | (upright & (abs(y - TILE // 2) < 3))
    return (rising, falling, level, upright, rising | falling, plus)[index % KINDS]


def hatch_lines(index: int) -> str:
    """The same hatch as the data of an SVG path in a square of TILE units."""
    return _SVG_LINES[index % KINDS]
