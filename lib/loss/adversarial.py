"""The losses of adversarial training; critic and discriminator are the caller's."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from lib.loss.masks import full_precision, no_autocast


def feature_distance(predicted: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean over scales of the mean absolute difference of a critic's features.

    The network minimises it, the critic maximises it. Xue, Xu, Zhang, Long, Huang: SegAN, Neuroinformatics 2018.

    Args:
        predicted: features of image x predicted mask, one tensor of any shape for each scale.
        truth: features of image x true mask, of the same shapes.

    Returns:
        A scalar.

    >>> import torch
    >>> feature_distance([torch.zeros(2), torch.zeros(3)], [torch.ones(2), torch.full((3,), 2.0)]).item()
    1.5
    """
    with no_autocast(predicted[0]):
        pairs = zip(predicted, truth, strict=True)
        first, *others = (F.l1_loss(full_precision(p), full_precision(t)) for p, t in pairs)
        return sum(others, first) / len(predicted)


def discriminator_loss(scores_of_truth: Tensor, scores_of_prediction: Tensor) -> Tensor:
    """Logistic loss of a discriminator: mean of -log s(truth) - log(1 - s(prediction)), s the sigmoid.

    Goodfellow et al.: Generative Adversarial Nets, NeurIPS 2014.

    Args:
        scores_of_truth: logits of any shape, high = taken for true.
        scores_of_prediction: the same for predicted masks.

    Returns:
        A scalar.
    """
    with no_autocast(scores_of_truth):
        return (
            F.softplus(-full_precision(scores_of_truth)).mean()
            + F.softplus(full_precision(scores_of_prediction)).mean()
        )


def generator_loss(scores_of_prediction: Tensor) -> Tensor:
    """The network's side, non-saturating: mean of -log s(prediction), for logits of any shape; a scalar.

    >>> import torch
    >>> round(generator_loss(torch.zeros(4)).item(), 4)  # log 2
    0.6931
    """
    with no_autocast(scores_of_prediction):
        return F.softplus(-full_precision(scores_of_prediction)).mean()
