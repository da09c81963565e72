"""The auxiliary network of SAM-CL: maps a mask to its features at coarser scales."""

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
        self.weight = nn.Parameter(
            nn.Conv2d(in_channels, out_channels, 1, bias=False).weight.detach().clone()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(N, in, H, W) -> (N, out, H, W), each side 2 longer with ``reflect``."""
        if self.reflect:
            maps = F.pad(maps, (1, 1, 1, 1), mode="reflect")
        return (self.weight.flatten(1) @ maps.flatten(2)).unflatten(2, maps.shape[2:])


def _pointwise(channels: int, reflect: bool, spectral_norm: bool) -> list[nn.Module]:
    conv = PointwiseConv(channels, channels, reflect)
    return [apply_spectral_norm(conv) if spectral_norm else conv, _batch_norm(channels), nn.ReLU()]


def _downsampling(channels: int, reflect: bool, spectral_norm: bool) -> list[nn.Module]:
    padding_mode = "reflect" if reflect else "zeros"
    conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1, padding_mode=padding_mode, bias=False)
    return [apply_spectral_norm(conv) if spectral_norm else conv, _batch_norm(channels), nn.ReLU()]


def _batch_norm(channels: int) -> nn.Module:
    # The network only ever sees training batches, so running statistics would never be read.
    return nn.BatchNorm2d(channels, track_running_stats=False)


class SAMCLAuxiliary(nn.Module):
    """Class channels to class channels: twice [1x1, BN, ReLU, 3x3 stride 2, BN, ReLU], then 1x1, BN, ReLU.

    The features after each of the three stages are the scales of the SAM-CL loss beyond the mask itself; the
    2-scale form ends after the first. Features are never negative (they end in a ReLU). Batch statistics
    are those of the mask at hand, in training and evaluation alike.

    The width is the number of classes throughout, as published. No convolution has a bias, which the batch
    norm would cancel. Without ``reflect_padding`` the 1x1 convolutions don't pad and the 3x3 ones pad with
    zeros: features keep half and a quarter of the mask's size (rounded up), and zero is what an ignored
    pixel holds too.

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
        options = (num_classes, reflect_padding, spectral_norm)
        stages = [
            nn.Sequential(*_pointwise(*options), *_downsampling(*options)) for _ in range(num_scales // 2)
        ]
        if num_scales == 4:
            stages.append(nn.Sequential(*_pointwise(*options)))
        self.stages = nn.ModuleList(stages)

    def forward(self, masks: Tensor) -> tuple[Tensor, ...]:
        """Masks (N, C, H, W) -> the features of each scale, (N, C, h_k, w_k) with h_k about H/2, H/4, H/4."""
        scales = []
        for stage in self.stages:
            masks = stage(masks)
            scales.append(masks)
        return tuple(scales)
