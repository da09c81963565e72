"""The dialect of the published configs: what they leave to their scripts, or name and don't have.

Their meaning is supplied here, and said; none of it is refused.
"""

from typing import Any

from lib.utils.config.base import NO_EFFECT, Section
from lib.utils.config.schema import Config

_RENAMED = {
    ("critic", "model_name"): {"gcl_companion": "samcl_auxiliary_4"},
    ("loss", "critic_loss_type"): {"gcl_loss": "samcl_loss_4"},
}
_WITHOUT_AUXILIARY = {
    "fs_auxce_loss": "fs_ce_loss",
    "fs_auxohemce_loss": "fs_ohemce_loss",
    "fs_aux_rmi_loss": "fs_rmi_loss",
}
_FACE = {
    "class_names": ["background", "chin & cheeks", "mouth", "eyes", "eyebrows", "nose"],
    "palette": [[0, 0, 0], [128, 128, 0], [0, 128, 128], [192, 0, 0], [64, 128, 128], [128, 64, 0]],
}


def supply_meaning(tree: dict[str, Any], given: set[str]) -> list[str]:
    """Put into a merged tree what its dialect means.

    Args:
        tree: plain data of any shape, changed in place.
        given: dotted keys that the command line sets; these stay.

    Returns:
        Notes on what was supplied.
    """
    return [
        *_samcl(tree),
        *_contrast(tree, given),
        *_auxiliary(tree),
        *_hrnet(tree),
        *_face_classes(tree),
        *_channels(tree),
        *_normalisation(tree),
    ]


def without_effect(config: Config) -> list[str]:
    """One note that names all keys that are set and have no effect; none if there are none."""
    keys = _set_without_effect(config, "")
    return [f"without effect here: {', '.join(keys)}"] if keys else []


def _set_without_effect(section: Section, prefix: str) -> list[str]:
    keys = []
    for name, field in type(section).model_fields.items():
        if name not in section.model_fields_set:
            continue
        value = getattr(section, name)
        if NO_EFFECT in field.metadata:
            keys.append(prefix + name)
        elif isinstance(value, Section):
            keys += _set_without_effect(value, f"{prefix}{name}.")
    return keys


def _get(tree: dict[str, Any], section: str, key: str) -> Any:
    values = tree.get(section)
    return values.get(key) if isinstance(values, dict) else None


def _put(tree: dict[str, Any], section: str, key: str, value: Any) -> None:
    tree[section] = {**tree.get(section, {}), key: value}


def _samcl(tree: dict[str, Any]) -> list[str]:
    """Critic ``gcl_companion`` and loss ``gcl_loss`` exist nowhere; without section ``gcl`` SAM-CL is off."""
    notes = []
    for (section, key), names in _RENAMED.items():
        value = _get(tree, section, key)
        if isinstance(value, str) and value in names:
            _put(tree, section, key, names[value])
            notes.append(f"{section}.{key} {value} means {names[value]}")
    if tree.get("gcl") is not None:
        return ["; ".join(notes)] if notes else []
    named = [f"{section}.{key}" for section, key in _RENAMED if _is_samcl(_get(tree, section, key))]
    return [f"SAM-CL is off, as there is no section gcl; unused: {', '.join(named)}"] if named else []


def _is_samcl(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("samcl_")


def _contrast(tree: dict[str, Any], given: set[str]) -> list[str]:
    """Section ``contrast`` with a plain loss: the published scripts put the contrast loss in; and the reverse."""
    contrast = tree.get("contrast")
    loss, network = _get(tree, "loss", "loss_type"), _get(tree, "network", "model_name")
    if contrast is None and isinstance(loss, str) and "contrast" in loss:
        tree["contrast"] = {}
        return [f"loss.loss_type {loss} without section contrast takes the defaults of that section"]
    if not isinstance(contrast, dict) or not isinstance(network, str) or (isinstance(loss, str) and "contrast" in loss):
        return []
    remembers = network.endswith("_mem")
    if not remembers and "contrast" not in network:
        return [f"section contrast is unused: network {network} returns no embedding"]
    if "loss.loss_type" in given or not isinstance(tree.get("loss", {}), dict):
        return [f"section contrast is unused: the loss is {loss}"]
    meant = "mem_contrast_ce_loss" if remembers or contrast.get("with_memory") is True else "contrast_auxce_loss"
    _put(tree, "loss", "loss_type", meant)
    return [f"loss.loss_type {loss} with section contrast means {meant}"]


def _auxiliary(tree: dict[str, Any]) -> list[str]:
    """Published configs ask DeepLabV3 for an auxiliary loss, which it never had an output for."""
    network, loss = _get(tree, "network", "model_name"), _get(tree, "loss", "loss_type")
    if network != "deeplab_v3" or not isinstance(loss, str) or loss not in _WITHOUT_AUXILIARY:
        return []
    meant = _WITHOUT_AUXILIARY[loss]
    _put(tree, "loss", "loss_type", meant)
    return [f"loss.loss_type {loss} means {meant} for network deeplab_v3, which has no auxiliary output"]


def _hrnet(tree: dict[str, Any]) -> list[str]:
    """The published HRNet configs name a ResNet, and got one."""
    network, backbone = _get(tree, "network", "model_name"), _get(tree, "network", "backbone")
    if not isinstance(network, str) or not isinstance(backbone, str):
        return []
    if not network.startswith("hrnet_w") or "resnet" not in backbone:
        return []
    _put(tree, "network", "backbone", "none")
    return [f"network {network} is the real HRNetV2; its backbone {backbone} is unused"]


def _face_classes(tree: dict[str, Any]) -> list[str]:
    """Published configs number the six classes of the face, and leave names and colours to the code."""
    if _get(tree, "data", "remap_classes") != [0, 1, 2, 3, 3, 4, 4, 5]:
        return []
    supplied = [key for key in _FACE if _get(tree, "data", key) is None]
    for key in supplied:
        _put(tree, "data", key, _FACE[key])
    return [f"data.{' and data.'.join(supplied)}: those of the Thermal Face Database's classes"] if supplied else []


def _channels(tree: dict[str, Any]) -> list[str]:
    """Colour images without a number of channels have three."""
    mode = _get(tree, "data", "input_mode")
    if mode not in ("BGR", "RGB") or _get(tree, "data", "num_channels") is not None:
        return []
    _put(tree, "data", "num_channels", 3)
    return [f"data.input_mode {mode} means data.num_channels 3"]


def _normalisation(tree: dict[str, Any]) -> list[str]:
    """A mean or deviation without ``norm_mode`` is the normalisation meant."""
    normalize = tree.get("normalize")
    if not isinstance(normalize, dict) or "norm_mode" in normalize or not {"mean", "std"} & set(normalize):
        return []
    _put(tree, "normalize", "norm_mode", None)
    return ["normalize.mean and std without norm_mode mean normalisation by them"]
