"""HRNetV2's body (Wang et al., TPAMI 2020): branches of strides 4 to 32 that exchange their features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.backbones.resnet import residual_layer
from lib.models.blocks import conv_bn_relu, resize

if TYPE_CHECKING:
    from torchvision.models.resnet import BasicBlock, Bottleneck


class HighResolutionModule(nn.Module):
    """Four residual blocks on every branch; then each receives the sum of all, brought to its size and width.

    Args:
        block: torchvision's ``BasicBlock`` or ``Bottleneck``.
        widths: channels of the branches, finest first.
    """

    def __init__(self, block: "type[BasicBlock | Bottleneck]", widths: Sequence[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(residual_layer(block, width, width // block.expansion, 4) for width in widths)
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


class BranchedBackbone(Backbone):
    """Stages of branches, the parallel resolutions of HRNets. Heads take all of them, brought to the finest.

    Attributes:
        transitions: what leads to each stage.
        stages: each a sequence of :class:`HighResolutionModule`.
    """

    transitions: nn.ModuleList
    stages: nn.ModuleList

    def add_stages(
        self,
        block: "type[BasicBlock | Bottleneck]",
        before: Sequence[int],
        stages: Sequence[tuple[Sequence[int], int]],
    ) -> None:
        """Append stages.

        Args:
            block: see :class:`HighResolutionModule`.
            before: widths of the branches that the first of these stages starts from.
            stages: of each, its branches' widths and its number of modules.
        """
        for widths, modules in stages:
            self.transitions.append(_transition(before, widths))
            self.stages.append(nn.Sequential(*[HighResolutionModule(block, widths) for _ in range(modules)]))
            before = widths

    def run_stages(self, x: Tensor) -> tuple[Tensor, ...]:
        """From the features before the first stage to those of the last one's branches, finest first."""
        maps = [x]
        for transition, stage in zip(self.transitions, self.stages, strict=True):
            assert isinstance(transition, nn.ModuleList)
            # A new branch grows from the coarsest one.
            sources = [*maps, maps[-1]] if len(maps) < len(transition) else maps
            maps = stage([layer(x) for layer, x in zip(transition, sources, strict=True)])
        return tuple(maps)

    @property
    def head_channels(self) -> tuple[int, int]:
        """Twice the sum of the branches' widths."""
        return sum(self.channels), sum(self.channels)

    def head_features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Twice the branches, upsampled to the finest and concatenated."""
        maps = self(image)
        features = torch.cat([resize(x, maps[0].shape[-2:]) for x in maps], dim=1)
        return features, features


class HRNet(BranchedBackbone):
    """A stem to stride 4, a layer of bottlenecks, and three stages, of two, three and four branches.

    Args:
        in_channels: channels of the image.
        width: channels of the finest branch, 18, 32, 48 or 64; each coarser one has twice as many.
        stem_channels: width of the stem; 64 in the paper.

    Attributes:
        channels: widths of the four feature maps, of strides 4, 8, 16, 32.
    """

    def __init__(self, in_channels: int = 1, width: int = 48, stem_channels: int = 64) -> None:
        super().__init__()
        from torchvision.models.resnet import BasicBlock, Bottleneck  # slow to import

        self.imagenet = f"hrnetv2_w{width}_imagenet_pretrained.pth of the authors of HRNet"
        self.channels = tuple(width * 2**i for i in range(4))
        self.stem = nn.Sequential(
            conv_bn_relu(in_channels, stem_channels, 3, stride=2),
            conv_bn_relu(stem_channels, stem_channels, 3, stride=2),
        )
        self.layer1 = residual_layer(Bottleneck, stem_channels, stem_channels, 4)
        self.transitions = nn.ModuleList()
        self.stages = nn.ModuleList()
        stages = [(self.channels[:branches], modules) for branches, modules in ((2, 1), (3, 4), (4, 3))]
        self.add_stages(BasicBlock, [stem_channels * Bottleneck.expansion], stages)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to the four branches' features."""
        return self.run_stages(self.layer1(self.stem(image)))


class HRNet2x(BranchedBackbone):
    """The HRNet of SegFix at twice the resolution: a stem to stride 2, and stages of two to five branches.

    Yuan et al., SegFix, ECCV 2020; its "HRNet2x" of width 20. The first stage is made of bottlenecks.

    Args:
        in_channels: channels of the image.
        width: channels of the finest branch after the first stage; each coarser one has twice as many.
        stem_channels: width of the stem; 64 as published. The branches of the first stage have 2 and 4 times as many.

    Attributes:
        channels: widths of the five feature maps, of strides 2, 4, 8, 16, 32.
    """

    def __init__(self, in_channels: int = 1, width: int = 20, stem_channels: int = 64) -> None:
        super().__init__()
        from torchvision.models.resnet import BasicBlock, Bottleneck  # slow to import

        self.imagenet = f"hr_rnet_bt_w{width}_imagenet_pretrained.pth of openseg.pytorch"
        self.channels = tuple(width * 2**i for i in range(5))
        self.stem = conv_bn_relu(in_channels, stem_channels, 3, stride=2)
        self.transitions = nn.ModuleList()
        self.stages = nn.ModuleList()
        first = (2 * stem_channels, 4 * stem_channels)
        self.add_stages(Bottleneck, [stem_channels], [(first, 1)])
        stages = [(self.channels[:branches], modules) for branches, modules in ((3, 1), (4, 4), (5, 3))]
        self.add_stages(BasicBlock, first, stages)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to the five branches' features."""
        return self.run_stages(self.stem(image))


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
