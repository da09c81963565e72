"""The losses by the names that configs use. Only this file of the package knows the config."""

from typing import TYPE_CHECKING

from torch import nn

from lib.loss.combine import AuxiliaryLoss, WeightedSum
from lib.loss.cross_entropy import BCELoss, CrossEntropyLoss, HardExampleLoss
from lib.loss.dice import DiceLoss, SoftDiceLoss
from lib.loss.lovasz import LovaszSoftmaxLoss
from lib.loss.rmi import RMILoss
from lib.utils.errors import ConfigError
from lib.utils.registry import Registry

if TYPE_CHECKING:
    from lib.utils.config import Config

LOSSES = Registry("loss")
"""``needs`` says what a loss takes beside logits and labels: ``("aux",)`` a sequence of auxiliary logits."""

SOFT_DICE_WEIGHT = 2.0
"""Of Dice beside RMI: the weight of SAM-CL in our configs, whose control this is."""


def build_pixel_loss(cfg: "Config") -> nn.Module:
    """The loss that ``loss.loss_type`` names; it takes its own of ``loss.params``, others are unused.

    Returns:
        A module from logits (N, C, H, W) and labels (N, H, W) int64, -1 = ignored, to a scalar; losses that
        need ``aux`` take it as third argument.

    Raises:
        ConfigError: no such loss, or a parameter outside its range.
    """
    return LOSSES.get(cfg.loss.loss_type)(cfg)


@LOSSES.register("rmi_loss", "fs_rmi_loss", needs=())
def build_rmi(cfg: "Config") -> nn.Module:
    params = cfg.loss.params
    return RMILoss(
        rmi_radius=params.rmi_radius,
        rmi_pool_way=params.rmi_pool_way,
        rmi_pool_size=params.rmi_pool_size,
        rmi_pool_stride=params.rmi_pool_stride,
        loss_weight_lambda=params.loss_weight_lambda,
        loss_weight=params.loss_weight,
        lambda_way=params.lambda_way,
    )


@LOSSES.register("bce_loss", needs=())
def build_bce(cfg: "Config") -> nn.Module:
    return BCELoss()


@LOSSES.register("fs_ce_loss", needs=())
def build_cross_entropy(cfg: "Config") -> nn.Module:
    params = cfg.loss.params
    return CrossEntropyLoss(cfg.data.num_classes, weight=params.ce_weight, reduction=params.ce_reduction)


@LOSSES.register("fs_ohemce_loss", needs=())
def build_hard_examples(cfg: "Config") -> nn.Module:
    params = cfg.loss.params
    return HardExampleLoss(
        cfg.data.num_classes,
        threshold=params.ohem_thresh,
        min_kept=params.ohem_minkeep,
        weight=params.ce_weight,
        reduction=params.ce_reduction,
    )


@LOSSES.register("dice_loss", needs=())
def build_dice(cfg: "Config") -> nn.Module:
    params = cfg.loss.params
    if params.mode != "multiclass":
        raise ConfigError(f"loss.params.mode: expected multiclass (a label is one class), got {params.mode!r}")
    return DiceLoss(
        cfg.data.num_classes,
        classes=params.classes,
        log_loss=params.log_loss,
        from_logits=params.from_logits,
        smooth=params.smooth,
        eps=params.eps,
    )


@LOSSES.register("fs_ce_lovasz_loss", needs=())
def build_cross_entropy_lovasz(cfg: "Config") -> nn.Module:
    return WeightedSum((1.0, build_cross_entropy(cfg)), (1.0, LovaszSoftmaxLoss()))


@LOSSES.register("rmi_dice_loss", needs=())
def build_rmi_dice(cfg: "Config") -> nn.Module:
    return WeightedSum((1.0, build_rmi(cfg)), (SOFT_DICE_WEIGHT, SoftDiceLoss()))


def _with_auxiliary(cfg: "Config", loss: nn.Module) -> nn.Module:
    """The loss, and cross-entropy for the auxiliary output."""
    weights = cfg.network.loss_weights
    return AuxiliaryLoss(loss, build_cross_entropy(cfg), weights.seg_loss, weights.aux_loss)


@LOSSES.register("fs_auxce_loss", needs=("aux",))
def build_auxiliary_cross_entropy(cfg: "Config") -> nn.Module:
    return _with_auxiliary(cfg, build_cross_entropy(cfg))


@LOSSES.register("fs_aux_rmi_loss", needs=("aux",))
def build_auxiliary_rmi(cfg: "Config") -> nn.Module:
    return _with_auxiliary(cfg, build_rmi(cfg))


@LOSSES.register("fs_auxohemce_loss", needs=("aux",))
def build_auxiliary_hard_examples(cfg: "Config") -> nn.Module:
    return _with_auxiliary(cfg, build_hard_examples(cfg))
