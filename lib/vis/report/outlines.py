"""Masks as outlines for SVG, along the sides of their pixels."""

import numpy as np

MOST_CORNERS = 3000
"""Of a path; the ragged masks of barely trained networks may have more, and are drawn coarser then."""

_Point = tuple[int, int]


def region_path(mask: np.ndarray) -> str:
    """The data of an SVG path that fills exactly the pixels of a mask; pixel (y, x) covers x..x+1, y..y+1.

    A mask of more than :data:`MOST_CORNERS` corners is drawn from every second pixel of both directions, or every
    fourth and so on.

    Args:
        mask: (H, W) bool.

    >>> region_path(np.array([[False, True, True]]))
    'M1 0h2v1h-2z'
    """
    step = 1
    while _corners(mask[::step, ::step]) > MOST_CORNERS:
        step *= 2
    return _trace(mask[::step, ::step], step)


def _corners(mask: np.ndarray) -> int:
    """Corners of a mask's outline: at points where one or three of the four pixels around are in it, or two opposite
    ones, which makes two."""
    inside = np.pad(mask, 1).astype(np.int8)
    pixels = inside[:-1, :-1], inside[:-1, 1:], inside[1:, :-1], inside[1:, 1:]
    opposite = (pixels[0] == pixels[3]) & (pixels[1] == pixels[2]) & (pixels[0] != pixels[1])
    return int(np.count_nonzero(sum(pixels) % 2) + 2 * np.count_nonzero(opposite))


def _trace(mask: np.ndarray, step: int) -> str:
    """Closed loops around the mask, its inside on their right, in lengths of ``step`` per pixel."""
    follow = _sides(mask)
    loops = []
    while follow:
        start = point = next(iter(follow))
        corners, direction = [], None
        while True:
            ends = follow[point]
            # Where two regions touch in a corner, either way on is right: both loops are closed.
            end = ends.pop()
            if not ends:
                del follow[point]
            heading = (end[0] - point[0], end[1] - point[1])
            if heading != direction:
                corners.append(point)
                direction = heading
            point = end
            if point == start:
                break
        loops.append(_loop(corners, step))
    return "".join(loops)


def _sides(mask: np.ndarray) -> dict[_Point, list[_Point]]:
    """The pixel sides between mask and the rest, by where they start: (x, y) -> where they end."""
    inside = np.pad(mask, 1)
    core = inside[1:-1, 1:-1]
    sides: dict[_Point, list[_Point]] = {}
    for outside, (x0, y0), (x1, y1) in (
        (inside[:-2, 1:-1], (0, 0), (1, 0)),  # above: to the right
        (inside[1:-1, 2:], (1, 0), (1, 1)),  # right: down
        (inside[2:, 1:-1], (1, 1), (0, 1)),  # below: to the left
        (inside[1:-1, :-2], (0, 1), (0, 0)),  # left: up
    ):
        for y, x in np.argwhere(core & ~outside).tolist():
            sides.setdefault((x + x0, y + y0), []).append((x + x1, y + y1))
    return sides


def _loop(corners: list[_Point], step: int) -> str:
    x, y = corners[0]
    parts = [f"M{x * step} {y * step}"]
    for next_x, next_y in corners[1:]:
        parts.append(f"h{(next_x - x) * step}" if next_y == y else f"v{(next_y - y) * step}")
        x, y = next_x, next_y
    return "".join(parts) + "z"
