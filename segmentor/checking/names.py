"""The check of names that a config's schema doesn't know: networks, backbones and losses, and whether they fit."""

from collections.abc import Collection

from lib.models import NETWORKS
from lib.models.build import BACKBONES
from lib.utils.config import Config, Fault
from segmentor.objectives import loss_types


def check_names(config: Config) -> list[Fault]:
    """The faults in the names of network, backbone and loss and in their combination; empty where there are none.

    Args:
        config: of the run.
    """
    network, loss = config.network.model_name, config.loss.loss_type
    losses = loss_types()
    faults = _unknown("network.model_name", network, NETWORKS.names()) + _unknown("loss.loss_type", loss, losses)
    if network in NETWORKS.names() and NETWORKS.facts(network)["backbone"]:
        faults += _unknown("network.backbone", config.network.backbone, BACKBONES.names())
    if faults:
        return faults
    if misused := _misused_segfix(config):
        return misused
    if config.pixel_contrast is not None and network not in _providers("embedding"):
        others = ("network.model_name",)
        hint = f"networks that have one: {', '.join(_providers('embedding'))}"
        return [Fault("pixel_contrast", f"null, as network {network} has no embedding", hint=hint, others=others)]
    return [
        Fault(
            "loss.loss_type",
            f"a loss that needs no {need} output, as network {network} has none",
            loss,
            f"networks that have one: {', '.join(_providers(need))}",
            others=("network.model_name",),
        )
        for need in losses[loss]
        if network not in _providers(need)
    ]


def _misused_segfix(config: Config) -> list[Fault]:
    """What a network of boundaries and directions, not of classes, can't do, and others can't instead."""
    network, others = config.network.model_name, ("network.model_name",)
    if network not in _providers("direction"):
        if config.phase != "test_offset":
            return []
        hint = f"networks that have them: {', '.join(_providers('direction'))}"
        return [Fault("phase", f"test, as network {network} predicts no offsets", config.phase, hint, others)]
    if config.phase in ("test", "predict"):
        expected = f"train, test_offset or export, as network {network} predicts offsets, not classes"
        return [Fault("phase", expected, config.phase, others=others)]
    if config.phase == "train" and not config.learns_boundaries:
        return [Fault("loss.loss_type", f"segfix_loss for network {network}", config.loss.loss_type, others=others)]
    if config.phase == "train" and config.samcl is not None:
        return [Fault("samcl", f"null, as network {network} has no classes", others=others)]
    return []


def _providers(need: str) -> list[str]:
    return [name for name in NETWORKS.names() if need in NETWORKS.facts(name)["provides"]]


def _unknown(key: str, name: str, valid: Collection[str]) -> list[Fault]:
    return [] if name in valid else [Fault.unknown_name(key, name, valid)]
