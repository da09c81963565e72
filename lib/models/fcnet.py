"""FCNet, the fully convolutional baseline of openseg.pytorch (Long et al., CVPR 2015, on a dilated backbone)."""

from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import classification_head, resize
from lib.models.output import SegOutput


class FCNet(nn.Module):
    """Backbone, and a head of a 3x3 and a 1x1 convolution, for the main and for the auxiliary output alike.

    Args:
        backbone: its head features are used.
        num_classes: channels of the logits.
        base_channels: the heads are eight times as wide; 64 as published.
    """

    def __init__(self, backbone: Backbone, num_classes: int = 6, base_channels: int = 64) -> None:
        super().__init__()
        self.backbone = backbone
        self.auxiliary, self.head = (
            classification_head(channels, 8 * base_channels, num_classes, dropout=0.1, bias=False)
            for channels in backbone.head_channels
        )

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits (H, W); in training, also the auxiliary logits at the features' size."""
        early, late = self.backbone.head_features(image)
        logits = resize(self.head(late), image.shape[-2:])
        return SegOutput(logits, aux=(self.auxiliary(early),) if self.training else ())
