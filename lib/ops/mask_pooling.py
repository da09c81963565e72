"""Max pooling of masks, which are constants: without gradient."""

import torch.nn.functional as F
from torch import Tensor


def max_pool_masks(masks: Tensor, size: int, stride: int) -> Tensor:
    """Maxima of masks in windows, along one side after the other: quicker than PyTorch's.

    Args:
        masks: (N, C, H, W) in [0, 1].
        size, stride: of the windows, in pixels, padded by ``size // 2`` on every side.

    Returns:
        (N, C, h, w), as of :func:`plain_max_pool_masks`.
    """
    return _maxima(_maxima(masks, 2, size, stride), 3, size, stride)


def plain_max_pool_masks(masks: Tensor, size: int, stride: int) -> Tensor:
    """:func:`max_pool_masks` as PyTorch writes it."""
    return F.max_pool2d(masks, size, stride, padding=size // 2)


def _maxima(masks: Tensor, dim: int, size: int, stride: int) -> Tensor:
    """Maxima along one dimension alone."""
    shape = list(masks.shape)
    length, shape[dim] = shape[dim], (shape[dim] + 2 * (size // 2) - size) // stride + 1
    pooled = masks.new_zeros(shape)
    source, target = masks.movedim(dim, 0), pooled.movedim(dim, 0)
    for start in range(-(size // 2), size - size // 2):
        first, last = max(0, -(start // stride)), min(shape[dim], (length - 1 - start) // stride + 1)
        if first < last:
            target[first:last].clamp_(min=source[start + first * stride : start + last * stride : stride])
    return pooled
