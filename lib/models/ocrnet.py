"""OCR networks (Yuan, Chen, Wang, ECCV 2020): each pixel's features joined with those of the objects it resembles."""

import torch
from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import classification_head, conv_bn_relu, resize
from lib.models.object_regions import ObjectContextualRepresentation
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead


class OCRNet(nn.Module):
    """Backbone, an auxiliary classifier whose logits say where the objects are, and their context for every pixel.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        channels: width of the head; 512 as published, 256 in the variant "b".
        aux_channels: width of the auxiliary classifier.
        aux_dropout: share of its channels that training drops; 0.05 on ResNets, 0 on HRNets as published.
        proj_dim: channels of the embedding; None leaves out the projection head.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int = 6,
        channels: int = 512,
        aux_channels: int = 512,
        aux_dropout: float = 0.0,
        proj_dim: int | None = None,
    ) -> None:
        super().__init__()
        early_channels, late_channels = backbone.head_channels
        self.backbone = backbone
        self.reduce = conv_bn_relu(late_channels, channels, 3, bias=True)
        self.context = ObjectContextualRepresentation(channels, max(1, channels // 2))
        self.merge = nn.Sequential(*conv_bn_relu(2 * channels, channels, 1, bias=True), nn.Dropout2d(0.05))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.auxiliary = classification_head(early_channels, aux_channels, num_classes, dropout=aux_dropout)
        self.projection = ProjectionHead(late_channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W) and, with the head, an embedding at the features' size.

        In training also the auxiliary logits, at the features' size.
        """
        early, late = self.backbone.head_features(image)
        aux = self.auxiliary(early)
        x = self.reduce(late)
        x = self.merge(torch.cat([self.context(x, aux), x], dim=1))
        embedding = self.projection(late) if self.projection is not None else None
        logits = resize(self.classifier(x), image.shape[-2:])
        return SegOutput(logits, embedding, (aux,) if self.training else ())
