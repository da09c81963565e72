"""DeepLabV3 with the decoder of V3+ (Chen et al., arXiv 1706.05587 and ECCV 2018) on any backbone."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.blocks import atrous_branches, conv_bn_relu, resize
from lib.models.inplace_abn import InPlaceABN
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead

RATES = (6, 12, 18)


class ImagePooling(nn.Module):
    """The image's mean features through a 1x1 convolution, batch norm and ReLU, spread over the map."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, channels, H, W).

        A training batch of one image has one value per channel here and so no variance: it is normalised with
        the running statistics. (Synchronised batch norm has the other processes' images.)
        """
        pooled = self.conv(x.mean((2, 3), keepdim=True))
        if self.training and x.shape[0] == 1 and isinstance(self.bn, nn.BatchNorm2d):
            bn = self.bn
            scale = bn.scale if isinstance(bn, InPlaceABN) else bn.weight
            pooled = F.batch_norm(pooled, bn.running_mean, bn.running_var, scale, bn.bias, eps=bn.eps)
        else:
            pooled = self.bn(pooled)
        return self.relu(pooled).expand(-1, -1, *x.shape[-2:])


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: a 1x1, three dilated 3x3 and image pooling, merged by a 1x1."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                *atrous_branches(in_channels, channels, RATES),
                ImagePooling(in_channels, channels),
            ]
        )
        self.merge = conv_bn_relu((len(RATES) + 2) * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, channels, H, W)."""
        return self.merge(torch.cat([branch(x) for branch in self.branches], dim=1))


class DeepLabV3(nn.Module):
    """Features through ASPP, upsampled, joined with low-level features, and refined by two 3x3 convolutions.

    Args:
        backbone: of its feature maps, the first is taken as low-level, the last as high-level.
        num_classes: channels of the logits.
        base_channels: ASPP and decoder are four times as wide, the low-level features 3/4; 64 as published.
        proj_dim: channels of the embedding; None leaves out the projection head.
    """

    def __init__(
        self, backbone: Backbone, num_classes: int = 6, base_channels: int = 64, proj_dim: int | None = None
    ) -> None:
        super().__init__()
        channels, low_channels = 4 * base_channels, max(1, 3 * base_channels // 4)
        self.backbone = backbone
        self.aspp = ASPP(backbone.channels[-1], channels)
        self.low_level = conv_bn_relu(backbone.channels[0], low_channels, 1)
        self.decoder = nn.Sequential(
            conv_bn_relu(channels + low_channels, channels, 3),
            nn.Dropout(0.5),
            conv_bn_relu(channels, channels, 3),
        )
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.projection = ProjectionHead(channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W) and, with the head, an embedding of the low-level size."""
        low_level, *_, x = self.backbone(image)
        x = F.dropout(self.aspp(x), 0.5, self.training)
        x = torch.cat([resize(x, low_level.shape[-2:]), self.low_level(low_level)], dim=1)
        x = self.decoder(x)
        embedding = self.projection(x) if self.projection is not None else None
        logits = self.classifier(F.dropout(x, 0.1, self.training))
        return SegOutput(resize(logits, image.shape[-2:]), embedding)
