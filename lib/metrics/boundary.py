"""How well the outlines of regions agree: boundary F1 and the 95 % Hausdorff distance, per class of one frame."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lib.utils.labels import IGNORE

TOLERANCE_OF_DIAGONAL = 0.0075
"""Usual tolerance of the boundary F1, as a share of the frame's diagonal: 3.1 pixels at 320x256."""


@dataclass(frozen=True)
class BoundaryScores:
    """Scores of one frame, one entry per class.

    Attributes:
        f1: boundary F1 in [0, 1]; 0 where only truth or only prediction has an outline, None where neither has.
        hd95: 95 % Hausdorff distance in pixels; None where truth or prediction has no outline, as no distance is
            defined then.
    """

    f1: list[float | None]
    hd95: list[float | None]


def usual_tolerance(shape: tuple[int, int]) -> float:
    """0.75 % of the diagonal of a frame (H, W), in pixels, as in Csurka et al. (BMVC 2013).

    >>> round(usual_tolerance((256, 320)), 2)
    3.07
    """
    return TOLERANCE_OF_DIAGONAL * math.hypot(*shape)


def boundary_scores(
    prediction: np.ndarray, label: np.ndarray, num_classes: int, tolerance: float | None = None
) -> BoundaryScores:
    """Compare the outlines of every class in one frame.

    The outline of a class is made of its pixels that touch (by a side) a pixel of another class. The frame's border
    and ignored pixels are no other class: where a region meets them it isn't known to end.

    - Boundary F1 (Csurka et al., *What is a good evaluation measure for semantic segmentation?*, BMVC 2013): precision
      is the share of the predicted outline within ``tolerance`` of the true one, recall the share of the true outline
      within ``tolerance`` of the predicted one.
    - 95 % Hausdorff distance: the 95th percentiles of the distances from each outline's pixels to the other outline,
      the larger of both directions.

    Args:
        prediction: (H, W) uint8 classes in [0, C).
        label: (H, W) uint8 classes in [0, C), 255 = ignored.
        num_classes: C.
        tolerance: in pixels, >= 0; None for :func:`usual_tolerance`.

    Raises:
        ValueError: the shapes differ.

    >>> label, prediction = np.zeros((2, 20, 20), np.uint8)
    >>> label[5:15, 5:15] = 1
    >>> prediction[5:15, 8:18] = 1
    >>> scores = boundary_scores(prediction, label, 2, tolerance=3)
    >>> scores.f1[1], scores.hd95[1]
    (1.0, 3.0)
    """
    if prediction.shape != label.shape:
        raise ValueError(f"prediction and label must have one shape, got {prediction.shape} and {label.shape}")
    if tolerance is None:
        tolerance = usual_tolerance(label.shape)
    known = label != IGNORE
    predicted, true = _outlines(np.where(known, prediction, IGNORE)), _outlines(label)
    scores = BoundaryScores([], [])
    for index in range(num_classes):
        f1, hd95 = _compare(predicted.of(index), true.of(index), tolerance)
        scores.f1.append(f1)
        scores.hd95.append(hd95)
    return scores


@dataclass(frozen=True)
class _Outlines:
    """Outline pixels of all classes: ``points`` (N, 2) of [y, x], and the class of each."""

    points: np.ndarray
    classes: np.ndarray

    def of(self, index: int) -> np.ndarray:
        """(M, 2) outline pixels of a class."""
        return self.points[self.classes == index]


def _outlines(classes: np.ndarray) -> _Outlines:
    edge = np.zeros(classes.shape, dtype=bool)
    known = classes != IGNORE
    down = (classes[1:] != classes[:-1]) & known[1:] & known[:-1]
    right = (classes[:, 1:] != classes[:, :-1]) & known[:, 1:] & known[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    y, x = np.nonzero(edge)
    return _Outlines(np.stack([y, x], axis=1), classes[y, x])


def _compare(predicted: np.ndarray, true: np.ndarray, tolerance: float) -> tuple[float | None, float | None]:
    """Boundary F1 and 95 % Hausdorff distance of two sets of pixels (N, 2) and (M, 2)."""
    if not len(predicted) or not len(true):
        return (0.0 if len(predicted) or len(true) else None), None
    # Both nearest pixels lie in the box around all of them, so a distance transform of that box is exact, and fast.
    origin = np.minimum(predicted.min(0), true.min(0))
    shape = np.maximum(predicted.max(0), true.max(0)) - origin + 1
    predicted, true = predicted - origin, true - origin
    to_true, to_predicted = _distances(predicted, true, shape), _distances(true, predicted, shape)
    precision, recall = float(np.mean(to_true <= tolerance)), float(np.mean(to_predicted <= tolerance))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f1, float(max(np.percentile(to_true, 95), np.percentile(to_predicted, 95)))


def _distances(points: np.ndarray, others: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """(N,) float64 Euclidean distances from ``points`` (N, 2) to the nearest of ``others``, all within ``shape``."""
    far = np.ones(shape, dtype=np.uint8)
    far[others[:, 0], others[:, 1]] = 0
    near = cv2.distanceTransform(far, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[points[:, 0], points[:, 1]]
    # OpenCV's last bit depends on where in memory the pixels lie; squares of distances between pixels are integers.
    return np.sqrt(np.rint(near.astype(np.float64) ** 2))
