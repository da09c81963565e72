"""The auxiliary network of SAM-CL: maps a mask to its features at coarser scales."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as apply_spectral_norm

from lib.ops.batch_statistics import batch_norm_of_batch
from lib.ops.mask_triplet import MaskTriplet, conv_norm_relu_conv
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
        mode: Literal["reflect", "zeros"] = "reflect" if reflect else "zeros"
        super().__init__(in_channels, out_channels, 3, stride=2, padding=1, padding_mode=mode, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, in, H, W) -> contiguous (N, out, ceil(H / 2), ceil(W / 2))."""
        return super().forward(maps.contiguous(memory_format=torch.channels_last)).contiguous()


class BatchNorm(nn.BatchNorm2d):
    """Batch norm by the statistics of the batch at hand, without running statistics."""

    def __init__(self, num_features: int) -> None:
        super().__init__(num_features, track_running_stats=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return batch_norm_of_batch(maps, self.weight, self.bias, self.eps)


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

    >>> [tuple(scale.shape) for scale in SAMCLAuxiliary(6)(torch.rand(1, 6, 32, 40))]
    [(1, 6, 16, 20), (1, 6, 8, 10), (1, 6, 8, 10)]

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
        self.reflect_padding = reflect_padding
        self.stages = nn.ModuleList(stages)

    def forward(self, masks: Tensor) -> tuple[Tensor, ...]:
        """Masks (N, C, H, W) -> the features of each scale, (N, C, h_k, w_k), about H/2, H/4 and H/4 high."""
        return self._scales(self.stages[0](masks))

    def features_of_triplet(self, masks: MaskTriplet) -> list[tuple[Tensor, ...]]:
        """The features of anchor, positive and negative, which pass as one batch; far quicker than concatenated.

        Returns:
            For each scale three tensors (N, C, h_k, w_k).

        Raises:
            ValueError: with ``reflect_padding``, whose published form takes one mask at a time.
        """
        if self.reflect_padding:
            raise ValueError("a triplet of masks: expected an auxiliary network without reflect_padding")
        pointwise, norm, _, downsampling, *others = self.stages[0].children()
        assert isinstance(pointwise, PointwiseConv)
        assert isinstance(norm, BatchNorm)
        assert isinstance(downsampling, DownsamplingConv)
        maps = conv_norm_relu_conv(
            masks, pointwise.weight.flatten(1), norm.weight, norm.bias, norm.eps, downsampling.weight
        )
        for layer in others:
            maps = layer(maps)
        return [scale.chunk(3) for scale in self._scales(maps)]

    def _scales(self, first: Tensor) -> tuple[Tensor, ...]:
        """The features of the first stage, and those of the stages after it."""
        scales = [first]
        for stage in list(self.stages)[1:]:
            scales.append(stage(scales[-1]))
        return tuple(scales)
