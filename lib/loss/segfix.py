"""The losses of SegFix: where boundaries are, and which way the interior lies.

Its targets are one map (N, H, W) int64 of the numbers 2 x direction + boundary, -1 = unlabelled.
"""

import torch
from torch import Tensor, nn

from lib.loss.cross_entropy import cross_entropy_loss
from lib.loss.masks import full_precision, no_autocast, one_hot
from lib.utils.labels import boundary_of


def rarity_weights(labels: Tensor, num_classes: int) -> Tensor:
    """1 - the share of each class among the valid pixels of a batch.

    Args:
        labels: (N, H, W) int64, -1 = ignored.

    Returns:
        (C,) float32 in [0, 1].

    >>> rarity_weights(torch.tensor([[[0, 0, 0, 1, -1]]]), num_classes=2)
    tensor([0.2500, 0.7500])
    """
    counts = one_hot(labels, num_classes).sum(dim=(0, 2, 3))
    return 1 - counts / counts.sum().clamp(min=1)


class BoundaryLoss(nn.Module):
    """Cross-entropy of boundary or not, both weighted by :func:`rarity_weights`."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(N, 2, H, W) logits and the targets (or the boundary alone) -> scalar, 0 without labelled pixels."""
        labels = boundary_of(targets)
        return cross_entropy_loss(logits, labels, rarity_weights(labels, logits.shape[1]))


class DirectionLoss(nn.Module):
    """Cross-entropy of the directions, weighted by :func:`rarity_weights`, where the network sees a boundary.

    Args:
        threshold: probability above which it does.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, directions: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """(N, 8, H, W) directions, (N, 2, H, W) boundary logits, targets -> scalar, 0 where no boundary is seen."""
        with no_autocast(logits):
            seen = full_precision(logits.detach()).softmax(dim=1)[:, 1] > self.threshold
            kept = seen & (targets >= 0)
            labels = torch.where(kept, targets.div(2, rounding_mode="floor"), -1)
            return cross_entropy_loss(directions, labels, rarity_weights(labels, directions.shape[1]))
