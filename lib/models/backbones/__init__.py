"""Feature extractors that segmentation networks stand on."""

from torch import Tensor, nn


class Backbone(nn.Module):
    """What networks ask of a backbone.

    Attributes:
        channels: widths of the feature maps that it returns, finest first.
        imagenet: the file of ImageNet weights that it takes, in words; empty where there is none.
    """

    channels: tuple[int, ...]
    imagenet: str = ""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, in_channels, H, W) to feature maps (N, channels[i], h_i, w_i), finest first."""
        raise NotImplementedError

    @property
    def head_channels(self) -> tuple[int, int]:
        """Widths of the two maps of :meth:`head_features`."""
        return self.channels[-2], self.channels[-1]

    def head_features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What the auxiliary and what the main head of a network start from: here, the last two feature maps."""
        *_, early, late = self(image)
        return early, late
