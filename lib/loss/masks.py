"""What every loss shares: labels as masks, and arithmetic in full precision.

Nothing here, or in the losses, reads a value back to the host or makes a shape depend on data, so a
training step never waits for the device and compiles as one graph.
"""

from contextlib import AbstractContextManager

import torch
from torch import Tensor

from lib.ops.masked_softmax import masked_softmax

IGNORED_LOGIT = -1e30  # its sigmoid and that one's derivative are 0, and so is its product with a mask of 0


def no_autocast(tensor: Tensor) -> AbstractContextManager:
    """A context without autocast on the tensor's device."""
    return torch.autocast(device_type=tensor.device.type, enabled=False)


def full_precision(tensor: Tensor) -> Tensor:
    """The tensor in float32; float64 stays float64."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def valid_mask(labels: Tensor, ignore_index: int = -1) -> Tensor:
    """Where labels count: bool, the shape of ``labels``."""
    return labels != ignore_index


def one_hot(labels: Tensor, num_classes: int, ignore_index: int = -1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Masks of the classes.

    Args:
        labels: (N, H, W) int64.
        num_classes: C.
        ignore_index: the label of pixels that belong to no mask; it may lie in [0, C).
        dtype: of the result.

    Returns:
        (N, C, H, W), 1 where the label is the class; all zero at ignored pixels.

    >>> one_hot(torch.tensor([[[0, 1, -1]]]), num_classes=2)[0, :, 0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    valid = valid_mask(labels, ignore_index).to(dtype)
    classes = torch.arange(num_classes, device=labels.device, dtype=dtype).view(1, num_classes, 1, 1)
    # arithmetic, as CPUs compare slowly: 1 where the distance to the class is 0; the class of ignored pixels is -1
    distance = (valid * (labels.to(dtype) + 1) - 1).unsqueeze(1) - classes
    return distance.abs_().neg_().add_(1).clamp_(min=0)


def without_ignored(logits: Tensor, valid: Tensor) -> Tensor:
    """Logits (N, C, H, W), ``IGNORED_LOGIT`` where not ``valid`` (N, H, W) bool; contiguous."""
    return logits.contiguous() + (valid.unsqueeze(1).to(logits.dtype) - 1) * -IGNORED_LOGIT


def soft_masks(logits: Tensor, labels: Tensor, ignore_index: int = -1) -> Tensor:
    """softmax(logits) (N, C, H, W), zero where ``labels`` (N, H, W) are ignored."""
    return masked_softmax(logits, valid_mask(labels, ignore_index).unsqueeze(1).to(logits.dtype))
