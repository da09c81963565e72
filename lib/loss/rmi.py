"""Region mutual information: neighbourhoods of the mask should tell much of those of the truth.

Zhao, Wang, Yang, Cai: Region Mutual Information Loss for Semantic Segmentation, NeurIPS 2019.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lib.loss.cross_entropy import binary_cross_entropy_sum
from lib.loss.masks import full_precision, no_autocast, one_hot, valid_mask
from lib.utils.errors import ConfigError

RIDGE = 1e-3  # added to the diagonal of both covariance matrices


def _pool(maps: Tensor, way: int, size: int, stride: int, interpolation: str) -> Tensor:
    """Reduce (N, C, H, W) maps: way 0 by maxima, 1 by averages, 2 by interpolation."""
    if stride <= 1:
        return maps
    if way == 0:
        return F.max_pool2d(maps, kernel_size=size, stride=stride, padding=size // 2)
    if way == 1:
        return F.avg_pool2d(maps, kernel_size=size, stride=stride, padding=size // 2)
    target = (maps.shape[-2] // stride, maps.shape[-1] // stride)
    return F.interpolate(maps, target, mode=interpolation, align_corners=None if interpolation == "nearest" else True)


def _neighbourhoods(maps: Tensor, radius: int) -> Tensor:
    """Every neighbourhood as a centred vector: (N, C, H, W) -> (N C, radius^2, positions)."""
    height, width = (side - radius + 1 for side in maps.shape[-2:])
    shifted = [maps[..., y : y + height, x : x + width] for y in range(radius) for x in range(radius)]
    vectors = torch.stack(shifted, dim=2).flatten(3).flatten(0, 1)
    return vectors.sub_(vectors.mean(dim=-1, keepdim=True))


class HalfLogDet(torch.autograd.Function):
    """Half of log det(Cov(truth | prediction) + a I) for every map of (N, C, H, W) masks and probabilities; (N, C).

    Covariances are those of neighbourhoods L of the truth and R of the prediction, as sums over positions. With
    P = R R^T + a I and M = L R^T P^-1 the conditional covariance is E E^T + a M M^T, E = L - M R: a sum of squares, so
    it stays positive definite where the usual difference L L^T - M R L^T cancels to noise. M minimises that expression
    (ridge regression), hence its own derivative contributes nothing, and the gradient by R is -M^T S^-1 E with S the
    matrix under the determinant. It is computed with the value, so that one map is kept for the backward pass rather
    than radius^2 of them.
    """

    @staticmethod
    def forward(ctx, probabilities: Tensor, masks: Tensor, radius: int) -> Tensor:
        truth, prediction = _neighbourhoods(masks, radius), _neighbourhoods(probabilities, radius)
        ridge = RIDGE * torch.eye(radius**2, dtype=truth.dtype, device=truth.device)
        factor, _ = torch.linalg.cholesky_ex(torch.bmm(prediction, prediction.mT) + ridge)
        regression = torch.cholesky_solve(torch.bmm(prediction, truth.mT), factor).mT
        residual = torch.baddbmm(truth, regression, prediction, alpha=-1)
        covariance = torch.bmm(residual, residual.mT) + RIDGE * torch.bmm(regression, regression.mT)
        factor, _ = torch.linalg.cholesky_ex(covariance + ridge)

        if ctx.needs_input_grad[0]:
            gradients = torch.bmm(torch.cholesky_solve(regression, factor).mT, residual)
            height, width = (side - radius + 1 for side in probabilities.shape[-2:])
            gradients = gradients.view(*probabilities.shape[:2], radius**2, height, width)
            gradient = torch.zeros_like(probabilities)
            for number in range(radius**2):
                y, x = divmod(number, radius)
                gradient[..., y : y + height, x : x + width] -= gradients[:, :, number]
            ctx.save_for_backward(gradient)
        return factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1).view(probabilities.shape[:2])

    @staticmethod
    @once_differentiable
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer[..., None, None], None, None


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
    bounds = HalfLogDet.apply(probabilities.to(dtype), masks.to(dtype), radius)
    return (bounds.mean(dim=0).sum() / radius**2).to(probabilities.dtype)


def rmi_loss(
    logits: Tensor,
    labels: Tensor,
    rmi_radius: int = 3,
    rmi_pool_way: int = 0,
    rmi_pool_size: int = 3,
    rmi_pool_stride: int = 3,
    loss_weight_lambda: float = 0.5,
    loss_weight: float = 1.0,
    lambda_way: int = 1,
    ignore_index: int = -1,
) -> Tensor:
    """Sigmoid cross-entropy plus the lower bound of the region mutual information.

    ``lambda_way`` 1: w bce + (1 - w) rmi; 0: bce + w rmi, with w = ``loss_weight_lambda``; times
    ``loss_weight``. bce is the sum over classes and valid pixels divided by (valid pixels + 1). For rmi,
    probabilities and truth are pooled, see :func:`rmi_lower_bound`. The constant that the published code
    adds to all probabilities drops out of their covariance and is left out.

    Args:
        logits: (N, C, H, W), any floating type.
        labels: (N, H, W) int64 in [0, C) or ``ignore_index``.
        rmi_radius: side of the neighbourhoods, in pooled pixels.
        rmi_pool_way: 0 maximum, 1 average, 2 interpolation (truth nearest, probabilities bilinear).
        rmi_pool_size: side of the pooling window, pixels.
        rmi_pool_stride: stride of the pooling; 1 is no pooling.

    Returns:
        A scalar in float32 (float64 for float64 logits).
    """
    with no_autocast(logits):
        logits = full_precision(logits)
        masks = one_hot(labels, logits.shape[1], ignore_index, logits.dtype)
        valid = valid_mask(labels, ignore_index).unsqueeze(1).to(logits.dtype)
        bce = binary_cross_entropy_sum(logits, masks, valid) / (valid.sum() + 1)

        probabilities = logits.sigmoid() * valid
        pooling = (rmi_pool_way, rmi_pool_size, rmi_pool_stride)
        rmi = rmi_lower_bound(_pool(probabilities, *pooling, "bilinear"), _pool(masks, *pooling, "nearest"), rmi_radius)

        weight = loss_weight_lambda
        loss = weight * bce + (1 - weight) * rmi if lambda_way else bce + weight * rmi
        return loss_weight * loss


class RMILoss(nn.Module):
    """:func:`rmi_loss` as a module.

    Raises:
        ConfigError: a parameter outside its range.
    """

    def __init__(
        self,
        num_classes: int,
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
        self.num_classes = num_classes
        self.options = {
            "rmi_radius": rmi_radius,
            "rmi_pool_way": rmi_pool_way,
            "rmi_pool_size": rmi_pool_size,
            "rmi_pool_stride": rmi_pool_stride,
            "loss_weight_lambda": loss_weight_lambda,
            "loss_weight": loss_weight,
            "lambda_way": lambda_way,
            "ignore_index": ignore_index,
        }

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N, C, H, W) logits and (N, H, W) int64 labels -> scalar."""
        return rmi_loss(logits, labels, **self.options)
