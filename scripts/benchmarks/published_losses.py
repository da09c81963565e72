"""RMI and SAM-CL as published: float64 throughout, hard anchor, an auxiliary pass and two distances per mask and scale.

Zhao et al., NeurIPS 2019, for RMI.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RADIUS, POOL = 3, 3
RIDGE = 1e-3  # on the diagonals of both covariance matrices


def published_rmi(logits: Tensor, labels: Tensor) -> Tensor:
    """Half binary cross-entropy, half the lower bound of the region mutual information.

    Args:
        logits: (N, C, H, W) float32.
        labels: (N, H, W) int64, -1 = ignored.

    Returns:
        A scalar.
    """
    classes = logits.shape[1]
    valid = (labels >= 0).float()
    truth = F.one_hot(labels.clamp(min=0), classes).permute(0, 3, 1, 2).float() * valid[:, None]
    weight = valid[:, None].expand_as(logits)
    bce = F.binary_cross_entropy_with_logits(logits, truth, weight=weight, reduction="sum") / (valid.sum() + 1)
    probabilities = logits.sigmoid() * valid[:, None] + 1e-6
    return 0.5 * bce + 0.5 * _lower_bound(_pool(truth), _pool(probabilities))


def _pool(maps: Tensor) -> Tensor:
    return F.max_pool2d(maps, POOL, stride=POOL, padding=POOL // 2)


def _lower_bound(truth: Tensor, prediction: Tensor) -> Tensor:
    """log det of the truth's covariance given the prediction, by an inverse and a difference, in float64."""
    truth, prediction = _neighbourhoods(truth), _neighbourhoods(prediction)
    ridge = RIDGE * torch.eye(RADIUS**2, dtype=torch.float64, device=truth.device)
    inverse = torch.linalg.inv(prediction @ prediction.mT + ridge)
    both = truth @ prediction.mT
    conditional = truth @ truth.mT - both @ inverse @ both.mT
    diagonal = torch.linalg.cholesky(conditional + ridge).diagonal(dim1=-2, dim2=-1)
    return (diagonal + 1e-8).log().sum(-1).mean(0).sum().float() / RADIUS**2


def _neighbourhoods(maps: Tensor) -> Tensor:
    """(N, C, H, W) -> centred (N, C, 9, positions) float64."""
    height, width = (side - RADIUS + 1 for side in maps.shape[-2:])
    shifted = [maps[:, :, y : y + height, x : x + width] for y in range(RADIUS) for x in range(RADIUS)]
    vectors = torch.stack(shifted, dim=2).flatten(3).double()
    return vectors - vectors.mean(dim=-1, keepdim=True)


class PublishedAuxiliary(nn.Module):
    """Twice [1x1, BN, ReLU, 3x3 stride 2, BN, ReLU], then [1x1, BN, ReLU]; every convolution pads by reflection."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()

        def layers(kernel: int, stride: int) -> list[nn.Module]:
            convolution = nn.Conv2d(
                num_classes, num_classes, kernel, stride=stride, padding=1, padding_mode="reflect", bias=False
            )
            return [convolution, nn.BatchNorm2d(num_classes), nn.ReLU(inplace=True)]

        self.first = nn.Sequential(*layers(1, 1), *layers(3, 2))
        self.second = nn.Sequential(*layers(1, 1), *layers(3, 2))
        self.third = nn.Sequential(*layers(1, 1))

    def forward(self, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, C, H, W) -> the features of three scales."""
        first = self.first(masks)
        second = self.second(first)
        return first, second, self.third(second)


def published_samcl(logits: Tensor, labels: Tensor, auxiliary: nn.Module, margin: float = 1.0) -> Tensor:
    """Triplets of RMI distances of the masks and of cross-entropies of features at three more scales.

    The anchor is the arg max, which passes no gradient; the negative is zero; ignored pixels are background.

    Args:
        logits: (N, C, H, W) float32.
        labels: (N, H, W) int64, -1 = ignored.
        auxiliary: as :class:`PublishedAuxiliary`.

    Returns:
        A scalar.
    """
    classes = logits.shape[1]
    positive = F.one_hot(labels.clamp(min=0), classes).permute(0, 3, 1, 2).float().contiguous()
    anchor = F.one_hot(logits.argmax(1), classes).permute(0, 3, 1, 2).float().contiguous()
    negative = torch.zeros_like(positive)
    loss = _triplet(published_rmi(anchor, positive.argmax(1)), published_rmi(anchor, negative.argmax(1)), margin)
    for a, p, n in zip(auxiliary(anchor), auxiliary(positive), auxiliary(negative), strict=True):
        loss = loss + _triplet(F.cross_entropy(a, p), F.cross_entropy(a, n), margin)
    return loss


def _triplet(positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    return F.relu(margin + positive - negative)
