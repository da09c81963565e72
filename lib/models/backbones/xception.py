"""Aligned Xception-65 (Chollet, CVPR 2017, as modified for DeepLabV3+ by Chen et al., ECCV 2018)."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.blocks import conv_bn_relu


def separable_conv(in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Depthwise 3x3 convolution, batch norm, 1x1 convolution, batch norm."""
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride, dilation, dilation, groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class XceptionBlock(nn.Module):
    """Three separable convolutions with ReLUs between, beside a skip; the input is already rectified.

    Args:
        in_channels: channels of the input.
        widths: channels after each of the three convolutions.
        stride: of the last one.
        dilations: of each of the three.
    """

    def __init__(
        self, in_channels: int, widths: Sequence[int], stride: int = 1, dilations: Sequence[int] = (1, 1, 1)
    ) -> None:
        super().__init__()
        self.units = nn.ModuleList(
            separable_conv(before, after, step, dilation)
            for before, after, step, dilation in zip(
                (in_channels, *widths), widths, (1, 1, stride), dilations, strict=False
            )
        )
        self.skip: nn.Module = nn.Identity()
        if in_channels != widths[-1] or stride != 1:
            self.skip = nn.Sequential(
                nn.Conv2d(in_channels, widths[-1], 1, stride, bias=False), nn.BatchNorm2d(widths[-1])
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) >= 0 to (N, widths[-1], H / stride, W / stride), sizes rounded up."""
        first, second, third = self.units
        return third(F.relu(second(F.relu(first(x))))) + self.skip(x)


class Xception(Backbone):
    """Aligned Xception-65: 2 convolutions, 20 blocks of 3 separable convolutions, 3 separable convolutions.

    A ReLU follows every block, which is what in-place ReLUs at the head of the next block come to: skips and
    the low-level features see rectified values.

    Args:
        in_channels: channels of the image.
        base_channels: width after the stem; 64 as published, all other widths scale with it.
        output_stride: 8 or 16.

    Attributes:
        channels: widths of the second block's features (stride 8) and of the last (``output_stride``).
    """

    def __init__(self, in_channels: int = 1, base_channels: int = 64, output_stride: int = 8) -> None:
        super().__init__()
        if output_stride not in (8, 16):
            raise ValueError(f"output_stride: expected 8 or 16, got {output_stride}")

        def wide(channels: int) -> int:
            return max(1, round(channels * base_channels / 64))

        dilation = 16 // output_stride
        middle = wide(728)
        self.channels = (wide(256), wide(2048))
        self.stem = nn.Sequential(conv_bn_relu(in_channels, wide(32), 3, stride=2), conv_bn_relu(wide(32), wide(64), 3))
        self.blocks = nn.ModuleList(
            [
                XceptionBlock(wide(64), [wide(128)] * 3, stride=2),
                XceptionBlock(wide(128), [wide(256)] * 3, stride=2),
                XceptionBlock(wide(256), [middle] * 3, stride=output_stride // 8),
                *[XceptionBlock(middle, [middle] * 3, dilations=[dilation] * 3) for _ in range(16)],
                XceptionBlock(middle, [middle, wide(1024), wide(1024)], dilations=(dilation, dilation, 1)),
            ]
        )
        widths = (wide(1024), wide(1536), wide(1536), wide(2048))
        self.exit = nn.ModuleList(
            separable_conv(before, after, dilation=2 * dilation)
            for before, after in zip(widths, widths[1:], strict=False)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, in_channels, H, W) to (low-level features, features)."""
        x = self.stem(image)
        for block in self.blocks[:2]:
            x = F.relu(block(x))
        low_level = x
        for block in self.blocks[2:]:
            x = F.relu(block(x))
        for unit in self.exit:
            x = F.relu(unit(x))
        return low_level, x
