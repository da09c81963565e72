"""The three masks that SAM-CL compares, and what it computes of them without making all three.

Positive and negative are one-hot: at every pixel they hold one class, and the negative's follows from the positive's.
So their sums and features follow from tables with a column for each class.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.ops.batch_statistics import moments

OverlapAndTotal = tuple[Tensor, Tensor]
"""sum(a t) and sum a + sum t of two masks a and t, both (C,), sums over batch and pixels."""


class MaskTriplet(NamedTuple):
    """Anchor, positive and negative; made by :func:`mask_triplet`, unpacked by :func:`plain_masks`.

    Attributes:
        anchor: Y, (N, C, H, W), zero at ignored pixels.
        truth: (N, C + 1, H, W) in channels_last, a 1 at every pixel: in the channel of its class, or in the last where
            it is ignored. The first C channels are Y+.
        permutation: (C,) int64; where Y+ has class c, Y- has class ``permutation[c]``.
    """

    anchor: Tensor
    truth: Tensor
    permutation: Tensor

    def swap(self) -> Tensor:
        """The permutation as a matrix (C, C): row c has its 1 in column ``permutation[c]``."""
        num_classes = self.anchor.shape[1]
        return torch.eye(num_classes, device=self.anchor.device, dtype=self.anchor.dtype)[self.permutation]


def mask_triplet(anchor: Tensor, labels: Tensor, permutation: Tensor, ignore_index: int = -1) -> MaskTriplet:
    """The triplet of an anchor and of labels.

    Args:
        anchor: (N, C, H, W), zero at ignored pixels.
        labels: (N, H, W) int64 in [0, C) or ``ignore_index``.
        permutation: (C,) int64, the class that each class becomes in the negative.

    >>> anchor, labels = torch.full((1, 2, 1, 3), 0.5), torch.tensor([[[0, 1, -1]]])
    >>> triplet = mask_triplet(anchor, labels, torch.tensor([1, 0]))
    >>> _, positive, negative = plain_masks(triplet)
    >>> positive[0, :, 0].tolist(), negative[0, :, 0].tolist()
    ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    """
    num_classes = anchor.shape[1]
    columns = torch.eye(num_classes + 1, device=anchor.device, dtype=anchor.dtype)
    truth = F.embedding(labels.masked_fill(labels == ignore_index, num_classes), columns).movedim(-1, 1)
    return MaskTriplet(anchor, truth, permutation)


def plain_masks(masks: MaskTriplet) -> tuple[Tensor, Tensor, Tensor]:
    """Anchor, positive and negative, each (N, C, H, W)."""
    positive = masks.truth[:, :-1]
    return masks.anchor, positive, torch.einsum("nchw,cd->ndhw", positive, masks.swap())


def overlaps(masks: MaskTriplet) -> tuple[OverlapAndTotal, OverlapAndTotal]:
    """How the anchor overlaps the positive, and how the negative; both from one matrix product.

    Returns:
        For the positive t, then for the negative t: sum(a t) and sum a + sum t, (C,).
    """
    counts = torch.bmm(masks.anchor.flatten(2), masks.truth.flatten(2).mT).sum(dim=0)  # (predicted, true)
    predicted, true = counts.sum(dim=1), masks.truth.sum(dim=(0, 2, 3))[:-1]
    counts, swap = counts[:, :-1], masks.swap()
    return (
        (counts.diagonal(), predicted + true),
        ((counts @ swap).diagonal(), predicted + true @ swap),
    )


def plain_overlaps(masks: MaskTriplet) -> tuple[OverlapAndTotal, OverlapAndTotal]:
    """:func:`overlaps` from the three masks."""
    anchor, *others = plain_masks(masks)
    positive, negative = (
        ((anchor * truth).sum(dim=(0, 2, 3)), (anchor + truth).sum(dim=(0, 2, 3))) for truth in others
    )
    return positive, negative


def conv_norm_relu_conv(
    masks: MaskTriplet, pointwise: Tensor, norm_weight: Tensor, norm_bias: Tensor, eps: float, kernel: Tensor
) -> Tensor:
    """1x1 convolution, batch norm, ReLU and strided 3x3 convolution of all three masks, as if they were concatenated.

    Features of a pixel of one class are a column of a table, up to the second convolution, which therefore is a
    convolution of the truth itself, for positive and negative at once. The mean and variance that the batch norm wants
    of W x follow from those of x. So the anchor takes one matrix product for the 1x1 convolution and the norm, and
    positive and negative none. No gradient reaches those two.

    Args:
        masks: of C classes.
        pointwise: weights (C, C) of the 1x1 convolution, which has no bias and doesn't pad.
        norm_weight, norm_bias, eps: of a batch norm by the statistics of all three masks together; (C,) each.
        kernel: weights (C, C, 3, 3) of the convolution of stride 2 without bias, padded by one zero on every side.

    Returns:
        (3 N, C, ceil(H / 2), ceil(W / 2)): of the anchor, the positive and the negative.
    """
    batch, num_classes = masks.anchor.shape[:2]
    swap = masks.swap()  # (from, to)

    maps = masks.anchor.flatten(2)
    counts = masks.truth.sum(dim=(0, 2, 3))[:-1]
    counts = counts + counts @ swap
    first, second = moments(maps)
    positions = 3 * batch * maps.shape[2]
    mean = (first + counts) / positions
    covariance = (second + counts.diag()) / positions - mean.outer(mean)

    scale = norm_weight * torch.rsqrt(((pointwise @ covariance) * pointwise).sum(dim=1) + eps)
    weight = scale.unsqueeze(1) * pointwise
    bias = norm_bias - weight @ mean
    features = torch.baddbmm(bias.unsqueeze(1), weight.expand(batch, -1, -1), maps).view_as(masks.anchor)
    features = features.contiguous(memory_format=torch.channels_last).relu_()

    identity = torch.eye(num_classes, device=maps.device, dtype=maps.dtype)
    ignored = torch.zeros_like(weight[:, :1])
    tables = torch.stack([torch.cat((weight @ columns, ignored), dim=1) for columns in (identity, swap.mT)])
    kernels = torch.einsum("oiyx,tic->tocyx", kernel, F.relu(tables + bias.unsqueeze(1))).flatten(0, 1)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    truths = F.conv2d(masks.truth, kernels, stride=2, padding=1).contiguous()
    anchors = F.conv2d(features, kernel, stride=2, padding=1).contiguous()
    return torch.cat((anchors, *truths.chunk(2, dim=1)))


def plain_conv_norm_relu_conv(
    masks: MaskTriplet, pointwise: Tensor, norm_weight: Tensor, norm_bias: Tensor, eps: float, kernel: Tensor
) -> Tensor:
    """:func:`conv_norm_relu_conv` of the three masks concatenated."""
    maps = F.conv2d(torch.cat(plain_masks(masks)), pointwise[:, :, None, None])
    maps = F.batch_norm(maps, None, None, norm_weight, norm_bias, training=True, eps=eps)
    return F.conv2d(F.relu(maps), kernel, stride=2, padding=1)
