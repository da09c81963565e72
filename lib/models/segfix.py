"""SegFix (Yuan, Xie, Chen, Wang, ECCV 2020): where boundaries are, and which way the nearest interior lies."""

from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import classification_head, resize
from lib.models.output import SegOutput


class SegFix(nn.Module):
    """Backbone, and two heads of 1x1 convolutions: boundary or not, and the direction from a boundary to the interior.

    Args:
        backbone: its last head feature is used.
        directions: number of directions.
        base_channels: the heads are four times as wide; 64 as published.
    """

    def __init__(self, backbone: Backbone, directions: int = 8, base_channels: int = 64) -> None:
        super().__init__()
        self.backbone = backbone
        channels = backbone.head_channels[-1]
        self.boundary, self.direction = (
            classification_head(channels, 4 * base_channels, classes, 1, conv_bias=False, bias=False)
            for classes in (2, directions)
        )

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (N, 2, H, W), class 1 = boundary, and directions (N, directions, H, W)."""
        boundary, direction = (resize(maps, image.shape[-2:]) for maps in self.coarse(image))
        return SegOutput(boundary, direction=direction)

    def coarse(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Both outputs of :meth:`forward` at the size of the backbone's feature."""
        _, x = self.backbone.head_features(image)
        return self.boundary(x), self.direction(x)
