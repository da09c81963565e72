"""Loading weights into a network: our checkpoints, the published ones, ImageNet classifiers for backbones."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lib.models.hrnet import HRNetV2
from lib.models.inplace_abn import InPlaceABN
from lib.models.published import IMAGENET, Table, needs_inplace_abn, published_table, rename
from lib.utils.checkpoint import load_checkpoint
from lib.utils.errors import CheckpointError

_PUBLISHED = "a published checkpoint"


@dataclass(frozen=True)
class _KeyMapping:
    """From the key names of some source of weights to those of a network here.

    Attributes:
        source: in words; empty for our own names.
        table: of replacements, see :func:`lib.models.published.rename`.
        prefix: of the network's keys that such weights fill; empty for all.
    """

    source: str
    table: Table
    prefix: str = ""


def load_weights(
    network: nn.Module,
    source: str | os.PathLike | Mapping[str, Any],
    strict: bool = True,
    accept_backbone: bool = True,
) -> list[str]:
    """Load weights into ``network`` in place. Whose key names they bear is found out from the keys.

    Known are our own names, those of the published code of SAM-CL, openseg.pytorch and ContrastiveSeg, and those of
    ImageNet classifiers: torchvision's and openseg's ResNets, the official HRNetV2 and SegFix's HRNet2x. ImageNet
    weights fill the backbone alone, and those of a stem on 3 channels are summed into the network's channels.

    Args:
        network: one of :data:`lib.models.NETWORKS`, on any device.
        source: a file or its content: a dict with ``state_dict`` or ``model``, or a bare state dict. Keys may
            begin with ``module.``
        strict: raise on weights that are missing, left over or of another shape; otherwise load what fits and
            report the rest.
        accept_backbone: take weights of a backbone alone, which leave the rest of the network untrained.

    Returns:
        What a user should know; empty if every weight found its place under our own names.

    Raises:
        CheckpointError: unreadable file, no weights in it, none for this network, for one with another arithmetic
            of batch norm, or (``strict``) some that don't fit, all listed. The network is unchanged then.
    """
    where = "the given weights" if isinstance(source, Mapping) else str(source)
    given = _state_dict(source if isinstance(source, Mapping) else load_checkpoint(source), where)
    target = {**network.state_dict(), **_former_bias(network, given)}
    mapping, names = _best_mapping(given, target, _key_mappings(network))
    found = {names[key]: value for key, value in given.items() if names[key]}
    if mapping.prefix and not accept_backbone:
        raise CheckpointError(
            f"{where}: expected a whole network, got weights of {mapping.source}, that fill the backbone alone; "
            f"train from them with network.pretrained, and use the checkpoint of that run here"
        )
    if mapping.prefix:
        found = {key: _match_channels(value, target.get(key)) for key, value in found.items()}
    fitting = {key: value for key, value in found.items() if key in target and value.shape == target[key].shape}
    if not fitting:
        raise CheckpointError(
            f"{where}: expected weights of {type(network).__name__}, but none of its {len(given)} weights fits; "
            f"they are called {', '.join(list(given)[:3])} ... Check network.model_name and network.backbone."
            f"{_imagenet_hint(network)}"
        )
    if mapping.source == _PUBLISHED:
        _check_arithmetic(network, given, where)
    faults = _faults(found, target, mapping, {ours: theirs for theirs, ours in names.items()})
    if faults:
        message = f"{where}: {len(faults)} weights don't fit {type(network).__name__}:\n  " + "\n  ".join(faults)
        if strict:
            raise CheckpointError(
                f"{message}\nCheck network.model_name, network.backbone, network.base_channels, data.num_classes, "
                "data.num_channels and pixel_contrast.proj_dim, or load what fits with --resume_strict n."
                f"{_imagenet_hint(network)}"
            )
    if "classifier.bias" in fitting and isinstance(network, HRNetV2):
        network.classifier.bias = nn.Parameter(torch.empty_like(fitting["classifier.bias"]))
    network.load_state_dict(fitting, strict=False)
    notes = []
    if mapping.source:
        notes.append(f"{where}: read as {mapping.source}")
    if mapping.prefix:
        notes.append(f"{where}: fills the backbone; the rest of the network keeps its fresh weights")
    return [*notes, message] if faults else notes


def _state_dict(content: Mapping[str, Any], where: str) -> dict[str, Tensor]:
    """The weights in a checkpoint's content, without the prefix that data parallelism leaves."""
    for key in ("state_dict", "model"):
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not content or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
        raise CheckpointError(
            f"{where}: expected weights by name, bare or under 'state_dict' or 'model'; "
            f"got the entries {', '.join(map(str, list(content)[:10])) or '(none)'}"
        )
    # ContrastiveSeg's network with a memory is one inside another.
    return {key.removeprefix("module.").removeprefix("encoder_q."): value for key, value in content.items()}


def _former_bias(network: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The bias of an HRNet's classifier, which those of former versions have and the published one hasn't."""
    bias = given.get("classifier.bias")
    if not isinstance(network, HRNetV2) or bias is None or len(bias) != network.classifier.out_channels:
        return {}
    return {"classifier.bias": bias.to(network.classifier.weight.device)}


def _check_arithmetic(network: nn.Module, given: Mapping[str, Tensor], where: str) -> None:
    """Refuse weights that would silently give other numbers."""
    needed = needs_inplace_abn(network, given)
    used = any(isinstance(module, InPlaceABN) for module in network.modules())
    if needed and not used:
        raise CheckpointError(
            f"{where}: expected weights trained with plain batch norm, got those of an InPlace-ABN network of "
            "openseg.pytorch, which scales by |weight| and has leaky ReLUs; load them with network.bn_type inplace_abn"
        )
    if needed is False and used:
        raise CheckpointError(
            f"{where}: expected weights trained with InPlace-ABN, as network.bn_type is inplace_abn, got those of a "
            "network with plain batch norm; load them with network.bn_type torchsyncbn"
        )


def _imagenet_hint(network: nn.Module) -> str:
    """Which ImageNet weights would fit; empty where there are none."""
    file = getattr(getattr(network, "backbone", None), "imagenet", "")
    return f" Of ImageNet weights it takes {file}." if file else ""


def _key_mappings(network: nn.Module) -> list[_KeyMapping]:
    """The key names that ``network`` understands, its own first."""
    mappings = [_KeyMapping("", ()), _KeyMapping(_PUBLISHED, published_table(network))]
    backbone = type(getattr(network, "backbone", None))
    if backbone in IMAGENET:
        mappings.append(_KeyMapping("an ImageNet classifier", IMAGENET[backbone], prefix="backbone."))
    return mappings


def _best_mapping(
    given: Mapping[str, Tensor], target: Mapping[str, Tensor], mappings: list[_KeyMapping]
) -> tuple[_KeyMapping, dict[str, str]]:
    """The mapping under which most keys are the network's (the first of equals), and its names for the keys."""
    named = [(mapping, rename(given, mapping.table)) for mapping in mappings]
    return max(named, key=lambda pair: sum(name in target for name in pair[1].values()))


def _match_channels(weight: Tensor, target: Tensor | None) -> Tensor:
    """Sum a convolution on 3 channels into the network's, so that a grey image gives what it gave before."""
    if target is None or weight.ndim != 4 or weight.shape[1] != 3 or target.shape[1] == 3:
        return weight
    channels = target.shape[1]
    return weight.sum(dim=1, keepdim=True).expand(-1, channels, -1, -1) / channels


def _faults(
    found: Mapping[str, Tensor], target: Mapping[str, Tensor], mapping: _KeyMapping, original: Mapping[str, str]
) -> list[str]:
    """What keeps ``found`` from filling the network, one line each; ``original``: the file's names by ours."""
    faults = []
    for key, value in target.items():
        if not key.startswith(mapping.prefix):
            continue
        if key not in found:
            # PyTorch before 0.4.1 didn't count batches, and nothing here depends on the count.
            if not key.endswith("num_batches_tracked"):
                faults.append(f"missing: {key} {tuple(value.shape)}")
        elif found[key].shape != value.shape:
            shapes = f"expected {tuple(value.shape)}, got {tuple(found[key].shape)}"
            faults.append(f"wrong shape: {original[key]}: {shapes}")
    faults += [f"left over: {original[key]} {tuple(found[key].shape)}" for key in found if key not in target]
    return faults
