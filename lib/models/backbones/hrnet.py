"""HRNetV2's body (Wang et al., TPAMI 2020): branches of strides 4 to 32 that exchange their features."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.backbones.resnet import residual_layer
from lib.models.blocks import conv_bn_relu, resize


class HighResolutionModule(nn.Module):
    """Four basic blocks on every branch; then each receives the sum of all, brought to its size and width.

    Args:
        widths: channels of the branches, finest first.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        from torchvision.models.resnet import BasicBlock  # slow to import

        self.branches = nn.ModuleList(residual_layer(BasicBlock, width, width, 4) for width in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_link(widths, source, target) for source in range(len(widths)))
            for target in range(len(widths))
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """One (N, width, H, W) per branch, in and out."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for target, links in enumerate(self.fuse_layers):
            assert isinstance(links, nn.ModuleList)
            size = maps[target].shape[-2:]
            first, *others = (resize(link(x), size) for link, x in zip(links, maps, strict=True))
            fused.append(F.relu(sum(others, first)))
        return fused


class HRNet(Backbone):
    """A stem to stride 4, a layer of bottlenecks, and three stages, of two, three and four branches.

    Args:
        in_channels: channels of the image.
        width: channels of the finest branch, 18, 32 or 48 in the paper; each coarser one has twice as many.
        stem_channels: width of the stem; 64 in the paper.

    Attributes:
        channels: widths of the four feature maps, of strides 4, 8, 16, 32.
    """

    def __init__(self, in_channels: int = 1, width: int = 48, stem_channels: int = 64) -> None:
        super().__init__()
        from torchvision.models.resnet import Bottleneck  # slow to import

        self.channels = tuple(width * 2**i for i in range(4))
        self.stem = nn.Sequential(
            conv_bn_relu(in_channels, stem_channels, 3, stride=2),
            conv_bn_relu(stem_channels, stem_channels, 3, stride=2),
        )
        self.layer1 = residual_layer(Bottleneck, stem_channels, stem_channels, 4)
        before: Sequence[int] = [stem_channels * Bottleneck.expansion]
        self.transitions = nn.ModuleList()
        self.stages = nn.ModuleList()
        for branches, modules in ((2, 1), (3, 4), (4, 3)):
            widths = self.channels[:branches]
            self.transitions.append(_transition(before, widths))
            self.stages.append(nn.Sequential(*[HighResolutionModule(widths) for _ in range(modules)]))
            before = widths

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to the four branches' features."""
        maps = [self.layer1(self.stem(image))]
        for transition, stage in zip(self.transitions, self.stages, strict=True):
            assert isinstance(transition, nn.ModuleList)
            # A new branch grows from the coarsest one.
            sources = [*maps, maps[-1]] if len(maps) < len(transition) else maps
            maps = stage([layer(x) for layer, x in zip(transition, sources, strict=True)])
        return tuple(maps)


def _transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """Bring the branches to new widths and add one of half the size."""
    kept = [nn.Identity() if old == new else conv_bn_relu(old, new, 3) for old, new in zip(before, after, strict=False)]
    return nn.ModuleList([*kept, nn.Sequential(conv_bn_relu(before[-1], after[-1], 3, stride=2))])


def _link(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """What a branch's features pass through on their way to another: 1x1 upwards, strided 3x3 downwards."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(nn.Conv2d(widths[source], widths[target], 1, bias=False), nn.BatchNorm2d(widths[target]))
    steps = [conv_bn_relu(widths[source], widths[source], 3, stride=2) for _ in range(target - source - 1)]
    last = conv_bn_relu(widths[source], widths[target], 3, stride=2)[:2]  # the ReLU comes after the sum
    return nn.Sequential(*steps, last)
