"""The auxiliary network of SAM-CL: maps a mask to its features at coarser scales."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
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
        return super().forward(maps.contiguous(memory_format=torch.channels_last)).contiguous()


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
            return [conv, nn.BatchNorm2d(num_classes, track_running_stats=False), nn.ReLU(inplace=True)]

        stages = [nn.Sequential(*layers(PointwiseConv), *layers(DownsamplingConv)) for _ in range(num_scales // 2)]
        if num_scales == 4:
            stages.append(nn.Sequential(*layers(PointwiseConv)))
        self.stages = nn.ModuleList(stages)

    def forward(self, masks: Tensor) -> tuple[Tensor, ...]:
        """Masks (N, C, H, W) -> the features of each scale, (N, C, h_k, w_k), about H/2, H/4 and H/4 high."""
        scales = []
        for stage in self.stages:
            masks = stage(masks)
            scales.append(masks)
        return tuple(scales)
