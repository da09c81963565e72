"""The scores of single frames, and their means over a set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.metrics.boundary import boundary_scores
from lib.utils.labels import IGNORE

CLASS_COLUMNS = ("iou", "boundary_f1", "hd95")
"""The scores that a frame has per class."""


@dataclass(frozen=True)
class FrameScores:
    """Scores of one frame; lists have one entry per class, None where it isn't defined.

    Attributes:
        name: of the frame.
        miou: mean IoU over the classes that are in its truth or prediction; None where all of it is ignored.
        pixel_accuracy: share of the labelled pixels that are right.
        iou: per class; None where a class is neither in the truth nor predicted.
        boundary_f1, hd95: per class, see :class:`~lib.metrics.boundary.BoundaryScores`.
    """

    name: str
    miou: float | None
    pixel_accuracy: float | None
    iou: list[float | None]
    boundary_f1: list[float | None]
    hd95: list[float | None]

    def row(self, class_names: Sequence[str]) -> dict[str, str | float | None]:
        """One line of ``frames.csv``: ``frame``, the means over classes, then ``iou_<class>`` and so on."""
        row: dict[str, str | float | None] = {
            "frame": self.name,
            "miou": self.miou,
            "pixel_accuracy": self.pixel_accuracy,
            "boundary_f1": mean(self.boundary_f1),
            "hd95": mean(self.hd95),
        }
        for column in CLASS_COLUMNS:
            row |= {f"{column}_{name}": value for name, value in zip(class_names, getattr(self, column), strict=True)}
        return row


def frame_scores(name: str, prediction: np.ndarray, label: np.ndarray, num_classes: int) -> FrameScores:
    """Score one frame.

    Args:
        name: of the frame.
        prediction: (H, W) uint8 classes in [0, C).
        label: (H, W) uint8 classes in [0, C), 255 = ignored.
        num_classes: C.

    >>> label = np.array([[0, 0, 1, 255]], np.uint8)
    >>> scores = frame_scores("a", np.array([[0, 1, 1, 1]], np.uint8), label, 2)
    >>> scores.iou, scores.miou
    ([0.5, 0.5], 0.5)
    """
    # One count per (truth, prediction), the ignored pixels in rows of their own.
    cells = label.ravel().astype(np.int32) * num_classes + prediction.ravel()
    counts = np.bincount(cells, minlength=(IGNORE + 1) * num_classes)[: num_classes**2]
    counts = counts.reshape(num_classes, num_classes)
    hits, total = counts.diagonal(), int(counts.sum())
    unions = counts.sum(0) + counts.sum(1) - hits
    iou = [float(hit / union) if union else None for hit, union in zip(hits, unions, strict=True)]
    boundary = boundary_scores(prediction, label, num_classes)
    accuracy = float(hits.sum() / total) if total else None
    return FrameScores(name, mean(iou), accuracy, iou, boundary.f1, boundary.hd95)


def set_boundary_scores(frames: Iterable[FrameScores], num_classes: int) -> dict[str, Any]:
    """Boundary scores of a set, ready for JSON: means over the frames in which they are defined.

    Returns:
        ``boundary_f1`` and ``hd95`` (pixels): means of the classes' means; ``classes``: a list of ``boundary_f1``,
        ``hd95``, and ``hd95_frames``, the number of frames in which that distance is defined.
    """
    frames = list(frames)
    classes = []
    for index in range(num_classes):
        distances = [frame.hd95[index] for frame in frames]
        classes.append(
            {
                "boundary_f1": mean(frame.boundary_f1[index] for frame in frames),
                "hd95": mean(distances),
                "hd95_frames": sum(distance is not None for distance in distances),
            }
        )
    return {name: mean(entry[name] for entry in classes) for name in ("boundary_f1", "hd95")} | {"classes": classes}


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that aren't None; None if all are.

    >>> mean([1.0, None, 2.0])
    1.5
    """
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
