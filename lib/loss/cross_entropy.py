"""Cross-entropy, binary and softmax, with class weights and online hard examples."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast, one_hot, valid_mask, without_ignored
from lib.ops.binary_cross_entropy import binary_cross_entropy_sum
from lib.utils.errors import ConfigError

ClassWeights = Tensor | Literal["auto"] | None


def binary_cross_entropy_loss(logits: Tensor, labels: Tensor, ignore_index: int = -1) -> Tensor:
    """Each class against the rest: mean over classes and valid pixels of -t log s(x) - (1 - t) log(1 - s(x)).

    Args:
        logits: x, (N, C, H, W), any floating type; s is the sigmoid.
        labels: (N, H, W) int64 in [0, C) or ``ignore_index``; t is their one-hot mask.

    Returns:
        A scalar, 0 without valid pixels.
    """
    with no_autocast(logits):
        valid = valid_mask(labels, ignore_index)
        logits = without_ignored(full_precision(logits), valid)
        masks = one_hot(labels, logits.shape[1], ignore_index, logits.dtype)
        return binary_cross_entropy_sum(logits, masks) / (logits.shape[1] * valid.sum()).clamp(min=1)


def inverse_frequencies(labels: Tensor, num_classes: int, ignore_index: int = -1) -> Tensor:
    """Valid pixels of the batch / (C x pixels of the class), so that all present classes weigh the same.

    Args:
        labels: (N, H, W) int64.

    Returns:
        (C,) float32; 0 for classes that are absent.

    >>> inverse_frequencies(torch.tensor([[[0, 0, 0, 1, -1]]]), num_classes=2)
    tensor([0.6667, 2.0000])
    """
    counts = one_hot(labels, num_classes, ignore_index).sum(dim=(0, 2, 3))
    return torch.where(counts > 0, counts.sum() / (num_classes * counts.clamp(min=1)), 0.0)


def _pixel_losses(logits: Tensor, labels: Tensor, weight: ClassWeights, ignore_index: int) -> tuple[Tensor, Tensor]:
    """-log softmax(x)[label] and the weight of every pixel, both (N, H, W); both 0 at ignored pixels."""
    num_classes = logits.shape[1]
    losses = F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="none")
    valid = valid_mask(labels, ignore_index)
    if weight is None:
        return losses, valid.to(losses.dtype)
    if isinstance(weight, str):
        weight = inverse_frequencies(labels, num_classes, ignore_index)
    weight = weight.to(device=losses.device, dtype=losses.dtype)
    return losses, weight[labels.masked_fill(~valid, 0)] * valid


def _reduce(losses: Tensor, weights: Tensor, reduction: str) -> Tensor:
    total = (losses * weights).sum()
    return total if reduction == "sum" else total / weights.sum().clamp(min=torch.finfo(weights.dtype).eps)


def cross_entropy_loss(
    logits: Tensor,
    labels: Tensor,
    weight: ClassWeights = None,
    reduction: str = "mean",
    ignore_index: int = -1,
) -> Tensor:
    """Softmax cross-entropy: sum w l over valid pixels, divided by sum w for ``reduction`` mean.

    Args:
        logits: (N, C, H, W), any floating type.
        labels: (N, H, W) int64 in [0, C) or ``ignore_index``.
        weight: w of each class, (C,); "auto" = :func:`inverse_frequencies` of the batch; None = 1.
        reduction: ``mean`` or ``sum``.

    Returns:
        A scalar, 0 without valid pixels.

    >>> logits = torch.zeros(1, 4, 1, 2)
    >>> round(cross_entropy_loss(logits, torch.tensor([[[3, -1]]])).item(), 4)  # log 4
    1.3863
    """
    with no_autocast(logits):
        losses, weights = _pixel_losses(full_precision(logits), labels, weight, ignore_index)
        return _reduce(losses, weights, reduction)


def hard_example_loss(
    logits: Tensor,
    labels: Tensor,
    threshold: float = 0.9,
    min_kept: int = 100000,
    weight: ClassWeights = None,
    reduction: str = "mean",
    ignore_index: int = -1,
) -> Tensor:
    """Cross-entropy over the valid pixels whose true class is less probable than ``threshold``.

    If these are fewer than ``min_kept`` in the batch, over the ``min_kept`` least probable ones (all valid
    pixels where that is more than there are). Shrivastava, Gupta, Girshick: Training Region-based Object
    Detectors with Online Hard Example Mining, CVPR 2016.

    Args:
        logits, labels, weight, reduction: as of :func:`cross_entropy_loss`.

    Returns:
        A scalar, 0 if no pixel is kept.
    """
    with no_autocast(logits):
        losses, weights = _pixel_losses(full_precision(logits), labels, weight, ignore_index)
        # -log p orders pixels as p does, but without ties where p rounds to 0 or 1; ignored pixels come last
        ease = (-losses.detach()).masked_fill(~valid_mask(labels, ignore_index), torch.inf)
        kept = ease.exp() < threshold
        if min_kept > 0:
            limit = ease.flatten().sort().values[min(min_kept, ease.numel()) - 1]
            kept = kept | (ease <= limit)
        return _reduce(losses, weights * kept, reduction)


class BCELoss(nn.Module):
    """:func:`binary_cross_entropy_loss` as a module."""

    def __init__(self, ignore_index: int = -1) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        return binary_cross_entropy_loss(logits, labels, self.ignore_index)


class CrossEntropyLoss(nn.Module):
    """:func:`cross_entropy_loss` as a module.

    Args:
        num_classes: C.
        weight: a weight for each class, "auto" or None.
        reduction: ``mean`` or ``sum``.

    Raises:
        ConfigError: not one weight for each class.
    """

    def __init__(
        self,
        num_classes: int,
        weight: Sequence[float] | Literal["auto"] | None = None,
        reduction: str = "mean",
        ignore_index: int = -1,
    ) -> None:
        super().__init__()
        self.weight: ClassWeights
        if isinstance(weight, str) or weight is None:
            self.weight = weight
        else:
            if len(weight) != num_classes:
                raise ConfigError(
                    f"loss.params.ce_weight: expected {num_classes} weights (data.num_classes), got {len(weight)}"
                )
            self.register_buffer("weight", torch.tensor(weight, dtype=torch.float32), persistent=False)
        self.reduction = reduction
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        return cross_entropy_loss(logits, labels, self.weight, self.reduction, self.ignore_index)


class HardExampleLoss(CrossEntropyLoss):
    """:func:`hard_example_loss` as a module.

    Args:
        num_classes, weight, reduction, ignore_index: as of :class:`CrossEntropyLoss`.
        threshold: probability of the true class below which a pixel is hard, in [0, 1].
        min_kept: pixels of a batch that are kept at least.
    """

    def __init__(
        self,
        num_classes: int,
        threshold: float = 0.9,
        min_kept: int = 100000,
        weight: Sequence[float] | Literal["auto"] | None = None,
        reduction: str = "mean",
        ignore_index: int = -1,
    ) -> None:
        super().__init__(num_classes, weight, reduction, ignore_index)
        self.threshold = threshold
        self.min_kept = min_kept

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        options = (self.threshold, self.min_kept, self.weight, self.reduction, self.ignore_index)
        return hard_example_loss(logits, labels, *options)
