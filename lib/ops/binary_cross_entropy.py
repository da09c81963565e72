"""The sum of the binary cross-entropy, alone and together with max pooling of the logits."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def binary_cross_entropy_sum(logits: Tensor, masks: Tensor) -> Tensor:
    """Sum of -t log s(x) - (1 - t) log(1 - s(x)) over all elements, s the sigmoid.

    PyTorch's own makes twice as many passes over memory and takes a log1p that CPUs compute slowly. As -log s(|x|) is
    log(1 + exp(-|x|)), the summand is max(x, 0) - x t - log s(|x|), which no logit overflows, and the logarithm can be
    taken of products over classes: each s(|x|) is at least a half.

    Args:
        logits: x, (N, C, H, W) float.
        masks: t, (N, C, H, W) in [0, 1], of the same dtype; they get no gradient.

    Returns:
        A scalar. A pixel whose logits are -1e30 and whose masks are 0 adds nothing.

    >>> x, t = torch.zeros(1, 2, 1, 1), torch.tensor([[[[1.0]], [[0.0]]]])
    >>> round(binary_cross_entropy_sum(x, t).item(), 4)  # 2 log 2
    1.3863
    """
    return _BinaryCrossEntropySum.apply(logits, masks)


def plain_binary_cross_entropy_sum(logits: Tensor, masks: Tensor) -> Tensor:
    """:func:`binary_cross_entropy_sum` as PyTorch writes it."""
    return F.binary_cross_entropy_with_logits(logits, masks, reduction="sum")


def binary_cross_entropy_sum_and_maxima(logits: Tensor, masks: Tensor, size: int, stride: int) -> tuple[Tensor, Tensor]:
    """:func:`binary_cross_entropy_sum`, and the maxima of the logits in windows.

    One function, so that one gradient of the size of the logits is made rather than two and their sum. Maxima are taken
    in channels_last with all N C maps as channels: CPUs vectorise them only there, and with the copies there and back
    it is a third of the time.

    Args:
        logits, masks: as of :func:`binary_cross_entropy_sum`, contiguous.
        size, stride: of the windows, in pixels, padded by ``size // 2`` on every side.

    Returns:
        A scalar and (N, C, h, w).
    """
    return _BinaryCrossEntropySumAndMaxima.apply(logits, masks, size, stride)


def plain_binary_cross_entropy_sum_and_maxima(
    logits: Tensor, masks: Tensor, size: int, stride: int
) -> tuple[Tensor, Tensor]:
    """:func:`binary_cross_entropy_sum_and_maxima` as PyTorch writes it."""
    return plain_binary_cross_entropy_sum(logits, masks), F.max_pool2d(logits, size, stride, padding=size // 2)


def _sum_and_derivative(logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """The sum, and its derivative s(x) - t by the logits x."""
    total = logits.clamp(min=0).addcmul_(logits, masks, value=-1).sum()
    probabilities = logits.sigmoid()
    for part in probabilities.split(64, dim=1):  # 2^-64 is far from underflow
        total = total - part.sub(0.5).abs_().add_(0.5).prod(dim=1).log_().sum()
    return total, probabilities.sub_(masks)


class _BinaryCrossEntropySum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, masks: Tensor) -> Tensor:
        total, derivative = _sum_and_derivative(logits, masks)
        ctx.save_for_backward(derivative)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None]:
        (derivative,) = ctx.saved_tensors
        return derivative * outer, None


class _BinaryCrossEntropySumAndMaxima(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, masks: Tensor, size: int, stride: int) -> tuple[Tensor, Tensor]:
        total, derivative = _sum_and_derivative(logits, masks)
        number, classes, height, width = logits.shape
        channels = logits.reshape(number * classes, -1).T.contiguous().view(1, height, width, -1).permute(0, 3, 1, 2)
        maxima, indices = F.max_pool2d(channels, size, stride, padding=size // 2, return_indices=True)
        ctx.save_for_backward(derivative, indices.contiguous().view(number, classes, -1))
        return total, maxima.contiguous().view(number, classes, *maxima.shape[2:])

    @staticmethod
    @once_differentiable
    def backward(ctx, of_total: Tensor, of_maxima: Tensor) -> tuple[Tensor, None, None, None]:
        derivative, indices = ctx.saved_tensors
        gradient = derivative * of_total
        gradient.flatten(2).scatter_add_(2, indices, of_maxima.flatten(2))
        return gradient, None, None, None
