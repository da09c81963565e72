"""SegFix (Yuan, Xie, Chen, Wang, ECCV 2020): what it learns from a label, and how its offsets mend masks.

A mask is most often wrong at its boundaries and right a few pixels inside. So a network finds the boundaries and, for
each of their pixels, the direction to the interior of its object; the pixel then takes the class that lies there.
Offsets are (rows, columns) = (dh, dw) in pixels, rows from the top down.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lib.datasets.matlab import read_integers
from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from lib.utils.labels import IGNORE

DIRECTIONS = np.array([(0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)], np.int8)
"""(8, 2): the step (dh, dw) of each direction class; class i is the angle atan2(dh, dw) = -180 + 45 i degrees."""

MIN_PIXELS = 100
"""Pixels below which a class is all boundary and has no direction, as published for pictures of 2048x1024."""
_FARTHEST = 250
"""Distances in pixels are cut off there, as published."""


def _slopes() -> tuple[np.ndarray, np.ndarray]:
    """Two (5, 5) float32 kernels that measure how a map rises downwards and to the right: y / r^2 and x / r^2."""
    y, x = np.mgrid[-2:3, -2:3].astype(np.float32)
    square = np.maximum(y**2 + x**2, 1)
    return y / square, x / square


_DOWN, _RIGHT = _slopes()


def boundary_distance(
    label: np.ndarray, valid: np.ndarray | None = None, min_pixels: int = MIN_PIXELS
) -> tuple[np.ndarray, np.ndarray]:
    """How far the next pixel of another class is, and where to go to get farther from it.

    Args:
        label: (H, W) uint8, 255 = unlabelled, which counts as another class.
        valid: (H, W) bool, False where a pixel lies outside the frame, which is no other class; None = all are inside.
        min_pixels: classes with fewer pixels in the frame are all boundary.

    Returns:
        Distance (H, W) uint8, in whole pixels (truncated), 0 to 250; and angle (H, W) float32, atan2(downwards, to the
        right) in even degrees from -180 to 180. Both are 0 where nothing is known: unlabelled pixels, and classes of
        fewer than ``min_pixels``.

    >>> label = np.repeat([[0, 1]], 10, axis=1).repeat(20, axis=0).astype(np.uint8)
    >>> distance, angle = boundary_distance(label)
    >>> distance[10, 7:13].tolist(), [round(a) for a in angle[10, 9:11].tolist()]
    ([3, 2, 1, 1, 2, 3], [180, 0])
    """
    outside = None if valid is None or valid.all() else ~valid
    distance, down, right = (np.zeros(label.shape, np.float32) for _ in range(3))
    for value, count in zip(*np.unique(label, return_counts=True), strict=True):
        if value == IGNORE or count < min_pixels:
            continue
        inside = label == value
        near = inside if outside is None else inside | outside
        # Exact: the coarser kinds of OpenCV are off by some percent.
        away = cv2.distanceTransform(near.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        away = np.minimum(away, _FARTHEST) * inside
        distance += away
        for total, kernel in ((down, _DOWN), (right, _RIGHT)):
            total[inside] = cv2.filter2D(away, -1, kernel, borderType=cv2.BORDER_CONSTANT)[inside]
    angle = np.degrees(np.arctan2(down, right))
    # In steps of 2 degrees, cut off downwards, as published: which of two directions an angle between them belongs to
    # follows from that.
    return distance.astype(np.uint8), np.trunc((angle + 180) / 2).astype(np.float32) * 2 - 180


def boundary_and_direction(
    label: np.ndarray, valid: np.ndarray | None = None, max_distance: float = 5.0, min_pixels: int = MIN_PIXELS
) -> tuple[np.ndarray, np.ndarray]:
    """The two maps that SegFix learns.

    Args:
        label, valid, min_pixels: as of :func:`boundary_distance`.
        max_distance: pixels at most so far, in whole pixels, from another class are the boundary.

    Returns:
        Boundary (H, W) uint8, 1 or 0, and direction (H, W) uint8, the nearest of :data:`DIRECTIONS`; both 255 where
        the label is.
    """
    distance, angle = boundary_distance(label, valid, min_pixels)
    boundary = (distance <= max_distance).astype(np.uint8)
    # An angle half-way between two directions belongs to the lower one, and 180 degrees are -180.
    direction = (np.ceil((angle + 180 - 22.5) / 45) % 8).astype(np.uint8)
    unlabelled = label == IGNORE
    boundary[unlabelled] = direction[unlabelled] = IGNORE
    return boundary, direction


@dataclass(frozen=True)
class SegFixTargets:
    """Turns a label into what SegFix learns or is scored by; a loader calls it after all transforms, so that directions
    are those in the picture as the network sees it.

    Args:
        max_distance, min_pixels: of :func:`boundary_and_direction`.
        directions: give 2 x direction + boundary (0 to 15), not the boundary alone.
    """

    max_distance: float = 5.0
    min_pixels: int = MIN_PIXELS
    directions: bool = True

    def __call__(self, label: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
        """(H, W) uint8, 255 where the label is; arguments as of :func:`boundary_distance`."""
        boundary, direction = boundary_and_direction(label, valid, self.max_distance, self.min_pixels)
        return np.where(label == IGNORE, boundary, boundary + 2 * direction) if self.directions else boundary


def offsets_of(boundary: np.ndarray, directions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """The steps to the interior that a network predicts.

    Args:
        boundary: (H, W) probability.
        directions: (8, H, W), the greatest wins.
        threshold: a pixel more probable than this is a boundary.

    Returns:
        (H, W, 2) int8, (dh, dw) of -1, 0 or 1; 0 away from boundaries.
    """
    return DIRECTIONS[directions.argmax(0)] * (boundary > threshold)[..., None]


def refine(label: np.ndarray, offset: np.ndarray, scale: int = 2) -> np.ndarray:
    """Give every pixel the value that lies ``scale`` of its offsets away, at the edge the outermost one.

    Args:
        label: (H, W), any values: classes, label ids.
        offset: (H, W, 2) integers, (dh, dw).
        scale: 2 as published for semantic masks, 1 for those of instances.

    Returns:
        (H, W) of the same type; it holds no value that ``label`` doesn't.

    Raises:
        DataError: the sizes differ, or offsets are not whole numbers.

    >>> refine(np.array([[7, 7, 8, 8]]), np.array([[[0, 0], [0, 1], [0, 0], [0, 1]]]), scale=1).tolist()
    [[7, 8, 8, 8]]
    """
    if offset.shape != (*label.shape, 2) or not np.issubdtype(offset.dtype, np.integer):
        raise DataError(
            f"expected offsets as integers of shape {(*label.shape, 2)}, as the label is {label.shape}, got "
            f"{offset.dtype} {offset.shape}"
        )
    steps = np.moveaxis(offset.astype(np.int64), -1, 0) * scale
    rows, columns = (
        np.clip(index + step, 0, length - 1)
        for index, step, length in zip(np.indices(label.shape), steps, label.shape, strict=True)
    )
    return label[rows, columns]


def write_offset(path: Path, offset: np.ndarray) -> None:
    """Write (H, W, 2) int8 offsets as a MATLAB file, key ``mat``, as the published code has them."""
    from scipy.io import savemat  # training sets out sooner without

    with atomic_write(path, durable=False) as file:
        savemat(file, {"mat": offset}, do_compression=True)


def read_offset(path: Path) -> np.ndarray:
    """Offsets (H, W, 2) from a file of :func:`write_offset` or of the published code.

    Raises:
        DataError: missing, damaged, or without them.
    """
    return read_integers(path, "mat", axes=3)
