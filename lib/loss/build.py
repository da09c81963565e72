"""The losses by the names that configs use. Only this file of the package knows the config."""

from typing import TYPE_CHECKING, Any

from torch import nn

from lib.loss.rmi import RMILoss
from lib.utils.registry import Registry

if TYPE_CHECKING:
    from lib.utils.config import Config

LOSSES = Registry("loss")
"""``needs`` says what a loss takes beside logits and labels: ``("aux",)`` a tuple of auxiliary logits."""


def build_pixel_loss(cfg: "Config") -> nn.Module:
    """The loss that ``loss.loss_type`` names; it takes its own of ``loss.params``, others are unused.

    Returns:
        A module from logits (N, C, H, W) and labels (N, H, W) int64, -1 = ignored, to a scalar.

    Raises:
        ConfigError: no such loss, or a parameter outside its range.
    """
    return LOSSES.get(cfg.loss.loss_type)(cfg)


def rmi_options(cfg: "Config") -> dict[str, Any]:
    """The parameters of RMI in ``loss.params``, for RMI itself and for SAM-CL's distances."""
    names = ("radius", "pool_way", "pool_size", "pool_stride")
    options = {f"rmi_{name}": getattr(cfg.loss.params, f"rmi_{name}") for name in names}
    for name in ("loss_weight_lambda", "loss_weight", "lambda_way"):
        options[name] = getattr(cfg.loss.params, name)
    return options


@LOSSES.register("rmi_loss", "fs_rmi_loss", needs=())
def build_rmi(cfg: "Config") -> nn.Module:
    return RMILoss(cfg.data.num_classes, **rmi_options(cfg))
