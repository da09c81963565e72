"""Losses made of losses."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast


class WeightedSum(nn.Module):
    """The sum of losses with their weights.

    Args:
        terms: (weight, loss) pairs; a loss takes logits and labels.
    """

    def __init__(self, *terms: tuple[float, nn.Module]) -> None:
        super().__init__()
        self.weights = [weight for weight, _ in terms]
        self.losses = nn.ModuleList(loss for _, loss in terms)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        terms = zip(self.weights, self.losses, strict=True)
        first, *others = (weight * loss(logits, labels) for weight, loss in terms)
        return sum(others, first)


class AuxiliaryLoss(nn.Module):
    """A loss for the logits and another for each auxiliary output, brought to the labels' size bilinearly.

    Args:
        loss: of the logits.
        auxiliary: of auxiliary logits.
        weight: of ``loss``.
        auxiliary_weight: of each auxiliary output's loss.
    """

    def __init__(
        self, loss: nn.Module, auxiliary: nn.Module, weight: float = 1.0, auxiliary_weight: float = 0.4
    ) -> None:
        super().__init__()
        self.loss = loss
        self.auxiliary = auxiliary
        self.weight = weight
        self.auxiliary_weight = auxiliary_weight

    def forward(self, logits: Tensor, labels: Tensor, aux: Sequence[Tensor]) -> Tensor:
        """(N, C, H, W) logits, (N, H, W) int64 labels and any (N, C, h, w) auxiliary logits -> scalar."""
        total = self.weight * self.loss(logits, labels)
        with no_autocast(logits):
            for outputs in aux:
                size = labels.shape[-2:]
                outputs = F.interpolate(full_precision(outputs), size, mode="bilinear", align_corners=True)
                total = total + self.auxiliary_weight * self.auxiliary(outputs, labels)
        return total
