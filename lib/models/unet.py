"""UNET (Ronneberger et al., MICCAI 2015) with batch norm and padded convolutions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.blocks import double_conv
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead

SMALLEST = 16
"""Pixels of a side that the four reductions of the UNET bring to one."""


class UpBlock(nn.Module):
    """Doubles the size of the deeper features, joins them with the skip, and convolves twice."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
        self.conv = double_conv(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """``x`` (N, in_channels, H // 2, W // 2), ``skip`` (N, in_channels // 2, H, W)."""
        x = self.up(x)
        if x.shape[-2:] != skip.shape[-2:]:
            # Pooling dropped the last row or column of an odd size.
            rows, columns = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
            x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.conv(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    """UNET: four 2x2 max-pools down, four 2x2 transposed convolutions up, for images of any size.

    A side of fewer than 16 pixels, of which the max-pools would leave nothing, is padded to 16 at the right or at the
    bottom with the nearest pixels, and what comes back is cropped to the image's size.

    Args:
        in_channels: channels of the image.
        num_classes: channels of the logits.
        base_channels: width at full size; doubles at each of the four reductions. 64 as published.
        proj_dim: channels of the embedding; None leaves out the projection head.

    >>> output = UNet(in_channels=1, num_classes=6, base_channels=4, proj_dim=8).eval()(torch.zeros(1, 1, 32, 48))
    >>> tuple(output.logits.shape), tuple(output.embedding.shape)
    ((1, 6, 32, 48), (1, 8, 32, 48))
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 6, base_channels: int = 64, proj_dim: int | None = None
    ) -> None:
        super().__init__()
        widths = [base_channels * 2**level for level in range(5)]
        self.encoder = nn.ModuleList(
            double_conv(before, after) for before, after in zip([in_channels, *widths], widths, strict=False)
        )
        self.decoder = nn.ModuleList(UpBlock(widths[level], widths[level - 1]) for level in (4, 3, 2, 1))
        self.classifier = nn.Conv2d(base_channels, num_classes, kernel_size=1)
        self.projection = ProjectionHead(base_channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits and, with the head, an embedding, both of size (H, W)."""
        height, width = image.shape[-2:]
        x = image
        if height < SMALLEST or width < SMALLEST:
            x = F.pad(x, [0, max(0, SMALLEST - width), 0, max(0, SMALLEST - height)], mode="replicate")
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
