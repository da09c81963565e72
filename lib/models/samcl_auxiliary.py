"""The auxiliary network of SAM-CL: maps a mask to its features at coarser scales."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.parametrizations import spectral_norm as apply_spectral_norm

from lib.utils.errors import ConfigError


class PointwiseConv(nn.Module):
    """A 1x1 convolution without bias as a matrix product, which is faster for few channels.

    Args:
        in_channels, out_channels: as of ``nn.Conv2d``.
        reflect: pad the map by one reflected pixel on every side.
    """

    def __init__(self, in_channels: int, out_channels: int, reflect: bool) -> None:
        super().__init__()
        self.reflect = reflect
        self.weight = nn.Parameter(nn.Conv2d(in_channels, out_channels, 1, bias=False).weight.detach().clone())

    def forward(self, maps: Tensor) -> Tensor:
        """(N, in, H, W) -> (N, out, H, W), each side 2 longer with ``reflect``."""
        if self.reflect:
            maps = F.pad(maps, (1, 1, 1, 1), mode="reflect")
        weight = self.weight.flatten(1).expand(maps.shape[0], -1, -1)  # a plain matmul would copy the maps
        return torch.bmm(weight, maps.flatten(2)).unflatten(2, maps.shape[2:])


class DownsamplingConv(nn.Conv2d):
    """A 3x3 stride-2 convolution without bias, in channels_last: for few channels the fast layout on CPUs.

    Args:
        in_channels, out_channels: as of ``nn.Conv2d``.
        reflect: pad by one reflected pixel rather than by zeros.
    """

    def __init__(self, in_channels: int, out_channels: int, reflect: bool) -> None:
        mode = "reflect" if reflect else "zeros"
        super().__init__(in_channels, out_channels, 3, stride=2, padding=1, padding_mode=mode, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, in, H, W) -> contiguous (N, out, ceil(H / 2), ceil(W / 2))."""
        return self.convolve(maps.contiguous(memory_format=torch.channels_last), self.weight).contiguous()

    def convolve(self, maps: Tensor, weight: Tensor) -> Tensor:
        """The same in channels_last and with other weights (out', in', 3, 3), for (N, in', H, W)."""
        return self._conv_forward(maps, weight, None)


class BatchNormalisation(torch.autograd.Function):
    """Batch norm of (N, C, H, W) by the statistics of the batch, in less than half the framework's time on CPUs."""

    @staticmethod
    def forward(ctx, maps: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        mean = maps.mean(dim=(0, 2, 3))
        variance = (maps - mean.view(-1, 1, 1)).square_().mean(dim=(0, 2, 3))
        ctx.save_for_backward(maps, weight, mean, torch.rsqrt(variance + eps))
        ctx.eps = eps
        return F.batch_norm(maps, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(ctx, outer: Tensor) -> tuple[Tensor | None, ...]:
        maps, weight, mean, inverse_std = ctx.saved_tensors
        return *torch.ops.aten.native_batch_norm_backward(
            outer.contiguous(), maps, weight, None, None, mean, inverse_std, True, ctx.eps, [True, True, True]
        ), None


class Moments(torch.autograd.Function):
    """Sums of x (C,) and of x x^T (C, C) over batch and positions of maps (N, C, P)."""

    @staticmethod
    def forward(ctx, maps: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(maps)
        return maps.sum(dim=(0, 2)), torch.bmm(maps, maps.mT).sum(dim=0)

    @staticmethod
    @once_differentiable
    def backward(ctx, first: Tensor, second: Tensor) -> Tensor:
        (maps,) = ctx.saved_tensors
        return torch.baddbmm(first.unsqueeze(1), (second + second.mT).expand(len(maps), -1, -1), maps)


class BatchNorm(nn.BatchNorm2d):
    """:class:`BatchNormalisation` as a module, without running statistics."""

    def __init__(self, num_features: int) -> None:
        super().__init__(num_features, track_running_stats=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return BatchNormalisation.apply(maps, self.weight, self.bias, self.eps)


class SAMCLAuxiliary(nn.Module):
    """Class channels to class channels: twice [1x1, BN, ReLU, 3x3 stride 2, BN, ReLU], then 1x1, BN, ReLU.

    The features after each of the three stages are the scales of the SAM-CL loss beyond the mask itself; the
    2-scale form ends after the first. Features are never negative (they end in a ReLU). Batch norm uses the
    statistics of the batch at hand, in training and evaluation alike.

    The width is the number of classes throughout, as published. No convolution has a bias, which the batch
    norm would cancel. Without ``reflect_padding`` the 1x1 convolutions don't pad and the 3x3 ones pad with
    zeros: features keep half and a quarter of the mask's size (rounded up), and zero is what an ignored pixel
    holds too.

    Args:
        num_classes: C.
        num_scales: 4 (three feature maps) or 2 (one), the mask counting as a scale.
        reflect_padding: the published form: every convolution, 1x1 included, pads by one reflected pixel.
        spectral_norm: normalise every convolution by its largest singular value (Miyato et al., ICLR 2018).

    Raises:
        ConfigError: ``num_scales`` is neither 2 nor 4.
    """

    def __init__(
        self,
        num_classes: int,
        num_scales: int = 4,
        reflect_padding: bool = False,
        spectral_norm: bool = False,
    ) -> None:
        super().__init__()
        if num_scales not in (2, 4):
            raise ConfigError(f"the SAM-CL auxiliary network has 2 or 4 scales, got {num_scales}")

        def layers(kind: type[nn.Module]) -> list[nn.Module]:
            conv = kind(num_classes, num_classes, reflect_padding)
            if spectral_norm:
                conv = apply_spectral_norm(conv)
            return [conv, BatchNorm(num_classes), nn.ReLU(inplace=True)]

        stages = [nn.Sequential(*layers(PointwiseConv), *layers(DownsamplingConv)) for _ in range(num_scales // 2)]
        if num_scales == 4:
            stages.append(nn.Sequential(*layers(PointwiseConv)))
        self.stages = nn.ModuleList(stages)

    def forward(self, masks: Tensor, truth: Tensor | None = None, swap: Tensor | None = None) -> tuple[Tensor, ...]:
        """Masks (N, C, H, W) -> the features of each scale, (N, C, h_k, w_k), about H/2, H/4 and H/4 high.

        With ``truth`` the batch is followed by the masks of the truth and those of the truth with swapped classes, as
        if all three were concatenated, but far quicker.

        Args:
            masks: (N, C, H, W).
            truth: (N, C + 1, H, W), a 1 at every pixel: in the channel of its class, or the last if it is in no mask;
                channels_last is quickest. No gradient reaches it.
            swap: (C,) int64, the class that each class becomes; given with ``truth``.

        Returns:
            A tensor for each scale, (N, C, h_k, w_k), or (3 N, C, h_k, w_k) with ``truth``.
        """
        first, *others = self.stages
        scales = [first(masks) if truth is None else _first_stage_of_three(first, masks, truth, swap)]
        for stage in others:
            scales.append(stage(scales[-1]))
        return tuple(scales)


def _first_stage_of_three(stage: nn.Sequential, masks: Tensor, truth: Tensor, swap: Tensor) -> Tensor:
    """``stage`` of masks, truth and swapped truth; arguments as of :meth:`SAMCLAuxiliary.forward`.

    In a mask of one class a pixel's features are a column of a table, up to the strided convolution, which therefore
    is a convolution of ``truth`` itself, for both truths at once. The mean and variance that the batch norm wants of
    W x follow from those of x. So the masks take one matrix product for the 1x1 convolution and the norm, and the
    truths none.
    """
    pointwise, norm, _, downsampling, *rest = stage
    if pointwise.reflect:
        masks, truth = (F.pad(maps, (1, 1, 1, 1), mode="reflect") for maps in (masks, truth))
    batch, num_classes = masks.shape[:2]
    identity = torch.eye(num_classes, device=masks.device, dtype=masks.dtype)
    becomes = identity[swap]  # (from, to)

    maps = masks.flatten(2)
    counts = truth.sum(dim=(0, 2, 3))[:-1]
    counts = counts + counts @ becomes
    first, second = Moments.apply(maps)
    positions = 3 * batch * maps.shape[2]
    mean = (first + counts) / positions
    covariance = (second + counts.diag()) / positions - mean.outer(mean)

    weight = pointwise.weight.flatten(1)
    scale = norm.weight * torch.rsqrt(((weight @ covariance) * weight).sum(dim=1) + norm.eps)
    weight = scale.unsqueeze(1) * weight
    bias = norm.bias - weight @ mean
    features = torch.baddbmm(bias.unsqueeze(1), weight.expand(batch, -1, -1), maps).view_as(masks)
    features = features.contiguous(memory_format=torch.channels_last).relu_()

    kernel = downsampling.weight
    no_class = torch.zeros_like(weight[:, :1])
    tables = torch.stack([torch.cat((weight @ columns, no_class), dim=1) for columns in (identity, becomes.mT)])
    kernels = torch.einsum("oiyx,tic->tocyx", kernel, F.relu(tables + bias.unsqueeze(1))).flatten(0, 1)
    kernels = kernels.contiguous(memory_format=torch.channels_last)
    truths = downsampling.convolve(truth, kernels).contiguous()
    maps = downsampling.convolve(features, kernel).contiguous()
    maps = torch.cat((maps, *truths.chunk(2, dim=1)))
    for layer in rest:
        maps = layer(maps)
    return maps
