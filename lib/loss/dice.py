"""Overlap of masks: Dice as a training loss, and as the distance that SAM-CL uses."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast, one_hot, soft_masks, valid_mask
from lib.utils.errors import ConfigError


def soft_dice_distance(masks: Tensor, truth: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - mean over classes of (2 sum(a t) + s) / (sum a + sum t + s), sums over batch and pixels.

    Milletari, Navab, Ahmadi: V-Net, 3DV 2016, with the sums over the batch.

    Args:
        masks: a, (N, C, H, W) in [0, 1], zero where ignored.
        truth: t, (N, C, H, W) in [0, 1], zero where ignored.
        smooth: s; a class absent from both counts as perfect.

    Returns:
        A scalar in [0, 1).
    """
    overlap = (masks * truth).sum(dim=(0, 2, 3))
    return dice_distance_of_sums(overlap, masks.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)), smooth)


def dice_distance_of_sums(overlap: Tensor, total: Tensor, smooth: float = 1.0) -> Tensor:
    """:func:`soft_dice_distance` from sum(a t) and sum a + sum t, both (C,).

    >>> dice_distance_of_sums(torch.tensor([1.0]), torch.tensor([3.0]), smooth=0.0).item()  # one of two pixels found
    0.3333333134651184
    """
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()


def soft_dice_loss(logits: Tensor, labels: Tensor, ignore_index: int = -1) -> Tensor:
    """:func:`soft_dice_distance` of softmax(logits) (N, C, H, W) and labels (N, H, W) int64."""
    with no_autocast(logits):
        logits = full_precision(logits)
        truth = one_hot(labels, logits.shape[1], ignore_index, logits.dtype)
        return soft_dice_distance(soft_masks(logits, labels, ignore_index), truth)


class SoftDiceLoss(nn.Module):
    """:func:`soft_dice_loss` as a module."""

    def __init__(self, ignore_index: int = -1) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        return soft_dice_loss(logits, labels, self.ignore_index)


class DiceLoss(nn.Module):
    """Dice of each class, d = (2 sum(p t) + s) / max(sum p + sum t + s, eps), sums over batch and valid pixels.

    The mean over ``classes`` of 1 - d, or of -log(max(d, eps)); classes absent from the batch's truth count as 0. This
    is the published form, after segmentation_models.pytorch; :func:`soft_dice_loss` is the one that SAM-CL is compared
    with.

    Args:
        num_classes: C.
        classes: those that count; None = all.
        log_loss: -log d rather than 1 - d.
        from_logits: False if what comes as logits is already probabilities.
        smooth: s.
        eps: the smallest denominator, and the smallest d under the logarithm.
        ignore_index: label of pixels that don't count.

    Raises:
        ConfigError: ``classes`` names one outside [0, num_classes), or none.

    >>> loss, logits = DiceLoss(2), torch.tensor([[[[9.0, -9.0]], [[-9.0, 9.0]]]])
    >>> loss(logits, torch.tensor([[[0, 1]]])) < 1e-6 < loss(logits, torch.tensor([[[1, 1]]]))
    tensor(True)
    """

    def __init__(
        self,
        num_classes: int,
        classes: Sequence[int] | None = None,
        log_loss: bool = False,
        from_logits: bool = True,
        smooth: float = 0.0,
        eps: float = 1e-7,
        ignore_index: int = -1,
    ) -> None:
        super().__init__()
        if classes is not None and (not classes or not all(0 <= index < num_classes for index in classes)):
            raise ConfigError(
                f"loss.params.classes: expected classes in [0, {num_classes - 1}], at least one, got {list(classes)}"
            )
        self.classes = classes
        self.log_loss = log_loss
        self.from_logits = from_logits
        self.smooth = smooth
        self.eps = eps
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits (p is their softmax) and (N, H, W) int64 labels (t their one-hot mask) -> scalar."""
        with no_autocast(logits):
            logits = full_precision(logits)
            probabilities = logits.softmax(dim=1) if self.from_logits else logits
            probabilities = probabilities * valid_mask(labels, self.ignore_index).unsqueeze(1)
            truth = one_hot(labels, logits.shape[1], self.ignore_index, logits.dtype)
            overlap = (probabilities * truth).sum(dim=(0, 2, 3))
            pixels = truth.sum(dim=(0, 2, 3))
            total = probabilities.sum(dim=(0, 2, 3)) + pixels
            dice = (2 * overlap + self.smooth) / (total + self.smooth).clamp(min=self.eps)
            losses = -dice.clamp(min=self.eps).log() if self.log_loss else 1 - dice
            losses = losses * (pixels > 0)
            if self.classes is None:
                return losses.mean()
            return torch.stack([losses[index] for index in self.classes]).mean()
