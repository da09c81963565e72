"""Object-contextual representations (Yuan, Chen, Wang, ECCV 2020): what OCR adds to the features of a pixel."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.blocks import conv_bn_relu


def object_regions(logits: Tensor, features: Tensor) -> Tensor:
    """For every class the mean of the features, weighted by the softmax of its logits *over the pixels* (eq. 3).

    Args:
        logits: (N, K, H, W), of an auxiliary classifier.
        features: (N, C, H, W).

    Returns:
        (N, C, K) float32, under autocast too: a weight of one among many pixels is too small for half precision.

    >>> object_regions(torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 3.0]]]]))  # equal logits: plain means
    tensor([[[2., 2.]]])
    """
    device = features.device.type
    # The meta device, on which shapes are worked out, knows no autocast.
    with torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext():
        weights = logits.float().flatten(2).softmax(dim=2)
        return features.float().flatten(2) @ weights.transpose(1, 2)


class ObjectContextualRepresentation(nn.Module):
    """Every pixel's attention over the object regions: ``out(softmax(q k^T / sqrt(d)) v)`` (eq. 4 and 5).

    Queries come from the pixels, keys and values from the regions.

    Args:
        channels: of the features, in and out.
        key_channels: d, the channels of queries, keys and values.
    """

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()

        def transform() -> nn.Sequential:
            return nn.Sequential(
                *conv_bn_relu(channels, key_channels, 1, bias=True),
                *conv_bn_relu(key_channels, key_channels, 1, bias=True),
            )

        self.query = transform()
        self.key = transform()
        self.value = conv_bn_relu(channels, key_channels, 1, bias=True)
        self.out = conv_bn_relu(key_channels, channels, 1, bias=True)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features (N, channels, H, W) and auxiliary logits (N, K, H, W) to contexts (N, channels, H, W)."""
        regions = object_regions(logits, features).to(features.dtype).unsqueeze(3)  # (N, channels, K, 1)
        query, key, value = (
            x.flatten(2).transpose(1, 2).unsqueeze(1)
            for x in (self.query(features), self.key(regions), self.value(regions))
        )  # (N, 1, H W, d), twice (N, 1, K, d)
        context = F.scaled_dot_product_attention(query, key, value)
        return self.out(context.squeeze(1).transpose(1, 2).unflatten(2, features.shape[-2:]))
