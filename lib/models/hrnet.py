"""HRNetV2 for segmentation (Wang et al., TPAMI 2020): all resolutions joined at stride 4."""

from torch import Tensor, nn

from lib.models.backbones import Backbone
from lib.models.blocks import conv_bn_relu, resize
from lib.models.output import SegOutput
from lib.models.projection import ProjectionHead


class HRNetV2(nn.Module):
    """The branches of an HRNet, upsampled to the finest and concatenated, through a 3x3 head.

    Args:
        backbone: :class:`~lib.models.backbones.hrnet.HRNet`; of width 48, 48 + 96 + 192 + 384 = 720 channels arrive.
        num_classes: channels of the logits.
        proj_dim: channels of the embedding; None leaves out the projection head.
    """

    def __init__(self, backbone: Backbone, num_classes: int = 6, proj_dim: int | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        channels = backbone.head_channels[-1]
        self.head = nn.Sequential(*conv_bn_relu(channels, channels, 3, bias=True), nn.Dropout2d(0.1))
        self.classifier = nn.Conv2d(channels, num_classes, kernel_size=1, bias=False)
        self.projection = ProjectionHead(channels, proj_dim) if proj_dim else None

    def forward(self, image: Tensor) -> SegOutput:
        """(N, in_channels, H, W) to logits of size (H, W) and, with the head, an embedding at stride 4."""
        _, x = self.backbone.head_features(image)
        embedding = self.projection(x) if self.projection is not None else None
        logits = self.classifier(self.head(x))
        return SegOutput(resize(logits, image.shape[-2:]), embedding)
