"""ASP-OCR (openseg.pytorch): the context of objects as one branch of an atrous spatial pyramid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import atrous_branches, classification_head, conv_bn_relu, resize
from lib.models.object_regions import ObjectContextualRepresentation
from lib.models.output import SegOutput


class ASPOCRNet(nn.Module):
    """The branches of a pyramid (object context, a 1x1, three dilated 3x3) merged by a 1x1 convolution.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the head is four times as wide; 64 as published.
        rates: dilations; (12, 24, 36) on ResNets, (24, 48, 72) on HRNets as published.
        aux_dropout: share of the auxiliary classifier's channels that training drops; 0.1 on ResNets, 0 on HRNets.
        bias: whether the two classifiers have one, as they have on ResNets.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int = 6,
        base_channels: int = 64,
        rates: Sequence[int] = (12, 24, 36),
        aux_dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels = 4 * base_channels
        early_channels, late_channels = backbone.head_channels
        self.backbone = backbone
        self.reduce = conv_bn_relu(late_channels, channels, 3, bias=True)
        self.context = ObjectContextualRepresentation(channels, channels // 2)
        self.branches = nn.ModuleList(atrous_branches(late_channels, channels, rates, bias=True))
        merged = (len(self.branches) + 1) * channels
        self.merge = nn.Sequential(*conv_bn_relu(merged, channels, 1, bias=True), nn.Dropout2d(0.1))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1, bias=bias)
        self.auxiliary = classification_head(early_channels, 2 * channels, num_classes, dropout=aux_dropout, bias=bias)

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W); in training, also the auxiliary logits at the features' size."""
        early, late = self.backbone.head_features(image)
        aux = self.auxiliary(early)
        context = self.context(self.reduce(late), aux)
        x = self.merge(torch.cat([context, *(branch(late) for branch in self.branches)], dim=1))
        logits = resize(self.classifier(x), image.shape[-2:])
        return SegOutput(logits, aux=(aux,) if self.training else ())
