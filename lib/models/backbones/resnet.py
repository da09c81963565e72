"""ResNet (He et al., CVPR 2016), dilated to stride 8 or 16 or as it is, of torchvision's blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import conv_bn_relu

if TYPE_CHECKING:
    from torchvision.models.resnet import BasicBlock, Bottleneck

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Blocks of the four layers by depth; depth 18 is made of basic blocks, the others of bottlenecks."""


class DilatedResNet(Backbone):
    """ResNet whose third and fourth layers keep stride 8 and dilate their 3x3 convolutions by 2 and 4, or whose fourth
    keeps stride 16 and dilates them by 2, or which goes down to stride 32.

    The first 3x3 convolution of a dilated layer dilates by half as much. Unlike torchvision's ResNet, the
    max-pool rounds sizes up, basic blocks can be dilated, and the stem may be deep.

    Args:
        depth: 18, 50 or 101.
        in_channels: channels of the image.
        base_channels: width of the stem; 64 as in the paper.
        deep_stem: three 3x3 convolutions to ``2 * base_channels`` instead of one 7x7.
        multi_grid: factors on the dilation of the last layer's blocks; those beyond its length are 1.
        output_stride: 8, 16 or 32.

    Attributes:
        channels: widths of the four feature maps, of strides 4, 8, at most 16, and ``output_stride``.
    """

    def __init__(
        self,
        depth: int,
        in_channels: int = 1,
        base_channels: int = 64,
        deep_stem: bool = False,
        multi_grid: Sequence[int] = (1, 1, 1),
        output_stride: int = 8,
    ) -> None:
        super().__init__()
        from torchvision.models.resnet import BasicBlock, Bottleneck  # slow to import

        self.imagenet = (
            f"resnet{depth}-imagenet.pth of openseg.pytorch" if deep_stem else f"torchvision's resnet{depth}"
        )
        block = BasicBlock if depth == 18 else Bottleneck
        widths = [base_channels * 2**i for i in range(4)]
        self.channels = tuple(width * block.expansion for width in widths)
        self.stem = _deep_stem(in_channels, base_channels) if deep_stem else _stem(in_channels, base_channels)
        stem_channels = base_channels * 2 if deep_stem else base_channels
        # Rounded up, 256 rows become 65, not 64: part of what published weights were trained with.
        self.pool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
        strides = (1, 2, min(output_stride // 8, 2), max(output_stride // 16, 1))
        inputs = (stem_channels, *self.channels)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            residual_layer(block, before, width, count, stride)
            for before, width, count, stride in zip(inputs, widths, BLOCKS[depth], strides, strict=False)
        )
        if output_stride == 8:
            _dilate(self.layer3, [2] * len(self.layer3))
        grid = [*multi_grid, *[1] * len(self.layer4)][: len(self.layer4)]
        _dilate(self.layer4, [32 // output_stride * factor for factor in grid])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to the features of the four layers."""
        x = self.pool(self.stem(image))
        layer1 = self.layer1(x)
        layer2 = self.layer2(layer1)
        layer3 = self.layer3(layer2)
        return layer1, layer2, layer3, self.layer4(layer3)


def residual_layer(
    block: "type[BasicBlock | Bottleneck]", in_channels: int, width: int, count: int, stride: int = 1
) -> nn.Sequential:
    """``count`` of torchvision's blocks, the first with the stride and, where shapes change, a 1x1 skip."""
    channels = width * block.expansion
    downsample = None
    if stride != 1 or in_channels != channels:
        downsample = nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
    first = block(in_channels, width, stride, downsample)
    return nn.Sequential(first, *[block(channels, width) for _ in range(count - 1)])


def _stem(in_channels: int, channels: int) -> nn.Sequential:
    stem = nn.Sequential()
    stem.add_module("conv1", nn.Conv2d(in_channels, channels, 7, stride=2, padding=3, bias=False))
    stem.add_module("bn1", nn.BatchNorm2d(channels))
    stem.add_module("relu1", nn.ReLU(inplace=True))
    return stem


def _deep_stem(in_channels: int, channels: int) -> nn.Sequential:
    stem = nn.Sequential()
    widths = (in_channels, channels, channels, 2 * channels)
    for i in (1, 2, 3):
        layers = conv_bn_relu(widths[i - 1], widths[i], 3, stride=2 if i == 1 else 1)
        for name, layer in zip(("conv", "bn", "relu"), layers, strict=True):
            stem.add_module(f"{name}{i}", layer)
    return stem


def _dilate(layer: nn.Sequential, dilations: Sequence[int]) -> None:
    """Dilate the 3x3 convolutions of each block, the layer's first one by half as much, keeping the size."""
    first = True
    for block, dilation in zip(layer, dilations, strict=True):
        for conv in block.modules():
            if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3):
                amount = max(dilation // 2, 1) if first else dilation
                conv.dilation = conv.padding = (amount, amount)
                first = False
