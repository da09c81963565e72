"""The networks by the names that configs use. Only this file of the package knows the config.

``network.base_channels`` scales the width of every network: at 64 it has the published channels, at 8 an eighth of
them, so that a test or a first run can take any network at a fraction of its size.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from lib.models.asp_ocnet import ASPOCNet
from lib.models.asp_ocrnet import ASPOCRNet
from lib.models.attention_unet import AttentionUNet
from lib.models.backbones import Backbone
from lib.models.backbones.hrnet import HRNet, HRNet2x
from lib.models.backbones.resnet import DilatedResNet
from lib.models.backbones.xception import Xception
from lib.models.deeplab_v3 import DeepLabV3
from lib.models.deeplab_v3_contrastiveseg import PlainDeepLabV3
from lib.models.fcnet import FCNet
from lib.models.hrnet import HRNetV2
from lib.models.inplace_abn import use_inplace_abn
from lib.models.isanet import ISANet
from lib.models.ocnet import BaseOCNet
from lib.models.ocrnet import OCRNet
from lib.models.segfix import SegFix
from lib.models.unet import UNet
from lib.models.weights import load_weights
from lib.utils.errors import CheckpointError
from lib.utils.log import logger
from lib.utils.registry import Registry

if TYPE_CHECKING:
    from lib.utils.config import Config

NETWORKS = Registry("network")
"""By ``network.model_name``: builders from a config to a module. Facts: ``provides``, what a network's output can hold
beside the logits (``"aux"``, ``"direction"``, and ``"embedding"`` where there is a section ``pixel_contrast``), and
``backbone``, whether ``network.backbone`` names one of :data:`BACKBONES`."""

BACKBONES = Registry("backbone")
"""By ``network.backbone``, of networks that have a choice of it: builders from a config to a backbone."""


def build_network(config: "Config") -> nn.Module:
    """The network that ``network.model_name`` names, on the CPU, with fresh weights drawn from torch's seed.

    PyTorch's default initialisation stays: batch norm makes the weights' scale a matter of the learning rate only,
    and at the published one these small weights learn faster than He's (measured on UNET, DeepLabV3 and HRNet).

    Returns:
        A module from float32 (N, data.num_channels, H, W), H and W at least 32, to SegOutput.

    Raises:
        ConfigError: no such network or backbone.
    """
    name = config.network.model_name
    if not NETWORKS.facts(name)["backbone"] and config.network.backbone != "none":
        logger.warning("network.backbone: %s has none to choose, so %r has no effect", name, config.network.backbone)
    network = NETWORKS.get(name)(config)
    if config.network.bn_type == "inplace_abn":
        use_inplace_abn(network)
    return network


def _backbone(config: "Config") -> Backbone:
    return BACKBONES.get(config.network.backbone)(config)


def _proj_dim(config: "Config") -> int | None:
    """The length of the embedding that section ``pixel_contrast`` asks for; None = no embedding."""
    return None if config.pixel_contrast is None else config.pixel_contrast.proj_dim


@NETWORKS.register("unet", provides=("embedding",), backbone=False)
def build_unet(config: "Config") -> nn.Module:
    """UNET, with a projection head for contrast."""
    return UNet(
        config.data.num_channels,
        config.data.num_classes,
        base_channels=config.network.base_channels,
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register("attention_unet", provides=("embedding",), backbone=False)
def build_attention_unet(config: "Config") -> nn.Module:
    """Attention-UNET, with a projection head for contrast."""
    return AttentionUNet(
        config.data.num_channels,
        config.data.num_classes,
        base_channels=config.network.base_channels,
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register("deeplab_v3", provides=("embedding",), backbone=True)
def build_deeplab_v3(config: "Config") -> nn.Module:
    """DeepLabV3 with the decoder of V3+ on any backbone, with a projection head for contrast."""
    return DeepLabV3(
        _backbone(config),
        config.data.num_classes,
        base_channels=config.network.base_channels,
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register("base_ocnet", provides=("aux",), backbone=True)
def build_base_ocnet(config: "Config") -> nn.Module:
    """BaseOCNet on any backbone, with an auxiliary classifier."""
    return BaseOCNet(_backbone(config), config.data.num_classes, base_channels=config.network.base_channels)


HRNET_WIDTHS = (18, 32, 48, 64)
"""Channels of the finest branch, as the names of networks and backbones say."""


def _hrnets(head: str = "") -> tuple[str, ...]:
    """The names of the networks with a head on an HRNet of each width."""
    return tuple(f"hrnet_w{width}{head}" for width in HRNET_WIDTHS)


def _hrnet(config: "Config") -> HRNet:
    """The body whose width the network's name says."""
    return _hrnet_of_width(config, int(config.network.model_name.removeprefix("hrnet_w").partition("_")[0]))


def _hrnet_of_width(config: "Config", width: int) -> HRNet:
    base = config.network.base_channels
    return HRNet(config.data.num_channels, max(1, round(width * base / 64)), base)


@NETWORKS.register(*_hrnets(), provides=("embedding",), backbone=False)
def build_hrnet(config: "Config") -> nn.Module:
    """HRNetV2 of the width in its name, with a projection head for contrast."""
    return HRNetV2(_hrnet(config), config.data.num_classes, proj_dim=_proj_dim(config))


@NETWORKS.register(*_hrnets("_ocr"), *_hrnets("_ocr_b"), provides=("aux", "embedding"), backbone=False)
def build_hrnet_ocr(config: "Config") -> nn.Module:
    """OCR on an HRNet, in the variant "b" with half the channels; with a projection head for contrast."""
    body, base = _hrnet(config), config.network.base_channels
    narrow = config.network.model_name.endswith("_b")
    return OCRNet(
        body,
        config.data.num_classes,
        channels=4 * base if narrow else 8 * base,
        aux_channels=4 * base if narrow else body.head_channels[0],
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register(*_hrnets("_asp_ocr"), provides=("aux",), backbone=False)
def build_hrnet_asp_ocr(config: "Config") -> nn.Module:
    """ASP-OCR on an HRNet: dilations for its stride of 4, classifiers without bias."""
    return ASPOCRNet(
        _hrnet(config),
        config.data.num_classes,
        base_channels=config.network.base_channels,
        rates=(24, 48, 72),
        bias=False,
    )


@NETWORKS.register("spatial_ocrnet", provides=("aux", "embedding"), backbone=True)
def build_spatial_ocrnet(config: "Config") -> nn.Module:
    """OCR on any backbone, with a projection head for contrast."""
    channels = 8 * config.network.base_channels
    return OCRNet(
        _backbone(config),
        config.data.num_classes,
        channels=channels,
        aux_channels=channels,
        aux_dropout=0.05,
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register("spatial_asp_ocrnet", provides=("aux",), backbone=True)
def build_spatial_asp_ocrnet(config: "Config") -> nn.Module:
    """ASP-OCR on any backbone."""
    return ASPOCRNet(
        _backbone(config), config.data.num_classes, base_channels=config.network.base_channels, aux_dropout=0.1
    )


@NETWORKS.register("asp_ocnet", provides=("aux",), backbone=True)
def build_asp_ocnet(config: "Config") -> nn.Module:
    """ASP-OC on any backbone."""
    return ASPOCNet(_backbone(config), config.data.num_classes, base_channels=config.network.base_channels)


@NETWORKS.register("isanet", provides=("aux",), backbone=True)
def build_isanet(config: "Config") -> nn.Module:
    """Interlaced sparse self-attention on any backbone."""
    return ISANet(
        _backbone(config),
        config.data.num_classes,
        base_channels=config.network.base_channels,
        factors=[(rows, columns) for rows, columns in config.network.factors],
    )


@NETWORKS.register("fcnet", provides=("aux",), backbone=True)
def build_fcnet(config: "Config") -> nn.Module:
    """A fully convolutional head on any backbone."""
    return FCNet(_backbone(config), config.data.num_classes, base_channels=config.network.base_channels)


@NETWORKS.register("deeplab_v3_contrastiveseg", provides=("aux", "embedding"), backbone=True)
def build_plain_deeplab_v3(config: "Config") -> nn.Module:
    """ContrastiveSeg's DeepLabV3 on any backbone, with a projection head for contrast."""
    return PlainDeepLabV3(
        _backbone(config),
        config.data.num_classes,
        base_channels=config.network.base_channels,
        proj_dim=_proj_dim(config),
    )


@NETWORKS.register("segfix_hrnet", provides=("direction",), backbone=True)
def build_segfix(config: "Config") -> nn.Module:
    """SegFix on any backbone: boundary or not, whatever ``data.num_classes`` is, and eight directions."""
    return SegFix(_backbone(config), base_channels=config.network.base_channels)


@BACKBONES.register(*(f"hrnet{width}" for width in HRNET_WIDTHS))
def build_hrnet_body(config: "Config") -> Backbone:
    """HRNet of the width in its name."""
    return _hrnet_of_width(config, int(config.network.backbone.removeprefix("hrnet")))


@BACKBONES.register("hrnet2x20")
def build_hrnet2x(config: "Config") -> Backbone:
    """SegFix's HRNet of twice the resolution."""
    base = config.network.base_channels
    return HRNet2x(config.data.num_channels, max(1, round(20 * base / 64)), base)


RESNETS = {
    f"{prefix}resnet{depth}{suffix}": (depth, prefix == "deepbase_", stride)
    for depth in (18, 50, 101)
    for prefix in ("", "deepbase_")
    for suffix, stride in (("_dilated8", 8), ("_dilated16", 16), ("", 32))
}
"""Depth, whether the stem is deep, and the output stride, by name."""


@BACKBONES.register(*RESNETS)
def build_resnet(config: "Config") -> Backbone:
    """ResNet of the depth, stem and output stride of :data:`RESNETS`."""
    depth, deep_stem, output_stride = RESNETS[config.network.backbone]
    return DilatedResNet(
        depth,
        in_channels=config.data.num_channels,
        base_channels=config.network.base_channels,
        deep_stem=deep_stem,
        multi_grid=config.network.multi_grid,
        output_stride=output_stride,
    )


@BACKBONES.register("xception_8", "xception_16")
def build_xception(config: "Config") -> Backbone:
    """Aligned Xception-65 of the output stride in its name."""
    return Xception(
        in_channels=config.data.num_channels,
        base_channels=config.network.base_channels,
        output_stride=int(config.network.backbone.removeprefix("xception_")),
    )


def build_network_with_weights(config: "Config", checkpoint: Mapping[str, Any] | None = None) -> nn.Module:
    """The network that ``config`` describes, on the CPU, with the weights of ``network.resume`` or ``.pretrained``.

    Args:
        config: of the run.
        checkpoint: the content of that file, where it has been read already.

    Raises:
        ConfigError: no such network.
        CheckpointError: the weights can't be read, or don't fit and ``network.resume_strict`` is on.
    """
    network = build_network(config)
    weights = config.network.resume or config.network.pretrained
    if weights:
        try:
            notes = load_weights(
                network,
                checkpoint or weights,
                strict=config.network.resume_strict,
                accept_backbone=config.phase == "train",
            )
        except CheckpointError as error:
            sibling = Path(weights).with_suffix(".yaml")
            hint = f"\nThe config of its own run is {sibling}: name it with --configs." if sibling.is_file() else ""
            raise CheckpointError(f"{f'{weights}: ' if checkpoint else ''}{error}{hint}") from error
        for note in notes:
            # With strict loading nothing is left to warn of.
            logger.log(logging.INFO if config.network.resume_strict else logging.WARNING, note)
    return network
