"""What published configs say about colour pictures: the order of channels, and which label values are classes."""

from lib.utils.config.base import read_switch
from lib.utils.config.faults import NOTHING, Fault
from lib.utils.config.tree import Tree, get, put, take

_VALUES = 255
"""Values of a label file that can have a class; 255 is ignored."""


def translate_pictures(tree: Tree, faults: list[Fault]) -> list[str]:
    """Say by ``data.num_channels``, ``normalize.channel_order`` and ``data.remap_classes`` what published keys say.

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
    return [*notes, *_label_list(tree, mode in ("BGR", "RGB"), faults)]


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
    keys = [key for key, said in (("label_list", listed), ("reduce_zero_label", reduce is True)) if said]
    return [f"data.{' and data.'.join(keys)} as data.remap_classes"]
