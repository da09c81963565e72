"""The projection head of pixel contrast."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.models.blocks import conv_bn_relu


class ProjectionHead(nn.Module):
    """1x1 convolution, batch norm, ReLU, 1x1 convolution, L2 normalisation (Wang et al., ICCV 2021).

    Args:
        in_channels: channels of the features.
        proj_dim: channels of the embedding.

    >>> embedding = ProjectionHead(3, proj_dim=2)(torch.rand(2, 3, 4, 5))
    >>> torch.allclose(embedding.norm(dim=1), torch.ones(2, 4, 5))
    True
    """

    def __init__(self, in_channels: int, proj_dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *conv_bn_relu(in_channels, in_channels, 1, bias=True), nn.Conv2d(in_channels, proj_dim, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, proj_dim, h, w) of unit length, float32 under autocast too."""
        return F.normalize(self.layers(features).to(torch.float32), dim=1)
