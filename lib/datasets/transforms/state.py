"""A frame on its way through a sequence of transforms, with the geometric ones pending as one affine warp.

Coordinates are (x, y) in pixels; whole numbers are pixel centres, so a row of W pixels
covers [-0.5, W - 0.5).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lib.utils.labels import IGNORE

Shape = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Warp:
    """Geometric transforms that were asked for and not yet carried out.

    Args:
        canvases: the source frame, then the canvas after each transform, the present one last; of each the
            (3, 3) float64 matrix that takes present canvas coordinates to its own, and its shape (H, W).
    """

    canvases: tuple[tuple[np.ndarray, Shape], ...]

    @classmethod
    def none(cls, shape: Shape) -> "Warp":
        """Nothing pending on a frame of ``shape``."""
        return cls(((np.eye(3), shape),))

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) float64, present canvas to source frame."""
        return self.canvases[0][0]

    @property
    def shape(self) -> Shape:
        """(H, W) of the present canvas."""
        return self.canvases[-1][1]

    @property
    def keeps_scale(self) -> bool:
        """Whether it is made of flips, rotations and translations only."""
        linear = self.matrix[:2, :2]
        return bool(np.abs(linear @ linear.T - np.eye(2)).max() < 1e-6)

    def then(self, matrix: np.ndarray, shape: Shape) -> "Warp":
        """Follow with a transform to a canvas of ``shape``, whose coordinates ``matrix`` takes to these."""
        behind = tuple((to_canvas @ matrix, canvas_shape) for to_canvas, canvas_shape in self.canvases)
        return Warp((*behind, (np.eye(3), shape)))


@dataclass(frozen=True, eq=False)
class TransformState:
    """A frame, its label, and the warp that is pending on both.

    Args:
        image: (H, W[, C]) float32 in deg C.
        label: (H, W) uint8, 255 = ignored.
        warp: pending on ``image``, ``label`` and ``valid``.
        valid: (H, W) bool, False where an earlier warp brought pixels in from outside; None if all are real.
    """

    image: np.ndarray
    label: np.ndarray
    warp: Warp
    valid: np.ndarray | None = None

    @classmethod
    def of(cls, image: np.ndarray, label: np.ndarray) -> "TransformState":
        """A state with nothing pending."""
        return cls(image, label, Warp.none(label.shape))

    def at_own_scale(self) -> "TransformState":
        """The state with the pending warp carried out if it changes the scale.

        Noise, blur and occluders have a size in pixels, so they work on what this returns.
        """
        return self if self.warp.keeps_scale else self.warped()

    def warped(self) -> "TransformState":
        """The state with the pending warp carried out: image bilinear, label nearest.

        Pixels that some canvas on the way didn't hold are ignored in the label and not ``valid``; the image
        there gets the nearest value of the frame. Where the warp shrinks by s the image is first smoothed
        with a Gaussian of sigma (1/s - 1) / 2 source pixels, against aliasing (scikit-image's rule for
        ``resize``).
        """
        if len(self.warp.canvases) == 1:
            return self
        height, width = self.warp.shape
        first, end = _real_runs(self.warp.canvases)
        # The frame's own edges, the first two runs, need no window: the warp itself repeats them.
        top, bottom, left, right = _window(first[2:], end[2:], self.warp.shape)
        matrix = (self.warp.matrix @ translation(left, top))[:2]
        border = (top, height - bottom, left, width - right)
        size = (right - left, bottom - top)

        image = _warp(_smoothed(self.image, self.warp.matrix), matrix, size, border, cv2.INTER_LINEAR)
        label = _warp(self.label, matrix, size, border, cv2.INTER_NEAREST)
        valid = _inside(first, end, width)
        if self.valid is not None:
            valid &= _warp(self.valid.view(np.uint8), matrix, size, border, cv2.INTER_NEAREST).view(bool)
        label |= _ignore_where_not(valid)
        return TransformState(image, label, Warp.none((height, width)), valid)


class Operation:
    """One transform with all its random values drawn: pure, so applying it twice gives the same."""

    def apply(self, state: TransformState) -> TransformState:
        """The transformed state; the given one and its arrays stay as they are."""
        raise NotImplementedError

    def shape_after(self, shape: Shape) -> Shape:
        """(H, W) of the canvas that it makes of one of ``shape``."""
        return shape


def translation(x: float, y: float) -> np.ndarray:
    """(3, 3) float64 matrix that moves coordinates by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _real_runs(canvases: tuple[tuple[np.ndarray, Shape], ...]) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels of the last canvas lie in each of the others: canvases are convex, so one run in each row.

    Returns:
        first and end (exclusive) column of the runs, (2 K, H) float64 whole numbers for K other canvases: of
        each within its left and right edge, then within its top and bottom edge.
    """
    *others, (_, (height, width)) = canvases
    a, b, c = np.array([matrix[:2] for matrix, _ in others]).reshape(-1, 3).T[:, :, None]
    extent = np.array([(wide, high) for _, (high, wide) in others], float).reshape(-1, 1)
    # -0.5 <= a x + b y + c < extent - 0.5, solved for x
    low = -0.5 - c - b * np.arange(height)
    high = low + extent
    level = np.abs(a) < 1e-9  # an edge along the rows: all of a row is inside, or nothing
    slope = np.where(level, 1.0, a)
    first = np.ceil(np.where(slope > 0, low, high) / slope)
    end = np.ceil(np.where(slope > 0, high, low) / slope)
    inside = (low <= 0) & (high > 0)
    first = np.where(level, np.where(inside, 0, width), first)
    end = np.where(level, width, end)
    return np.clip(first, 0, width), np.clip(end, 0, width)


def _window(first: np.ndarray, end: np.ndarray, shape: Shape) -> tuple[int, int, int, int]:
    """Top, bottom, left, right (ends exclusive) of the box around what all runs share, else everything."""
    first, end = first.max(0, initial=0), end.min(0, initial=shape[1])
    rows = np.flatnonzero(first < end)
    if not rows.size:
        return 0, shape[0], 0, shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(first[rows].min()), int(end[rows].max())


def _inside(first: np.ndarray, end: np.ndarray, width: int) -> np.ndarray:
    """(H, width) bool, True within what all runs share."""
    columns = np.arange(width, dtype=np.int32)
    return (columns >= first.max(0).astype(np.int32)[:, None]) & (columns < end.min(0).astype(np.int32)[:, None])


def _ignore_where_not(valid: np.ndarray) -> np.ndarray:
    """(H, W) uint8 to OR into a label: IGNORE, which has every bit set, where not ``valid``, else 0."""
    return (valid.view(np.uint8) - np.uint8(1)) & np.uint8(IGNORE)


def _smoothed(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    sigma = (np.sqrt(abs(np.linalg.det(matrix[:2, :2]))) - 1) / 2
    return gaussian_blur(image, sigma) if sigma > 0.1 else image


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing of (H, W[, C]) float32; ``sigma`` in pixels, cut off at 4 of it; edges repeated."""
    size = 2 * int(4 * sigma + 0.5) + 1
    # OpenCV drops a channel axis of 1.
    return cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REPLICATE).reshape(image.shape)


def _warp(
    array: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: tuple[int, int, int, int], how: int
) -> np.ndarray:
    """TransformState ``array`` at ``matrix`` of each pixel of a window of ``size`` (W, H), then repeat its edges."""
    window = cv2.warpAffine(array, matrix, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    if any(border):
        window = cv2.copyMakeBorder(window, *border, cv2.BORDER_REPLICATE)
    return window.reshape(window.shape[:2] + array.shape[2:])
