"""BaseOCNet (Yuan et al., IJCV 2021): each pixel gathers context from the pixels of its object."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.backbones import Backbone
from lib.models.blocks import classification_head, conv_bn_relu, resize
from lib.models.output import SegOutput


class ObjectContext(nn.Module):
    """Self-attention over pixels: ``W(softmax(q k^T / sqrt(d)) v)``.

    Args:
        channels: channels in and out.
        key_channels: d, the channels of keys, queries and values.
    """

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()

        def transform() -> nn.Sequential:
            return nn.Sequential(
                *conv_bn_relu(channels, key_channels, 1, bias=True),
                *conv_bn_relu(key_channels, key_channels, 1, bias=True),
            )

        self.key = transform()
        self.query = transform()
        self.value = nn.Conv2d(channels, key_channels, 1)
        self.out = nn.Conv2d(key_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        query, key, value = (
            layer(x).flatten(2).transpose(1, 2).unsqueeze(1) for layer in (self.query, self.key, self.value)
        )  # each (N, 1, H W, key_channels)
        context = F.scaled_dot_product_attention(query, key, value)
        return self.out(context.squeeze(1).transpose(1, 2).unflatten(2, x.shape[-2:]))


class BaseOCNet(nn.Module):
    """Backbone, 3x3 convolution, object context joined with the features, classifier.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the head is eight times as wide; 64 as published.
    """

    def __init__(self, backbone: Backbone, num_classes: int = 6, base_channels: int = 64) -> None:
        super().__init__()
        channels = 8 * base_channels
        self.backbone = backbone
        early_channels, late_channels = backbone.head_channels
        self.reduce = conv_bn_relu(late_channels, channels, 3, bias=True)
        self.context = ObjectContext(channels, channels // 2)
        self.merge = nn.Sequential(*conv_bn_relu(2 * channels, channels, 1, bias=True), nn.Dropout2d(0.05))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1)
        self.auxiliary = classification_head(early_channels, channels, num_classes)

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W); in training, also the auxiliary logits at stride 8."""
        early, x = self.backbone.head_features(image)
        x = self.reduce(x)
        x = self.merge(torch.cat([self.context(x), x], dim=1))
        logits = resize(self.classifier(x), image.shape[-2:])
        return SegOutput(logits, aux=(self.auxiliary(early),) if self.training else ())
