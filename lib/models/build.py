"""The networks by the names that configs use. Only this file of the package knows the config.

``network.base_channels`` scales the width of every network: at 64 it has the published channels, at 8 an eighth of
them, so that a test or a first run can take any network at a fraction of its size.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from lib.models.attention_unet import AttentionUNet
from lib.models.backbones.resnet import DilatedResNet
from lib.models.backbones.xception import Xception
from lib.models.deeplab_v3 import DeepLabV3
from lib.models.hrnet import HRNetV2
from lib.models.ocnet import BaseOCNet
from lib.models.unet import UNet
from lib.models.weights import load_weights
from lib.utils.errors import CheckpointError
from lib.utils.log import logger
from lib.utils.registry import Registry

if TYPE_CHECKING:
    from lib.utils.config import Config

NETWORKS = Registry("network")
"""By ``network.model_name``. Facts: ``provides``, what a network's output can hold beside the logits (``"aux"``, and
``"embedding"`` where there is a section ``pixel_contrast``), and ``backbone``, whether ``network.backbone`` names one
of :data:`BACKBONES`."""

BACKBONES = Registry("backbone")
"""By ``network.backbone``, of networks that have a choice of it."""


def build_network(cfg: "Config") -> nn.Module:
    """The network that ``network.model_name`` names, on the CPU, with fresh weights drawn from torch's seed.

    PyTorch's default initialisation stays: batch norm makes the weights' scale a matter of the learning rate only,
    and at the published one these small weights learn faster than He's (measured on UNET, DeepLabV3 and HRNet).

    Returns:
        A module from float32 (N, data.num_channels, H, W), H and W at least 32, to SegOutput.

    Raises:
        ConfigError: no such network or backbone.
    """
    name = cfg.network.model_name
    if not NETWORKS.facts(name)["backbone"] and cfg.network.backbone != "none":
        logger.warning("network.backbone: %s has none to choose, so %r has no effect", name, cfg.network.backbone)
    return NETWORKS.get(name)(cfg)


def _data(cfg: "Config") -> dict[str, Any]:
    """The channels in and out, of every network."""
    return {"in_channels": cfg.data.num_channels, "num_classes": cfg.data.num_classes}


def _backbone(cfg: "Config") -> nn.Module:
    return BACKBONES.get(cfg.network.backbone)(cfg)


def _proj_dim(cfg: "Config") -> int | None:
    """The length of the embedding that section ``pixel_contrast`` asks for; None = no embedding."""
    return None if cfg.pixel_contrast is None else cfg.pixel_contrast.proj_dim


@NETWORKS.register("unet", provides=("embedding",), backbone=False)
def build_unet(cfg: "Config") -> nn.Module:
    return UNet(**_data(cfg), base_channels=cfg.network.base_channels, proj_dim=_proj_dim(cfg))


@NETWORKS.register("attention_unet", provides=("embedding",), backbone=False)
def build_attention_unet(cfg: "Config") -> nn.Module:
    return AttentionUNet(**_data(cfg), base_channels=cfg.network.base_channels, proj_dim=_proj_dim(cfg))


@NETWORKS.register("deeplab_v3", provides=("embedding",), backbone=True)
def build_deeplab_v3(cfg: "Config") -> nn.Module:
    return DeepLabV3(
        _backbone(cfg),
        num_classes=cfg.data.num_classes,
        base_channels=cfg.network.base_channels,
        proj_dim=_proj_dim(cfg),
    )


@NETWORKS.register("base_ocnet", provides=("aux",), backbone=True)
def build_base_ocnet(cfg: "Config") -> nn.Module:
    return BaseOCNet(_backbone(cfg), num_classes=cfg.data.num_classes, base_channels=cfg.network.base_channels)


def _hrnet(cfg: "Config", width: int) -> nn.Module:
    base = cfg.network.base_channels
    return HRNetV2(**_data(cfg), width=max(1, round(width * base / 64)), stem_channels=base, proj_dim=_proj_dim(cfg))


@NETWORKS.register("hrnet_w18", provides=("embedding",), backbone=False)
def build_hrnet_w18(cfg: "Config") -> nn.Module:
    return _hrnet(cfg, 18)


@NETWORKS.register("hrnet_w32", provides=("embedding",), backbone=False)
def build_hrnet_w32(cfg: "Config") -> nn.Module:
    return _hrnet(cfg, 32)


@NETWORKS.register("hrnet_w48", provides=("embedding",), backbone=False)
def build_hrnet_w48(cfg: "Config") -> nn.Module:
    return _hrnet(cfg, 48)


def _register_resnets() -> None:
    """``resnet<depth>_dilated8``, and with the deep stem ``deepbase_resnet<depth>_dilated8``."""
    for depth in (18, 50, 101):
        for prefix, deep_stem in (("", False), ("deepbase_", True)):

            def build(cfg: "Config", depth: int = depth, deep_stem: bool = deep_stem) -> nn.Module:
                return DilatedResNet(
                    depth,
                    in_channels=cfg.data.num_channels,
                    base_channels=cfg.network.base_channels,
                    deep_stem=deep_stem,
                    multi_grid=cfg.network.multi_grid,
                )

            BACKBONES.register(f"{prefix}resnet{depth}_dilated8")(build)


_register_resnets()


def _xception(cfg: "Config", output_stride: int) -> nn.Module:
    return Xception(
        in_channels=cfg.data.num_channels,
        base_channels=cfg.network.base_channels,
        output_stride=output_stride,
    )


@BACKBONES.register("xception_8")
def build_xception_8(cfg: "Config") -> nn.Module:
    return _xception(cfg, 8)


@BACKBONES.register("xception_16")
def build_xception_16(cfg: "Config") -> nn.Module:
    return _xception(cfg, 16)


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
            beside = Path(weights).with_suffix(".yaml")
            hint = f"\nThe config of its own run is {beside}: name it with --configs." if beside.is_file() else ""
            raise CheckpointError(f"{f'{weights}: ' if checkpoint else ''}{error}{hint}") from error
        for note in notes:
            # With strict loading nothing is left to warn of.
            logger.log(logging.INFO if config.network.resume_strict else logging.WARNING, note)
    return network
