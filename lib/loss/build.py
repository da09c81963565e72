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
"""By ``loss.loss_type``: builders from a config to a module. Facts: ``needs``, what a loss takes beside logits and
labels: ``("aux",)`` a sequence of auxiliary logits."""

SOFT_DICE_WEIGHT = 2.0
"""Of Dice beside RMI: the weight of SAM-CL in our configs, whose control this is."""


def build_pixel_loss(config: "Config") -> nn.Module:
    """The loss that ``loss.loss_type`` names; it takes its own of ``loss.params``, others are unused.

    Returns:
        A module from logits (N, C, H, W) and labels (N, H, W) int64, -1 = ignored, to a scalar; losses that
        need ``aux`` take it as third argument.

    Raises:
        ConfigError: no such loss, or a parameter outside its range.
    """
    return LOSSES.get(config.loss.loss_type)(config)


@LOSSES.register("rmi_loss", "fs_rmi_loss", needs=())
def build_rmi(config: "Config") -> nn.Module:
    """Region mutual information, and the sigmoid cross-entropy beside it."""
    params = config.loss.params
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
def build_bce(config: "Config") -> nn.Module:
    """Sigmoid cross-entropy of each class against the rest."""
    return BCELoss()


@LOSSES.register("fs_ce_loss", needs=())
def build_cross_entropy(config: "Config") -> nn.Module:
    """Softmax cross-entropy."""
    params = config.loss.params
    return CrossEntropyLoss(config.data.num_classes, weight=params.ce_weight, reduction=params.ce_reduction)


@LOSSES.register("fs_ohemce_loss", needs=())
def build_hard_examples(config: "Config") -> nn.Module:
    """Softmax cross-entropy over the least probable pixels."""
    params = config.loss.params
    return HardExampleLoss(
        config.data.num_classes,
        threshold=params.ohem_thresh,
        min_kept=params.ohem_minkeep,
        weight=params.ce_weight,
        reduction=params.ce_reduction,
    )


@LOSSES.register("dice_loss", needs=())
def build_dice(config: "Config") -> nn.Module:
    """Dice of each class, as published.

    Raises:
        ConfigError: ``loss.params.mode`` isn't ``multiclass``, or ``classes`` names a class that doesn't exist.
    """
    params = config.loss.params
    if params.mode != "multiclass":
        raise ConfigError(f"loss.params.mode: expected multiclass (a label is one class), got {params.mode!r}")
    return DiceLoss(
        config.data.num_classes,
        classes=params.classes,
        log_loss=params.log_loss,
        from_logits=params.from_logits,
        smooth=params.smooth,
        eps=params.eps,
    )


@LOSSES.register("fs_ce_lovasz_loss", needs=())
def build_cross_entropy_lovasz(config: "Config") -> nn.Module:
    """Softmax cross-entropy + the Lovasz extension of 1 - IoU."""
    return WeightedSum((1.0, build_cross_entropy(config)), (1.0, LovaszSoftmaxLoss()))


@LOSSES.register("rmi_dice_loss", needs=())
def build_rmi_dice(config: "Config") -> nn.Module:
    """RMI + :data:`SOFT_DICE_WEIGHT` x soft Dice."""
    return WeightedSum((1.0, build_rmi(config)), (SOFT_DICE_WEIGHT, SoftDiceLoss()))


def _with_auxiliary(config: "Config", loss: nn.Module) -> nn.Module:
    """The loss, and cross-entropy for the auxiliary output."""
    weights = config.network.loss_weights
    return AuxiliaryLoss(loss, build_cross_entropy(config), weights.seg_loss, weights.aux_loss)


@LOSSES.register("fs_auxce_loss", needs=("aux",))
def build_auxiliary_cross_entropy(config: "Config") -> nn.Module:
    """Softmax cross-entropy of the logits and of the auxiliary logits."""
    return _with_auxiliary(config, build_cross_entropy(config))


@LOSSES.register("fs_aux_rmi_loss", needs=("aux",))
def build_auxiliary_rmi(config: "Config") -> nn.Module:
    """RMI of the logits, softmax cross-entropy of the auxiliary logits."""
    return _with_auxiliary(config, build_rmi(config))


@LOSSES.register("fs_auxohemce_loss", needs=("aux",))
def build_auxiliary_hard_examples(config: "Config") -> nn.Module:
    """Hard examples of the logits, softmax cross-entropy of the auxiliary logits."""
    return _with_auxiliary(config, build_hard_examples(config))
