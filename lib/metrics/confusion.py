"""The confusion matrix of a set of frames and its scores."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class ConfusionMatrix(nn.Module):
    """Counts, over a whole set, how often a pixel of one class was predicted as another.

    Updating never waits for the device, so evaluation stays asynchronous; only :meth:`scores` does. Under
    several processes sum ``matrix`` over them (``torch.distributed.all_reduce``) before asking for scores.

    Args:
        num_classes: C, at least 1.
        ignore_index: the label value that takes part in nothing.

    Attributes:
        matrix: (C, C) int64 pixel counts; row = truth, column = prediction.

    >>> confusion = ConfusionMatrix(2)
    >>> confusion.update(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, -1]))
    >>> confusion.matrix.tolist()
    [[1, 1], [0, 1]]
    >>> confusion.scores()["miou"]
    0.5
    """

    matrix: Tensor

    def __init__(self, num_classes: int, ignore_index: int = -1) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.register_buffer("matrix", counts, persistent=False)

    @torch.no_grad()
    def update(self, prediction: Tensor, label: Tensor) -> None:
        """Count the pixels of a batch.

        Args:
            prediction: any shape, integer, in [0, C).
            label: the same shape, integer, in [0, C) or ``ignore_index``; both on the device of ``matrix``.

        Raises:
            ValueError: the shapes differ.
        """
        if prediction.shape != label.shape:
            shapes = f"{tuple(prediction.shape)} and {tuple(label.shape)}"
            raise ValueError(f"prediction and label must have one shape, got {shapes}")
        label = label.flatten().long()
        # Cell 0 takes the ignored pixels: selecting the others would make the host wait for their number.
        cell = 1 + label * self.num_classes + prediction.flatten().long()
        cell = torch.where(label == self.ignore_index, 0, cell)
        counts = self.matrix.new_zeros(1 + self.num_classes**2).scatter_add_(0, cell, torch.ones_like(cell))
        self.matrix += counts[1:].view_as(self.matrix)

    def scores(self, class_names: Sequence[str] | None = None) -> dict[str, Any]:
        """The scores of everything counted so far, ready for JSON.

        A class that is absent (neither in the truth nor predicted) has IoU and Dice None and is left out of
        the mean; one that is in the truth and never predicted has 0. Precision is None where nothing was
        predicted, recall where there was nothing to find. Means are None when no pixel was counted.

        Args:
            class_names: C names; "0", "1", ... without.

        Returns:
            ``miou``; ``std_iou`` (population standard deviation of the IoU over the classes present);
            ``pixel_accuracy``; ``classes``: a list of ``name``, ``iou``, ``dice``, ``precision``, ``recall``;
            ``confusion_matrix``: C lists of C counts, row = truth. All scores are in [0, 1].

        Raises:
            ValueError: not C names.
        """
        names = [str(index) for index in range(self.num_classes)] if class_names is None else list(class_names)
        if len(names) != self.num_classes:
            raise ValueError(f"expected {self.num_classes} class names, got {len(names)}: {names}")
        counts = self.matrix.tolist()
        hits = [counts[index][index] for index in range(self.num_classes)]
        truths = [sum(row) for row in counts]
        predictions = [sum(column) for column in zip(*counts, strict=True)]
        classes: list[dict[str, Any]] = [
            {
                "name": name,
                "iou": _ratio(hit, truth + predicted - hit),
                "dice": _ratio(2 * hit, truth + predicted),
                "precision": _ratio(hit, predicted),
                "recall": _ratio(hit, truth),
            }
            for name, hit, truth, predicted in zip(names, hits, truths, predictions, strict=True)
        ]
        ious = [entry["iou"] for entry in classes if entry["iou"] is not None]
        mean = sum(ious) / len(ious) if ious else None
        variance = None if mean is None else sum((iou - mean) ** 2 for iou in ious) / len(ious)
        return {
            "miou": mean,
            "std_iou": None if variance is None else variance**0.5,
            "pixel_accuracy": _ratio(sum(hits), sum(truths)),
            "classes": classes,
            "confusion_matrix": counts,
        }


def format_scores(scores: dict[str, Any]) -> str:
    """A table of the scores for a terminal or a log: one line per class, in percent, then the mean IoU.

    Args:
        scores: what :meth:`ConfusionMatrix.scores` returns, or a ``metrics.json`` read back, whose boundary scores are
            shown as well.

    >>> confusion = ConfusionMatrix(2)
    >>> confusion.update(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
    >>> print(format_scores(confusion.scores(["room", "face"])))
    class          iou         dice    precision       recall
    room         50.00        66.67       100.00        50.00
    face         50.00        66.67        50.00       100.00
    mean         50.00   standard deviation over classes 0.00, pixel accuracy 66.67
    """
    columns: dict[str, Callable[[float | None], str]] = dict.fromkeys(("iou", "dice", "precision", "recall"), _percent)
    if all("hd95" in entry for entry in scores["classes"]):
        columns |= {"boundary_f1": _percent, "hd95": _pixels}
    width = max(len("class"), *(len(entry["name"]) for entry in scores["classes"]))
    titles = (name.replace("_", " ") + (" px" if show is _pixels else "") for name, show in columns.items())
    lines = [f"{'class':<{width}}" + "".join(f"{title:>13}" for title in titles)]
    lines += [
        f"{entry['name']:<{width}}" + "".join(f"{show(entry[name]):>13}" for name, show in columns.items())
        for entry in scores["classes"]
    ]
    lines.append(
        f"{'mean':<{width}}{_percent(scores['miou']):>13}   standard deviation over classes "
        f"{_percent(scores['std_iou'])}, pixel accuracy {_percent(scores['pixel_accuracy'])}"
    )
    return "\n".join(lines)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(score: float | None) -> str:
    return "-" if score is None else f"{100 * score:.2f}"


def _pixels(distance: float | None) -> str:
    return "-" if distance is None else f"{distance:.2f}"
