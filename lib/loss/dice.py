"""Overlap of masks: Dice as a training loss, and as the distance that SAM-CL uses."""

from torch import Tensor


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
    total = masks.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return 1 - ((2 * overlap + smooth) / (total + smooth)).mean()
