"""The Lovasz extension of the Jaccard index."""

import torch
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast, one_hot, valid_mask


def lovasz_softmax_loss(logits: Tensor, labels: Tensor, ignore_index: int = -1) -> Tensor:
    """Mean over the classes present in the batch of the Lovasz extension of 1 - IoU at the errors |t - p|.

    With a class's errors e_1 >= e_2 >= ... the extension is sum_i e_i (J_i - J_{i-1}), where J_i is 1 - IoU
    if exactly the first i pixels are wrong. Berman, Triki, Blaschko: The Lovasz-Softmax Loss, CVPR 2018.

    Args:
        logits: (N, C, H, W), any floating type; p is their softmax.
        labels: (N, H, W) int64 in [0, C) or ``ignore_index``; t is their one-hot mask.

    Returns:
        A scalar in [0, 1], 0 without valid pixels.

    >>> logits = 99.0 * torch.tensor([[[[1.0, -1.0, -1.0]], [[-1.0, 1.0, 1.0]]]])  # class 0, 1, 1
    >>> round(lovasz_softmax_loss(logits, torch.tensor([[[0, 0, 1]]])).item(), 4)  # IoU is 1/2 for both
    0.5
    """
    with no_autocast(logits):
        logits = full_precision(logits)
        num_classes = logits.shape[1]
        truth = one_hot(labels, num_classes, ignore_index, logits.dtype)
        # an ignored pixel has no error: it comes last, where it adds nothing and no other pixel is after it
        errors = (truth - logits.softmax(dim=1)).abs() * valid_mask(labels, ignore_index).unsqueeze(1)
        errors = errors.transpose(0, 1).reshape(num_classes, -1)
        truth = truth.transpose(0, 1).reshape(num_classes, -1)

        errors, order = errors.sort(dim=1, descending=True)
        truth = truth.gather(1, order)
        total = truth.sum(dim=1, keepdim=True)
        intersection = total - truth.cumsum(dim=1)
        union = total + (1 - truth).cumsum(dim=1)
        jaccard = 1 - intersection / union.clamp(min=1)
        steps = torch.cat((jaccard[:, :1], jaccard.diff(dim=1)), dim=1)
        losses = (errors * steps).sum(dim=1)
        present = (total.squeeze(1) > 0).to(losses.dtype)
        return (losses * present).sum() / present.sum().clamp(min=1)


class LovaszSoftmaxLoss(nn.Module):
    """:func:`lovasz_softmax_loss` as a module."""

    def __init__(self, ignore_index: int = -1) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        return lovasz_softmax_loss(logits, labels, self.ignore_index)
