"""Softmax over classes, zero at masked pixels."""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def masked_softmax(logits: Tensor, valid: Tensor) -> Tensor:
    """Softmax over classes times a mask of pixels; one tensor is kept for the backward pass rather than two.

    Args:
        logits: (N, C, H, W) float.
        valid: (N, 1, H, W) of the same dtype, 1 or 0.

    Returns:
        (N, C, H, W): probabilities where ``valid`` is 1, zeros elsewhere.

    >>> logits = torch.zeros(1, 2, 1, 2)
    >>> masked_softmax(logits, torch.tensor([[[[1.0, 0.0]]]])).tolist()
    [[[[0.5, 0.0]], [[0.5, 0.0]]]]
    """
    return _MaskedSoftmax.apply(logits, valid)


def plain_masked_softmax(logits: Tensor, valid: Tensor) -> Tensor:
    """:func:`masked_softmax` as PyTorch writes it."""
    return logits.softmax(dim=1) * valid


class _MaskedSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits: Tensor, valid: Tensor) -> Tensor:
        masks = logits.softmax(dim=1).mul_(valid)
        ctx.save_for_backward(masks)
        return masks

    @staticmethod
    @once_differentiable
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None]:
        (masks,) = ctx.saved_tensors  # zero where ignored, and so is the gradient
        product = outer * masks
        return product.addcmul_(masks, product.sum(dim=1, keepdim=True), value=-1), None
