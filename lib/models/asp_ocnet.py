"""ASP-OC (Yuan et al., IJCV 2021): self-attention over pixels as one branch of an atrous spatial pyramid."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.blocks import atrous_branches, classification_head, conv_bn_relu, resize
from lib.models.ocnet import ObjectContext
from lib.models.output import SegOutput

RATES = (12, 24, 36)


class PooledObjectContext(nn.Module):
    """3x3 convolution, self-attention at half the resolution, back to the full one, batch norm and ReLU.

    The map is halved by the maximum of 2x2 pixels; an odd row or column at the end takes no part, as published.

    Args:
        in_channels: channels of the features.
        channels: channels of the result.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.reduce = conv_bn_relu(in_channels, channels, 3, bias=True)
        self.context = ObjectContext(channels, channels // 2)
        self.rectify = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, channels, H, W)."""
        x = self.reduce(x)
        height, width = x.shape[-2:]
        pooled = F.max_pool2d(x, (min(2, height), min(2, width)))
        return self.rectify(resize(self.context(pooled), x.shape[-2:]))


class ASPOCNet(nn.Module):
    """Backbone, 3x3 convolution, the branches of a pyramid merged by a 1x1, classifier.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the head is eight times as wide; 64 as published.
    """

    def __init__(self, backbone: Backbone, num_classes: int = 6, base_channels: int = 64) -> None:
        super().__init__()
        channels, narrow = 8 * base_channels, 4 * base_channels
        early_channels, late_channels = backbone.head_channels
        self.backbone = backbone
        self.reduce = conv_bn_relu(late_channels, channels, 3, bias=True)
        self.context = PooledObjectContext(channels, narrow)
        self.branches = nn.ModuleList(atrous_branches(channels, narrow, RATES))
        merged = (len(self.branches) + 1) * narrow
        self.merge = nn.Sequential(*conv_bn_relu(merged, channels, 1), nn.Dropout2d(0.1))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.auxiliary = classification_head(early_channels, channels, num_classes)

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W); in training, also the auxiliary logits at the features' size."""
        early, late = self.backbone.head_features(image)
        x = self.reduce(late)
        x = self.merge(torch.cat([self.context(x), *(branch(x) for branch in self.branches)], dim=1))
        logits = resize(self.classifier(x), image.shape[-2:])
        return SegOutput(logits, aux=(self.auxiliary(early),) if self.training else ())
