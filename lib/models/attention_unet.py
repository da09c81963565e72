"""Attention-UNET (Oktay et al., MIDL 2018): a UNET whose deeper features gate the skips."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.blocks import conv_bn_relu, double_conv
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead


class AttentionGate(nn.Module):
    """Weighs each pixel of a skip by ``sigmoid(BN(1x1(ReLU(BN(1x1 g) + BN(1x1 x)))))``.

    Args:
        channels: channels of the skip ``x`` and of the gating features ``g``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 2, 1)
        self.gating = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden))
        self.skip = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden))
        self.score = nn.Sequential(nn.Conv2d(hidden, 1, 1), nn.BatchNorm2d(1))

    def forward(self, gating: Tensor, skip: Tensor) -> Tensor:
        """Both (N, channels, H, W); returns the gated skip."""
        return skip * torch.sigmoid(self.score(F.relu(self.gating(gating) + self.skip(skip))))


class GatedUpBlock(nn.Module):
    """Doubles the size of the deeper features, gates the skip with them, joins both and convolves twice."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = conv_bn_relu(in_channels, out_channels, 3, bias=True)
        self.gate = AttentionGate(out_channels)
        self.conv = double_conv(2 * out_channels, out_channels, bias=True)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """``x`` (N, in_channels, h, w), ``skip`` (N, out_channels, 2 h, 2 w)."""
        x = self.up(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv(torch.cat([self.gate(x, skip), x], dim=1))


class AttentionUNet(nn.Module):
    """Attention-UNET with four reductions.

    Sizes that 16 doesn't divide are padded at the right and at the bottom with the nearest pixels, and what
    comes back is cropped to the input's size.

    Args:
        in_channels: channels of the image.
        num_classes: channels of the logits.
        base_channels: width at full size; doubles at each reduction. 64 as published.
        proj_dim: channels of the embedding; None leaves out the projection head.

    >>> network = AttentionUNet(in_channels=1, num_classes=6, base_channels=4, proj_dim=8).eval()
    >>> output = network(torch.zeros(1, 1, 32, 48))
    >>> tuple(output.logits.shape), tuple(output.embedding.shape)
    ((1, 6, 32, 48), (1, 8, 32, 48))
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 6, base_channels: int = 64, proj_dim: int | None = None
    ) -> None:
        super().__init__()
        widths = [base_channels * 2**level for level in range(5)]
        self.encoder = nn.ModuleList(
            double_conv(before, after, bias=True) for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.decoder = nn.ModuleList(GatedUpBlock(widths[level], widths[level - 1]) for level in (4, 3, 2, 1))
        self.classifier = nn.Conv2d(base_channels, num_classes, kernel_size=1)
        self.projection = ProjectionHead(base_channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits and, with the head, an embedding, both of size (H, W)."""
        height, width = image.shape[-2:]
        x = image
        if height % 16 or width % 16:
            x = F.pad(x, [0, -width % 16, 0, -height % 16], mode="replicate")
        x = self.encoder[0](x)
        skips = []
        for block in self.encoder[1:]:
            skips.append(x)
            x = block(F.max_pool2d(x, 2))
        for block in self.decoder:
            x = block(x, skips.pop())
        x = x[..., :height, :width]
        embedding = self.projection(x) if self.projection is not None else None
        return SegOutput(self.classifier(x), embedding)
