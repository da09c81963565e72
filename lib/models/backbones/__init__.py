"""Feature extractors that segmentation networks stand on."""

from torch import Tensor, nn


class Backbone(nn.Module):
    """What networks ask of a backbone.

    Attributes:
        channels: widths of the feature maps that it returns, finest first.
    """

    channels: tuple[int, ...]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to feature maps (N, channels[i], h_i, w_i), finest first."""
        raise NotImplementedError
