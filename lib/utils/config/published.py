"""The published spelling of configs, and former names of keys: read as what they mean here, and never refused.

Two tables hold what needs no thought: :data:`RENAMED` (one name for another) and :data:`WITHOUT_EFFECT` (names that
change nothing). The functions below them translate what published configs say with several keys at once.
"""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from lib.utils.config.faults import NOTHING, Fault
from lib.utils.config.schema import Config

RENAMED = {
    "gcl": "samcl",
    "predict.least_share": "predict.min_component_ratio",
}
"""Former names of keys and sections, and those of today. They work in files, pairs, flags and checkpoints alike."""

WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "method": ("fcn_segmentor",),
    "local_rank": (),
    "data.image_tool": (),
    "data.input_mode": (),
    "data.use_gcl_input": (),
    "data.label_list": (),
    "data.include_atr": (),
    "data.include_cihp": (),
    "data.include_coarse": (),
    "data.only_coarse": (),
    "data.only_mapillary": (),
    "data.only_small": (),
    "train.loader": (),
    "train.data_transformer.size_mode": ("fix_size",),
    "train.data_transformer.align_method": ("only_pad",),
    "val.loader": (),
    "val.out_dir": (),
    "val.data_transformer": (),
    "test.loader": (),
    "test.data_transformer": (),
    "test.test_img": (),
    "test.use_ground_truth": (),
    "train_trans.random_hflip.swap_pair": (),
    "train_trans.random_vflip.swap_pair": (),
    "train_trans.random_resize.method": ("random",),
    "train_trans.random_crop.allow_outside_center": (),
    "val_trans": (),
    "normalize.mean_value": (),
    "network.loss_weights.corr_loss": (),
    "network.stride": (),
    "network.factors": (),
    "network.gathered": (),
    "network.loss_balance": (),
    "network.finetune": (),
    "network.resume_eval_train": (),
    "network.resume_eval_val": (),
    "loss.params.use_sigmoid": (),
    "loss.params.ce_ignore_index": (),
    "loss.params.ignore_index": (-1, None, "none"),
    "contrast.stride": (),
    "lr.metric": ("iters",),
    "optim.group_method": (),
    "solver.max_epoch": (),
    "checkpoints.save_epoch": (),
    "details.color_list": (),
}
"""Published keys that change nothing, with the values that say what is done here anyway: those are dropped without a
word, all others are named in a note."""

SAMCL_SCALES = {
    "critic.model_name": {"gcl_companion": 4, "samcl_auxiliary_4": 4, "samcl_auxiliary_2": 2},
    "loss.critic_loss_type": {"gcl_loss": 4, "samcl_loss_4": 4, "samcl_loss_2": 2},
}
"""The published ways to say ``samcl.scales``."""

_NEVER_PUBLISHED = {"gcl_companion": "samcl_auxiliary_4", "gcl_loss": "samcl_loss_4"}
"""Names in published configs that the published code doesn't know, and what it must have meant by them."""

PUBLISHED_SECTIONS = frozenset(key.partition(".")[0] for key in (*RENAMED, *WITHOUT_EFFECT, *SAMCL_SCALES))
"""Names of sections, published or former, that a key may begin with."""

_WITHOUT_AUXILIARY = {
    "fs_auxce_loss": "fs_ce_loss",
    "fs_auxohemce_loss": "fs_ohemce_loss",
    "fs_aux_rmi_loss": "fs_rmi_loss",
}
_FACE = {
    "class_names": ["background", "chin & cheeks", "mouth", "eyes", "eyebrows", "nose"],
    "palette": [[0, 0, 0], [128, 128, 0], [0, 128, 128], [192, 0, 0], [64, 128, 128], [128, 64, 0]],
}


def renamed(key: str) -> str:
    """The name of today of a dotted key.

    >>> renamed("gcl.margin"), renamed("solver.max_iters")
    ('samcl.margin', 'solver.max_iters')
    """
    for old, new in RENAMED.items():
        if key == old or key.startswith(old + "."):
            return new + key[len(old) :]
    return key


def rename(layer: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """One layer of a config (a file, a pair, ...) with the names of today.

    Args:
        layer: plain data of any shape; not changed.

    Returns:
        The layer in new containers, and a fault for each key that it holds under both names.

    >>> rename({"gcl": {"margin": 1}})
    ({'samcl': {'margin': 1}}, [])
    """
    tree, faults = deepcopy(dict(layer)), []
    for old, new in RENAMED.items():
        value = _take(tree, old)
        if value is NOTHING:
            continue
        if _get(tree, new, NOTHING) is NOTHING:
            _put(tree, new, value)
        else:
            faults.append(Fault(old, hint=f"remove it: it is the former name of {new}, which is there as well"))
    return tree, faults


def current_spelling(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A config's tree as it was saved, with the keys of today: renamed, and without those that have no effect.

    Args:
        tree: plain data of any shape, such as a checkpoint's ``config_dict``; not changed.
    """
    renamed_tree, _ = rename(tree)
    _drop(renamed_tree)
    return renamed_tree


def translate(tree: dict[str, Any], given: Collection[str]) -> tuple[list[str], list[Fault]]:
    """Put into a merged tree what its published spelling means, and drop what has no effect.

    Args:
        tree: plain data of any shape, with the names of today; changed in place.
        given: dotted keys that the command line sets; these stay.

    Returns:
        Notes on what was supplied or dropped, and faults in published values.
    """
    faults: list[Fault] = []
    notes = [
        *_scales(tree, given, faults),
        *_contrast(tree, given),
        *_auxiliary(tree),
        *_hrnet(tree),
        *_face_classes(tree),
        *_channels(tree),
        *_normalisation(tree),
    ]
    return _drop(tree) + notes, faults


def _drop(tree: dict[str, Any]) -> list[str]:
    """Remove what has no effect; one note that names all of it that isn't a matter of course."""
    named = []
    for key, usual in WITHOUT_EFFECT.items():
        value = _take(tree, key)
        if value is not NOTHING and not any(value is one or value == one for one in usual):
            named.append(key)
    for section in PUBLISHED_SECTIONS - set(Config.model_fields):
        if tree.get(section) == {}:
            del tree[section]
    return [f"without effect here: {', '.join(named)}"] if named else []


def _get(tree: dict[str, Any], key: str, default: Any = None) -> Any:
    """The value at a dotted key; ``default`` where there is none."""
    value: Any = tree
    for name in key.split("."):
        if not isinstance(value, dict) or name not in value:
            return default
        value = value[name]
    return value


def _text(tree: dict[str, Any], key: str) -> str:
    """The text at a dotted key; empty where there is none."""
    value = _get(tree, key)
    return value if isinstance(value, str) else ""


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; where something else than a section is in the way, that stays."""
    *sections, name = key.split(".")
    for section in sections:
        inner = tree.setdefault(section, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[name] = value


def _take(tree: dict[str, Any], key: str) -> Any:
    """Remove a dotted key and return its value; NOTHING where there is none."""
    section, _, name = key.rpartition(".")
    holder = _get(tree, section) if section else tree
    return holder.pop(name, NOTHING) if isinstance(holder, dict) else NOTHING


def _scales(tree: dict[str, Any], given: Collection[str], faults: list[Fault]) -> list[str]:
    """Auxiliary network and loss of SAM-CL say one thing; without its section it is off."""
    names = {key: name for key in SAMCL_SCALES if (name := _take(tree, key)) not in (NOTHING, None)}
    if tree.get("samcl") is None:
        return [f"SAM-CL is off, as there is no section gcl; unused: {', '.join(names)}"] if names else []
    notes, scales = [], {}
    for key, name in names.items():
        if not isinstance(name, str) or name not in SAMCL_SCALES[key]:
            faults.append(Fault.unknown_name(key, name, set(SAMCL_SCALES[key]) - set(_NEVER_PUBLISHED)))
            continue
        scales[key] = SAMCL_SCALES[key][name]
        if name in _NEVER_PUBLISHED:
            notes.append(f"{key} {name} means {_NEVER_PUBLISHED[name]}")
    if len(set(scales.values())) > 1:
        auxiliary, loss = names
        expected = f"samcl_loss_{scales[auxiliary]}, as {auxiliary} is {names[auxiliary]}"
        faults.append(Fault(loss, expected, names[loss], others=(auxiliary,)))
    elif scales and "samcl.scales" not in given:
        _put(tree, "samcl.scales", min(scales.values()))
    return ["; ".join(notes)] if notes else []


def _contrast(tree: dict[str, Any], given: Collection[str]) -> list[str]:
    """Section ``contrast`` with a plain loss: the published scripts put the contrast loss in; and the reverse."""
    contrast = tree.get("contrast")
    loss, network = _text(tree, "loss.loss_type"), _text(tree, "network.model_name")
    if contrast is None and "contrast" in loss:
        tree["contrast"] = {}
        return [f"loss.loss_type {loss} without section contrast takes the defaults of that section"]
    if not isinstance(contrast, dict) or not network or "contrast" in loss:
        return []
    remembers = network.endswith("_mem")
    if not remembers and "contrast" not in network:
        return [f"section contrast is unused: network {network} returns no embedding"]
    if "loss.loss_type" in given or not isinstance(tree.get("loss", {}), dict):
        return [f"section contrast is unused: the loss is {loss or None}"]
    meant = "mem_contrast_ce_loss" if remembers or contrast.get("with_memory") is True else "contrast_auxce_loss"
    _put(tree, "loss.loss_type", meant)
    return [f"loss.loss_type {loss or None} with section contrast means {meant}"]


def _auxiliary(tree: dict[str, Any]) -> list[str]:
    """Published configs ask DeepLabV3 for an auxiliary loss, which it never had an output for."""
    network, loss = _text(tree, "network.model_name"), _text(tree, "loss.loss_type")
    if network != "deeplab_v3" or loss not in _WITHOUT_AUXILIARY:
        return []
    meant = _WITHOUT_AUXILIARY[loss]
    _put(tree, "loss.loss_type", meant)
    return [f"loss.loss_type {loss} means {meant} for network deeplab_v3, which has no auxiliary output"]


def _hrnet(tree: dict[str, Any]) -> list[str]:
    """The published HRNet configs name a ResNet, and got one."""
    network, backbone = _text(tree, "network.model_name"), _text(tree, "network.backbone")
    if not network.startswith("hrnet_w") or "resnet" not in backbone:
        return []
    _put(tree, "network.backbone", "none")
    return [f"network {network} is the real HRNetV2; its backbone {backbone} is unused"]


def _face_classes(tree: dict[str, Any]) -> list[str]:
    """Published configs number the six classes of the face, and leave names and colours to the code."""
    if _get(tree, "data.remap_classes") != [0, 1, 2, 3, 3, 4, 4, 5]:
        return []
    supplied = [key for key in _FACE if _get(tree, f"data.{key}") is None]
    for key in supplied:
        _put(tree, f"data.{key}", _FACE[key])
    return [f"data.{' and data.'.join(supplied)}: those of the Thermal Face Database's classes"] if supplied else []


def _channels(tree: dict[str, Any]) -> list[str]:
    """Colour images without a number of channels have three."""
    mode = _text(tree, "data.input_mode")
    if mode not in ("BGR", "RGB") or _get(tree, "data.num_channels") is not None:
        return []
    _put(tree, "data.num_channels", 3)
    return [f"data.input_mode {mode} means data.num_channels 3"]


def _normalisation(tree: dict[str, Any]) -> list[str]:
    """A mean or deviation without ``norm_mode`` is the normalisation meant."""
    normalize = tree.get("normalize")
    if not isinstance(normalize, dict) or "norm_mode" in normalize or not {"mean", "std"} & set(normalize):
        return []
    _put(tree, "normalize.norm_mode", None)
    return ["normalize.mean and std without norm_mode mean normalisation by them"]
