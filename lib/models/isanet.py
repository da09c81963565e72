"""ISANet (Huang, Yuan, Guo, Zhang, Chen, Wang: Interlaced Sparse Self-Attention, arXiv 1907.12273)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.blocks import classification_head, conv_bn_relu, resize
from lib.models.output import SegOutput


class GroupedAttention(nn.Module):
    """Self-attention within groups of positions: ``out(softmax(q k^T / sqrt(d)) v)``.

    Args:
        channels: channels in and out, and of the values.
        key_channels: d, the channels of keys and queries.
    """

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()
        self.key, self.query = (
            nn.Sequential(*conv_bn_relu(channels, key_channels, 1), *conv_bn_relu(key_channels, key_channels, 1))
            for _ in range(2)
        )
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.out = conv_bn_relu(channels, channels, 1)

    def forward(self, x: Tensor, split: Callable[[Tensor], Tensor], join: Callable[[Tensor], Tensor]) -> Tensor:
        """(N, channels, H, W) to the same shape.

        Args:
            x: the features.
            split: from maps (N, C, H, W) to groups of positions (N, groups, positions, C).
            join: its inverse.
        """
        query, key, value = (split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.out(join(F.scaled_dot_product_attention(query, key, value)))


class InterlacedAttention(nn.Module):
    """First among positions that are far apart, then among neighbours; together each position reaches all others.

    The map is padded with zeros to multiples of the factors, half on each side, and these positions take part in the
    attention, as published.

    Args:
        channels: channels in and out.
        factors: rows and columns of a block of neighbours.
    """

    def __init__(self, channels: int, factors: tuple[int, int] = (8, 8)) -> None:
        super().__init__()
        self.factors = factors
        self.long_range = GroupedAttention(channels, channels // 2)
        self.short_range = GroupedAttention(channels, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        (height, width), (rows, columns) = x.shape[-2:], self.factors
        down, right = -height % rows, -width % columns
        top, left = down // 2, right // 2
        x = F.pad(x, [left, right - left, top, down - top])
        down, right = (height + down) // rows, (width + right) // columns  # blocks below and beside each other

        def blocks(x: Tensor) -> Tensor:
            """(N, C, H, W) to (N, C, blocks down, rows, blocks right, columns)."""
            return x.unflatten(3, (right, columns)).unflatten(2, (down, rows))

        def far(x: Tensor) -> Tensor:
            """Groups of the positions that have the same place in their blocks."""
            return blocks(x).permute(0, 3, 5, 2, 4, 1).flatten(3, 4).flatten(1, 2)

        def from_far(x: Tensor) -> Tensor:
            x = x.unflatten(1, (rows, columns)).unflatten(3, (down, right))
            return x.permute(0, 5, 3, 1, 4, 2).flatten(4, 5).flatten(2, 3)

        def near(x: Tensor) -> Tensor:
            """Groups of the positions of one block."""
            return blocks(x).permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)

        def from_near(x: Tensor) -> Tensor:
            x = x.unflatten(1, (down, right)).unflatten(3, (rows, columns))
            return x.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)

        x = self.short_range(self.long_range(x, far, from_far), near, from_near)
        return x[..., top : top + height, left : left + width]


class ISANet(nn.Module):
    """Backbone, 3x3 convolution, interlaced attention joined with the features, classifier.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the head is eight times as wide; 64 as published.
        factors: (rows, columns) of the blocks, of each attention that works beside the others; one as published.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int = 6,
        base_channels: int = 64,
        factors: Sequence[tuple[int, int]] = ((8, 8),),
    ) -> None:
        super().__init__()
        channels, count = 8 * base_channels, len(factors)
        early_channels, late_channels = backbone.head_channels
        self.backbone = backbone
        self.reduce = conv_bn_relu(late_channels, channels, 3)
        self.contexts = nn.ModuleList(InterlacedAttention(channels, pair) for pair in factors)
        # Several contexts would outweigh the features.
        self.widen = conv_bn_relu(channels, count * channels, 1) if count > 1 else nn.Identity()
        self.merge = nn.Sequential(*conv_bn_relu(2 * count * channels, channels, 1), nn.Dropout2d(0.05))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.auxiliary = classification_head(early_channels, channels, num_classes, dropout=0.05, conv_bias=False)

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W); in training, also the auxiliary logits at the features' size."""
        early, late = self.backbone.head_features(image)
        x = self.reduce(late)
        x = self.merge(torch.cat([self.widen(x), *(context(x) for context in self.contexts)], dim=1))
        logits = resize(self.classifier(x), image.shape[-2:])
        return SegOutput(logits, aux=(self.auxiliary(early),) if self.training else ())
