"""Landmarks to write into files."""

import numpy as np

from tests.datasets.helpers import face_points

FROM_68 = [*range(48), 48, 51, 54, 57, 62, 66]
"""Which of the 68 landmarks the 54 are."""


def points_of(count: int, height: float = 96, width: float = 128) -> np.ndarray:
    """(count, 2) [y, x] of a schematic face, in the order of 68 or 54 landmarks."""
    points = face_points(height, width)
    return points if count == 68 else points[FROM_68]


def yolo_line(points: np.ndarray, size: tuple[int, int], confidences: object = 1.0) -> str:
    """A line of YOLO-pose: class, box and every landmark with its confidence; of (N, 2) [y, x] in pixels."""
    y, x = (np.asarray(points) / size).T
    sure = np.broadcast_to(confidences, y.shape)
    box = ((x.min() + x.max()) / 2, (y.min() + y.max()) / 2, np.ptp(x), np.ptp(y))
    return " ".join(f"{number:.9g}" for number in (0, *box, *np.stack([x, y, sure], 1).ravel()))
