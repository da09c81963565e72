"""Small pieces that several networks are built of. All maps are (N, C, H, W)."""

from collections.abc import Sequence

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


def classification_head(
    in_channels: int,
    channels: int,
    num_classes: int,
    kernel: int = 3,
    *,
    dropout: float = 0.0,
    conv_bias: bool = True,
    bias: bool = True,
) -> nn.Sequential:
    """Convolution, batch norm, ReLU, dropout of whole channels, and a 1x1 convolution to logits.

    Args:
        in_channels, channels, num_classes: widths before, between and after the two convolutions.
        kernel: side of the first one.
        dropout: share of the channels; 0 leaves the step out.
        conv_bias, bias: whether the first and the second convolution have one.
    """
    dropouts = [nn.Dropout2d(dropout)] if dropout else []
    return nn.Sequential(
        *conv_bn_relu(in_channels, channels, kernel, bias=conv_bias),
        *dropouts,
        nn.Conv2d(channels, num_classes, 1, bias=bias),
    )


def atrous_branches(in_channels: int, channels: int, rates: Sequence[int], bias: bool = False) -> list[nn.Module]:
    """A 1x1 convolution and a 3x3 of each dilation in ``rates``, each with batch norm and ReLU: parallel branches."""
    return [
        conv_bn_relu(in_channels, channels, 1, bias=bias),
        *[conv_bn_relu(in_channels, channels, 3, dilation=rate, bias=bias) for rate in rates],
    ]


def resize(x: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
    """Bilinear interpolation to ``size`` (H, W); the corner pixels' centres of both grids coincide.

    >>> resize(torch.tensor([[[[0.0, 2.0]]]]), (1, 3)).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=True)
