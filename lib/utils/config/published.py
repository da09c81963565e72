"""The published spelling of configs, and former names of keys: read as what they mean here, and never refused.

Two tables hold what needs no thought: :data:`RENAMED` (one name for another) and :data:`WITHOUT_EFFECT` (names that
change nothing). The functions below them translate what published configs say with several keys at once.
"""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from lib.utils.config.faults import NOTHING, Fault
from lib.utils.config.published_pictures import translate_pictures
from lib.utils.config.published_terms import (
    SAMCL_SCALES,
    translate_contrast,
    translate_deeplab,
    translate_network,
    translate_samcl,
)
from lib.utils.config.schema import Config
from lib.utils.config.tree import Tree, get, get_text, put, take

RENAMED = {
    "gcl": "samcl",
    "predict.least_share": "predict.min_component_ratio",
    "predict.temp_preset": "data.temp_preset",
    "predict.temp_scale": "data.temp_scale",
    "predict.temp_offset": "data.temp_offset",
    "predict.raw_size": "data.raw_size",
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
    "data.pred_dt_offset": (),
    "data.use_edge": (),
    "train.loader": (),
    "train.data_transformer.size_mode": ("fix_size",),
    "train.data_transformer.align_method": ("only_pad",),
    "train.data_transformer.fit_stride": (),
    "val.loader": (),
    "val.out_dir": (),
    "val.data_transformer": (),
    "val.min_side_length": (),
    "val.only_small": (),
    "test.loader": (),
    "test.data_transformer": (),
    "test.test_img": (),
    "test.use_ground_truth": (),
    "test.eval_set": ("val",),
    "test.min_side_length": (),
    "test.max_side_length": (),
    "train_trans.random_vflip.swap_pair": (),
    "train_trans.random_resize.method": ("random",),
    "train_trans.random_crop.allow_outside_center": (),
    "val_trans": (),
    "normalize.mean_value": (),
    "network.loss_weights.corr_loss": (),
    "network.stride": (),
    "network.gathered": (),
    "network.loss_balance": (),
    "network.finetune": (),
    "network.resume_eval_train": (),
    "network.resume_eval_val": (),
    "loss.params.use_sigmoid": (),
    "loss.params.weight_": (),
    "loss.params.ce_ignore_index": (-1, 255, None, "none"),
    "loss.params.ignore_index": (-1, 255, None, "none"),
    "contrast.stride": (),
    "lr.metric": ("iters",),
    "lr.warm.freeze_backbone": (False,),
    "optim.group_method": (),
    "solver.max_epoch": (),
    "checkpoints.save_epoch": (),
    "details.color_list": (),
}
"""Published keys that change nothing, with the values that say what is done here anyway: those are dropped without a
word, all others are named in a note."""

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


def rename(layer: Mapping[str, Any]) -> tuple[Tree, list[Fault]]:
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
        value = take(tree, old)
        if value is NOTHING:
            continue
        if get(tree, new, NOTHING) is NOTHING:
            put(tree, new, value)
        else:
            faults.append(Fault(old, hint=f"remove it: it is the former name of {new}, which is there as well"))
    return tree, faults


def current_spelling(tree: Mapping[str, Any]) -> Tree:
    """A config's tree as it was saved, with the keys of today: renamed, and without those that have no effect.

    Args:
        tree: plain data of any shape, such as a checkpoint's ``config_dict``; not changed.
    """
    renamed_tree, _ = rename(tree)
    _drop(renamed_tree)
    return renamed_tree


def translate(tree: Tree, given: Collection[str]) -> tuple[list[str], list[Fault]]:
    """Put into a merged tree what its published spelling means, and drop what has no effect.

    Args:
        tree: plain data of any shape, with the names of today; changed in place.
        given: dotted keys that the command line sets; these stay.

    Returns:
        Notes on what was supplied or dropped, and faults in published values.
    """
    faults = _ignored_classes(tree)
    pictures = translate_pictures(tree, faults)
    notes = [
        *_drop(tree),
        *translate_deeplab(tree),
        *translate_samcl(tree, given, faults),
        *translate_contrast(tree, given, faults),
        *_auxiliary(tree),
        *_hrnet(tree),
        *_face_classes(tree),
        *pictures,
        *_normalisation(tree),
    ]
    translate_network(tree)
    for section in PUBLISHED_SECTIONS - set(Config.model_fields):
        if tree.get(section) == {}:
            del tree[section]
    return notes, faults


def _ignored_classes(tree: Tree) -> list[Fault]:
    """A class that the loss alone would ignore, which the label map says here."""
    hint = "to ignore a class, make it -1 in data.remap_classes, which the scores go by as well"
    return [
        Fault(key, "-1 or 255, the labels that every loss ignores", value, hint)
        for key in ("loss.params.ignore_index", "loss.params.ce_ignore_index")
        if (value := get(tree, key, NOTHING)) is not NOTHING and value not in WITHOUT_EFFECT[key]
    ]


def _drop(tree: Tree) -> list[str]:
    """Remove what has no effect; one note that names all of it that isn't a matter of course."""
    named = []
    for key, usual in WITHOUT_EFFECT.items():
        value = take(tree, key)
        if value is not NOTHING and not any(value is one or value == one for one in usual):
            named.append(key)
    return [f"without effect here: {', '.join(named)}"] if named else []


def _auxiliary(tree: Tree) -> list[str]:
    """Published configs ask DeepLabV3 for an auxiliary loss, which it never had an output for."""
    network, loss = get_text(tree, "network.model_name"), get_text(tree, "loss.loss_type")
    if network != "deeplab_v3" or loss not in _WITHOUT_AUXILIARY:
        return []
    meant = _WITHOUT_AUXILIARY[loss]
    put(tree, "loss.loss_type", meant)
    return [f"loss.loss_type {loss} means {meant} for network deeplab_v3, which has no auxiliary output"]


def _hrnet(tree: Tree) -> list[str]:
    """Published HRNet configs name their body as backbone as well, or, those of SAM-CL, a ResNet, and got one."""
    network, backbone = get_text(tree, "network.model_name"), get_text(tree, "network.backbone")
    if not network.startswith("hrnet_w"):
        return []
    if f"{network}_".startswith(f"hrnet_w{backbone.removeprefix('hrnet')}_"):
        put(tree, "network.backbone", "none")
        return []
    if "resnet" not in backbone:
        return []
    put(tree, "network.backbone", "none")
    return [f"network {network} is the real HRNetV2; its backbone {backbone} is unused"]


def _face_classes(tree: Tree) -> list[str]:
    """Published configs number the six classes of the face, and leave names and colours to the code."""
    if get(tree, "data.remap_classes") != [0, 1, 2, 3, 3, 4, 4, 5]:
        return []
    supplied = [key for key in _FACE if get(tree, f"data.{key}") is None]
    for key in supplied:
        put(tree, f"data.{key}", _FACE[key])
    return [f"data.{' and data.'.join(supplied)}: those of the Thermal Face Database's classes"] if supplied else []


def _normalisation(tree: Tree) -> list[str]:
    """A mean or deviation without ``norm_mode`` is the normalisation meant."""
    normalize = tree.get("normalize")
    if not isinstance(normalize, dict) or "norm_mode" in normalize or not {"mean", "std"} & set(normalize):
        return []
    put(tree, "normalize.norm_mode", None)
    return ["normalize.mean and std without norm_mode mean normalisation by them"]
