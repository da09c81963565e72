"""What published configs say about colour pictures: the order of channels, and which label values are classes."""

from lib.utils.config.base import read_switch
from lib.utils.config.faults import NOTHING, Fault
from lib.utils.config.tree import Tree, get, put, take

_VALUES = 255
"""Values of a label file that can have a class; 255 is ignored."""


def translate_pictures(tree: Tree, faults: list[Fault]) -> list[str]:
    """Say by keys of today what published keys say about colour pictures.

    ``data.input_mode`` is ``data.num_channels`` and ``normalize.channel_order``, ``data.label_list`` and
    ``data.reduce_zero_label`` are ``data.remap_classes`` and ``test.raw_labels``, ``val_trans`` is ``data.eval_size``,
    ``rotate_degree`` are the limits of ``random_rotate``, and ``test.sscrop`` is ``test.mode``.

    Args:
        tree: a merged config, changed in place.
        faults: where faults in the published values are added.

    Returns:
        Notes on what was understood.
    """
    notes, mode = [], get(tree, "data.input_mode")
    if mode in ("BGR", "RGB"):
        take(tree, "data.input_mode")
        if get(tree, "data.num_channels") is None:
            put(tree, "data.num_channels", 3)
            notes.append(f"data.input_mode {mode} means data.num_channels 3")
        if get(tree, "normalize.channel_order") is None:
            put(tree, "normalize.channel_order", mode)
        notes += _resize(tree)
    return [*notes, *_rotation(tree), *_windows(tree, faults), *_label_list(tree, mode in ("BGR", "RGB"), faults)]


def _rotation(tree: Tree) -> list[str]:
    """``random_rotate.rotate_degree`` is the largest angle, either way."""
    angle = take(tree, "train_trans.random_rotate.rotate_degree")
    if not isinstance(angle, int | float):
        return []
    put(tree, "train_trans.random_rotate.low_limit_angle", -angle)
    put(tree, "train_trans.random_rotate.high_limit_angle", angle)
    return []


def _windows(tree: Tree, faults: list[Fault]) -> list[str]:
    """``test.sscrop`` predicts SegFix's offsets by windows of the training's size, three of which overlap."""
    windows = read_switch(take(tree, "test.sscrop"))
    if windows not in (NOTHING, None, True, False):
        faults.append(Fault("test.sscrop", "true or false", windows))
    if windows is not True:
        return []
    put(tree, "test.mode", "sscrop_test")
    if get(tree, "test.crop_size") is None:
        put(tree, "test.crop_size", get(tree, "train.data_transformer.input_size", [512, 512]))
    if get(tree, "test.crop_stride_ratio") is None:
        put(tree, "test.crop_stride_ratio", 0.3333)  # of 512 pixels 170, a third cut off
    return ["test.sscrop means test.mode sscrop_test"]


def _resize(tree: Tree) -> list[str]:
    """Pictures to validate and test on are resized as ``val_trans`` says."""
    resize = get(tree, "val_trans.resize")
    if get(tree, "val_trans.trans_seq") != ["resize"] or not isinstance(resize, dict):
        return []
    size = next((resize[key] for key in ("min_side_length", "target_size") if resize.get(key) is not None), None)
    if size is None or get(tree, "data.eval_size") is not None:
        return []
    take(tree, "val_trans")
    put(tree, "data.eval_size", size)
    return ["val_trans.resize means data.eval_size"]


def _label_list(tree: Tree, colour: bool, faults: list[Fault]) -> list[str]:
    """``label_list`` holds the values of the classes in order; ``reduce_zero_label`` then ignores the first class."""
    reduce = read_switch(take(tree, "data.reduce_zero_label"))
    if reduce not in (NOTHING, None, True, False):
        faults.append(Fault("data.reduce_zero_label", "true or false", reduce))
    values = get(tree, "data.label_list")
    # Thermal configs have a list as well, which was never read.
    listed = colour and isinstance(values, list) and bool(values)
    if not (listed or reduce is True) or get(tree, "data.remap_classes") is not None:
        return []
    if not listed:
        count = get(tree, "data.num_classes")
        values = list(range(count + 1)) if type(count) is int and 0 < count < _VALUES else []
    elif any(type(value) is not int or not 0 <= value < _VALUES for value in values) or len(set(values)) < len(values):
        faults.append(Fault("data.label_list", f"different values 0 to {_VALUES - 1}", values))
        return []
    classes = [-1] * _VALUES
    for index, value in enumerate(values):
        classes[value] = index - (reduce is True)
    take(tree, "data.label_list")
    put(tree, "data.remap_classes", classes)
    if get(tree, "test.raw_labels") is None:  # results are in the benchmark's values
        put(tree, "test.raw_labels", True)
    keys = [key for key, said in (("label_list", listed), ("reduce_zero_label", reduce is True)) if said]
    return [f"data.{' and data.'.join(keys)} as data.remap_classes and test.raw_labels"]
