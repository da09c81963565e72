"""Predicted faces compared with true masks of their parts: of one frame, of many, and by condition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.metrics.boxes import ENOUGH_FOUND, ENOUGH_INSIDE, FALSE_ALARM
from lib.metrics.frame_scores import mean
from lib.utils.labels import IGNORE


@dataclass(frozen=True, eq=False)
class MaskScores:
    """How the classes of one frame agree with its mask; ignored pixels take part in nothing.

    Attributes:
        frame: its name.
        counts: (C, C) int64, pixels; row = truth, column = prediction.
        inside: share of the pixels called face that are face in the mask, 0 to 1; 0 if nothing is called face, nan in
            a frame without a face.
        found: whether at least a fifth of the box about the mask's face is called face.
    """

    frame: str
    counts: np.ndarray
    inside: float
    found: bool

    @property
    def has_face(self) -> bool:
        """Whether the mask has any class but background."""
        return bool(self.counts[1:].any())

    @property
    def facial(self) -> float:
        """Share of the labelled pixels that are called face."""
        return float(self.counts[:, 1:].sum() / max(self.counts.sum(), 1))

    @property
    def miou(self) -> float | None:
        """Mean IoU over the classes that are in truth or prediction; None where all is ignored."""
        return mean(class_ious(self.counts))


def class_ious(counts: np.ndarray) -> list[float | None]:
    """IoU of each class of a confusion matrix (C, C); None of one that is neither in truth nor in prediction.

    >>> class_ious(np.array([[6, 2, 0], [0, 4, 0], [0, 0, 0]]))
    [0.75, 0.6666666666666666, None]
    """
    hits = counts.diagonal()
    unions = counts.sum(0) + counts.sum(1) - hits
    return [float(hit / union) if union else None for hit, union in zip(hits, unions, strict=True)]


def mask_scores(frame: str, prediction: np.ndarray, truth: np.ndarray, num_classes: int) -> MaskScores:
    """Compare the classes of a frame with its mask.

    Args:
        frame: its name.
        prediction: (H, W) uint8 classes, 0 is background and every other one a part of a face.
        truth: (H, W) uint8 classes, 255 = ignored.
        num_classes: C.
    """
    cells = truth.ravel().astype(np.int32) * num_classes + prediction.ravel()
    counts = np.bincount(cells, minlength=(IGNORE + 1) * num_classes)[: num_classes**2]
    counts = counts.reshape(num_classes, num_classes)
    inside, found = float("nan"), False
    face = (truth > 0) & (truth != IGNORE)
    if face.any():
        inside = float(counts[1:, 1:].sum() / max(counts[:, 1:].sum(), 1))
        rows, columns = np.flatnonzero(face.any(1)), np.flatnonzero(face.any(0))
        box = prediction[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        found = bool((box > 0).mean() >= ENOUGH_FOUND)
    return MaskScores(frame, counts, inside, found)


def summarise_masks(scores: Iterable[MaskScores], class_names: Sequence[str]) -> dict[str, Any]:
    """Numbers about many frames, ready for JSON; None where there is no frame to tell.

    Args:
        scores: of the frames.
        class_names: C names.

    Returns:
        ``frames``, ``frames_with_face``; ``miou`` and ``iou`` by class, of one confusion matrix of all frames; of
        frames with a face, ``good`` (share with at least 90 % of the pixels called face in the mask), ``median_inside``
        (of that share of pixels) and ``found`` (share of faces found); of frames without a face, ``false_alarms``
        (share with more than 0.2 % of the pixels called face).
    """
    scores = list(scores)
    shown = [score for score in scores if score.has_face]
    counts = np.sum([score.counts for score in scores], axis=0, initial=0) * np.ones((len(class_names),) * 2, np.int64)
    ious = class_ious(counts)
    return {
        "frames": len(scores),
        "frames_with_face": len(shown),
        "miou": mean(ious),
        "iou": dict(zip(class_names, ious, strict=True)),
        "good": mean(float(score.inside >= ENOUGH_INSIDE) for score in shown),
        "median_inside": float(np.median([score.inside for score in shown])) if shown else None,
        "found": mean(float(score.found) for score in shown),
        "false_alarms": mean(float(score.facial > FALSE_ALARM) for score in scores if not score.has_face),
    }


def masks_as_json(
    scores: Sequence[MaskScores], class_names: Sequence[str], conditions: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Everything as plain data; nan is None.

    Args:
        scores: of all frames.
        class_names: C names.
        conditions: by what is known of frames, such as ``glasses``, its value by the name of the frame.

    Returns:
        ``overall``, the summary of all frames; ``conditions``, by condition and value those of the frames that have it;
        ``frames``, of each its name, ``miou``, ``iou`` by class, ``inside`` and ``found``.
    """
    return {
        "overall": summarise_masks(scores, class_names),
        "conditions": {
            name: {
                value: summarise_masks([s for s in scores if values.get(s.frame) == value], class_names)
                for value in sorted({values[s.frame] for s in scores if s.frame in values})
            }
            for name, values in conditions.items()
        },
        "frames": [
            {
                "frame": score.frame,
                "miou": score.miou,
                "iou": dict(zip(class_names, class_ious(score.counts), strict=True)),
                "inside": None if np.isnan(score.inside) else score.inside,
                "found": score.found if score.has_face else None,
            }
            for score in scores
        ],
    }
