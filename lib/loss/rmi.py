"""Region mutual information: neighbourhoods of the mask should tell much of those of the truth.

Zhao, Wang, Yang, Cai: Region Mutual Information Loss for Semantic Segmentation, NeurIPS 2019.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast, one_hot, valid_mask, without_ignored
from lib.ops.binary_cross_entropy import binary_cross_entropy_sum, binary_cross_entropy_sum_and_maxima
from lib.ops.half_log_determinant import half_log_determinant
from lib.ops.mask_pooling import max_pool_masks
from lib.utils.errors import ConfigError


def pooled_masks(masks: Tensor, way: int, size: int, stride: int) -> Tensor:
    """Reduce masks (N, C, H, W): way 0 by maxima, 1 by averages, 2 to the nearest."""
    if stride <= 1:
        return masks
    if way == 0:
        return max_pool_masks(masks, size, stride)
    if way == 1:
        return F.avg_pool2d(masks, kernel_size=size, stride=stride, padding=size // 2)
    return F.interpolate(masks, (masks.shape[-2] // stride, masks.shape[-1] // stride), mode="nearest")


def _pooled_probabilities(probabilities: Tensor, way: int, size: int, stride: int) -> Tensor:
    """Reduce probabilities (N, C, H, W): way 1 by averages, 2 bilinearly."""
    if stride <= 1:
        return probabilities
    if way == 1:
        return F.avg_pool2d(probabilities, kernel_size=size, stride=stride, padding=size // 2)
    target = (probabilities.shape[-2] // stride, probabilities.shape[-1] // stride)
    return F.interpolate(probabilities, target, mode="bilinear", align_corners=True)


def cross_entropy_and_probabilities(
    logits: Tensor, masks: Tensor, way: int, size: int, stride: int
) -> tuple[Tensor, Tensor]:
    """The sum of the binary cross-entropy and the pooled sigmoid of logits.

    Args:
        logits, masks: (N, C, H, W).
        way: 0 by maxima, 1 by averages, 2 by bilinear interpolation.
        size, stride: of the windows, pixels.

    Returns:
        A scalar and (N, C, h, w).
    """
    if way == 0 and stride > 1:
        total, maxima = binary_cross_entropy_sum_and_maxima(logits, masks, size, stride)
        return total, maxima.sigmoid()  # the largest logit has the largest probability
    total = binary_cross_entropy_sum(logits, masks)
    return total, _pooled_probabilities(logits.sigmoid(), way, size, stride)


def rmi_lower_bound(probabilities: Tensor, masks: Tensor, radius: int = 3) -> Tensor:
    """Half the log-determinant of the truth's covariance given the prediction (equation 14 of the paper).

    The mean over the batch, divided by radius^2, summed over the classes; in float64 where the device has
    it, since covariances of confident masks are nearly singular.

    Args:
        probabilities: (N, C, H, W) in [0, 1], zero where ignored.
        masks: (N, C, H, W), the truth, zero where ignored.
        radius: side of the square neighbourhoods, pixels.

    Returns:
        A scalar of the dtype of ``probabilities``.

    Raises:
        ValueError: the maps are smaller than a neighbourhood.
    """
    if min(probabilities.shape[-2:]) < radius:
        raise ValueError(
            f"RMI: expected pooled maps of at least {radius}x{radius} pixels, got {tuple(probabilities.shape[-2:])}; "
            "take larger crops or lower rmi_pool_stride or rmi_radius"
        )
    dtype = probabilities.dtype if probabilities.device.type == "mps" else torch.float64
    bounds = half_log_determinant(probabilities, masks, radius, dtype)
    return (bounds.mean(dim=0).sum() / radius**2).to(probabilities.dtype)


class RMILoss(nn.Module):
    """Sigmoid cross-entropy plus the lower bound of the region mutual information.

    ``lambda_way`` 1: w bce + (1 - w) rmi; 0: bce + w rmi, with w = ``loss_weight_lambda``; times ``loss_weight``. bce
    is the sum over classes and valid pixels divided by (valid pixels + 1). For rmi, probabilities and truth are pooled,
    see :func:`rmi_lower_bound`. The constant that the published code adds to all probabilities drops out of their
    covariance and is left out.

    Args:
        rmi_radius: side of the neighbourhoods, in pooled pixels.
        rmi_pool_way: 0 maximum, 1 average, 2 interpolation (truth nearest, probabilities bilinear).
        rmi_pool_size: side of the pooling window, pixels.
        rmi_pool_stride: stride of the pooling; 1 is no pooling.
        ignore_index: label of pixels that don't count.

    Raises:
        ConfigError: a parameter outside its range.

    >>> labels = torch.arange(12).expand(1, 12, 12) // 6
    >>> right = 9.0 * torch.stack((labels == 0, labels == 1), dim=1) - 4.5
    >>> RMILoss()(right, labels) < RMILoss()(-right, labels)
    tensor(True)
    """

    def __init__(
        self,
        *,
        rmi_radius: int = 3,
        rmi_pool_way: int = 0,
        rmi_pool_size: int = 3,
        rmi_pool_stride: int = 3,
        loss_weight_lambda: float = 0.5,
        loss_weight: float = 1.0,
        lambda_way: int = 1,
        ignore_index: int = -1,
    ) -> None:
        super().__init__()
        if rmi_pool_way not in (0, 1, 2):
            raise ConfigError(f"loss.params.rmi_pool_way: expected 0, 1 or 2, got {rmi_pool_way}")
        if min(rmi_radius, rmi_pool_size, rmi_pool_stride) < 1:
            raise ConfigError(
                "loss.params: rmi_radius, rmi_pool_size and rmi_pool_stride must be at least 1, "
                f"got {rmi_radius}, {rmi_pool_size}, {rmi_pool_stride}"
            )
        self.radius = rmi_radius
        self.pooling = (rmi_pool_way, rmi_pool_size, rmi_pool_stride)
        self.balance = loss_weight_lambda
        self.loss_weight = loss_weight
        self.lambda_way = lambda_way
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            logits: (N, C, H, W), any floating type.
            labels: (N, H, W) int64 in [0, C) or ``ignore_index``.

        Returns:
            A scalar in float32 (float64 for float64 logits).
        """
        with no_autocast(logits):
            valid = valid_mask(labels, self.ignore_index)
            logits = without_ignored(full_precision(logits), valid)
            masks = one_hot(labels, logits.shape[1], self.ignore_index, logits.dtype)
            bce, probabilities = cross_entropy_and_probabilities(logits, masks, *self.pooling)
            bce = bce / (valid.sum() + 1)
            rmi = rmi_lower_bound(probabilities, pooled_masks(masks, *self.pooling), self.radius)
            weight = self.balance
            loss = weight * bce + (1 - weight) * rmi if self.lambda_way else bce + weight * rmi
            return self.loss_weight * loss
