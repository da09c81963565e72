"""The networks by the names that configs use. Only this file of the package knows the config."""

from typing import TYPE_CHECKING, Any

from torch import nn

from lib.models.unet import UNet
from lib.utils.registry import Registry

if TYPE_CHECKING:
    from lib.utils.config import Config

NETWORKS = Registry("network")
"""``provides`` says what a network's :class:`~lib.models.output.SegOutput` holds beside the logits."""


def build_network(cfg: "Config") -> nn.Module:
    """The network that ``network.model_name`` names, on the CPU, with fresh weights drawn from torch's seed.

    Returns:
        A module from float32 (N, data.num_channels, H, W) to SegOutput.

    Raises:
        ConfigError: no such network.
    """
    return NETWORKS.get(cfg.network.model_name)(cfg)


def _common(cfg: "Config") -> dict[str, Any]:
    """The arguments that every network takes."""
    return {"in_channels": cfg.data.num_channels, "num_classes": cfg.data.num_classes}


def _proj_dim(cfg: "Config", default: int) -> int:
    """``contrast.proj_dim``; without that section, the width that the published configs give the network."""
    return cfg.contrast.proj_dim if cfg.contrast is not None else default


@NETWORKS.register("unet", provides=())
def build_unet(cfg: "Config") -> nn.Module:
    return UNet(**_common(cfg), base_channels=cfg.network.base_channels)


@NETWORKS.register("unet_contrast", "unet_contrast_mem", provides=("embedding",))
def build_unet_contrast(cfg: "Config") -> nn.Module:
    return UNet(**_common(cfg), base_channels=cfg.network.base_channels, proj_dim=_proj_dim(cfg, 64))
