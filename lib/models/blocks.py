"""Small pieces that several networks are built of. All maps are (N, C, H, W)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, dilation: int = 1, bias: bool = False
) -> nn.Sequential:
    """Convolution that keeps the size (divided by ``stride``, rounded up), batch norm, ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, dilation, bias=bias),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def double_conv(in_channels: int, out_channels: int, bias: bool = False) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch norm and ReLU: the block of the UNETs."""
    return nn.Sequential(
        *conv_bn_relu(in_channels, out_channels, 3, bias=bias),
        *conv_bn_relu(out_channels, out_channels, 3, bias=bias),
    )


def resize(x: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bilinear interpolation to ``size`` (H, W); the corner pixels' centres of both grids coincide.

    >>> resize(torch.tensor([[[[0.0, 2.0]]]]), (1, 3)).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)
