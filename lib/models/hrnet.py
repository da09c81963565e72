"""HRNetV2 for segmentation (Wang et al., TPAMI 2020): all four resolutions joined at stride 4."""

import torch
from torch import Tensor, nn

from lib.models.backbones.hrnet import HRNet
from lib.models.blocks import conv_bn_relu, resize
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead


class HRNetV2(nn.Module):
    """The branches of :class:`HRNet`, upsampled to the finest and concatenated, through a 3x3 head.

    Args:
        in_channels: channels of the image.
        num_classes: channels of the logits.
        width: channels of the finest branch; 48 makes 48 + 96 + 192 + 384 = 720 after the concatenation.
        stem_channels: width of the stem; 64 in the paper.
        proj_dim: channels of the embedding; None leaves out the projection head.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 6,
        width: int = 48,
        stem_channels: int = 64,
        proj_dim: int | None = None,
    ) -> None:
        super().__init__()
        self.backbone = HRNet(in_channels, width, stem_channels)
        channels = sum(self.backbone.channels)
        self.head = nn.Sequential(*conv_bn_relu(channels, channels, 3, bias=True), nn.Dropout2d(0.1))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.projection = ProjectionHead(channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits of size (H, W) and, with the head, an embedding at stride 4."""
        maps = self.backbone(image)
        x = torch.cat([resize(x, maps[0].shape[-2:]) for x in maps], dim=1)
        embedding = self.projection(x) if self.projection is not None else None
        logits = self.classifier(self.head(x))
        return SegOutput(resize(logits, image.shape[-2:]), embedding)
