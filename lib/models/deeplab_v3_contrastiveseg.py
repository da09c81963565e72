"""DeepLabV3 as ContrastiveSeg has it (Wang et al., ICCV 2021): no low-level features, a wider pyramid."""

import torch
from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import atrous_branches, classification_head, conv_bn_relu, resize
from lib.models.deeplab_v3 import ImagePooling
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead

RATES = (12, 24, 36)


class PlainDeepLabV3(nn.Module):
    """Backbone, atrous spatial pyramid pooling merged by a 3x3 convolution, and a classifier.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the pyramid is eight times as wide; 64 as published.
        proj_dim: channels of the embedding; None leaves out the projection head.
    """

    def __init__(
        self, backbone: Backbone, num_classes: int = 6, base_channels: int = 64, proj_dim: int | None = None
    ) -> None:
        super().__init__()
        channels = 8 * base_channels
        early_channels, late_channels = backbone.head_channels
        self.backbone = backbone
        self.branches = nn.ModuleList(
            [*atrous_branches(late_channels, channels, RATES), ImagePooling(late_channels, channels)]
        )
        self.merge = conv_bn_relu(len(self.branches) * channels, channels, 3)
        # No ReLU before the classifier, as published.
        self.refine = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.auxiliary = classification_head(early_channels, 4 * base_channels, num_classes)
        self.projection = ProjectionHead(late_channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W) and, with the head, an embedding at the features' size.

        In training also the auxiliary logits, at the features' size.
        """
        early, late = self.backbone.head_features(image)
        x = self.merge(torch.cat([branch(late) for branch in self.branches], dim=1))
        embedding = self.projection(late) if self.projection is not None else None
        logits = resize(self.classifier(self.refine(x)), image.shape[-2:])
        return SegOutput(logits, embedding, (self.auxiliary(early),) if self.training else ())
