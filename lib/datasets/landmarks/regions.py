"""Which landmarks enclose which part of a face, and the mask that they draw."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

STANDARD_GROUPS: dict[str, tuple[int, ...]] = {
    "chin": tuple(range(0, 17)),
    "leyebrow": tuple(range(17, 22)),
    "reyebrow": tuple(range(22, 27)),
    "centernose": tuple(range(27, 31)),
    "bottomnose": tuple(range(31, 36)),
    "leye": tuple(range(36, 42)),
    "reye": tuple(range(42, 48)),
    "outermouth": tuple(range(48, 60)),
    "innermouth": tuple(range(60, 68)),
}
"""Indices of the usual scheme of 68 points (Multi-PIE, iBUG); left and right are the picture's."""

GROUPS_54: dict[str, tuple[int, ...]] = {
    **{name: indices for name, indices in STANDARD_GROUPS.items() if not name.endswith("mouth")},
    "outermouth": tuple(range(48, 52)),
    "innermouth": (52, 53),
}
"""Indices of the scheme of 54 points (SF-TL54): the first 48 of the 68, then of the mouth the left corner, the top of
the upper lip, the right corner, the bottom of the lower lip, the inner top and the inner bottom."""

_GROUPS = {68: STANDARD_GROUPS, 54: GROUPS_54}
COUNTS = tuple(_GROUPS)
"""Numbers of landmarks whose order is known."""

HULLS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("chin",)),
    (2, ("outermouth", "innermouth")),
    (3, ("leye",)),
    (4, ("reye",)),
    (5, ("leyebrow",)),
    (6, ("reyebrow",)),
    (7, ("centernose", "bottomnose")),
)
"""(value in the label, groups whose points its hull encloses), in drawing order: later lies over earlier."""


def standard_groups(count: int) -> Mapping[str, tuple[int, ...]]:
    """Indices into ``count`` landmarks, 68 or 54, by the name of the group.

    >>> standard_groups(54)["innermouth"]
    (52, 53)
    """
    return _GROUPS[count]


def draw_labels(
    points: np.ndarray, shape: tuple[int, int], groups: Mapping[str, Sequence[int]] = STANDARD_GROUPS
) -> np.ndarray:
    """Draw the filled convex hulls of the face's regions, as the Thermal Face Database's masks were drawn.

    Points are truncated to integers, border pixels belong to a hull, and what lies outside the frame is cut.

    Args:
        points: (N, 2) [y, x] in pixels, finite.
        shape: (H, W) of the frame.
        groups: indices into the points by group name.

    Returns:
        (H, W) uint8, values 0-7 as in :data:`lib.datasets.labels.RAW_CLASSES`.
    """
    corners = np.asarray(points, np.float64)[:, ::-1].astype(np.int32)
    label = np.zeros(shape, np.uint8)
    for value, names in HULLS:
        indices = [index for name in names for index in groups[name]]
        cv2.fillConvexPoly(label, cv2.convexHull(corners[indices]), value)
    return label
