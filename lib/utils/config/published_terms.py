"""SAM-CL and pixel contrast in published configs, which name each in several places, as the one section each has here.

SAM-CL: ``critic.model_name`` and ``loss.critic_loss_type`` are ``samcl.scales``. Pixel contrast: the names of network
(``unet_contrast``, ``hrnet_w48_mem``) and loss (``contrast_auxce_loss``) and section ``contrast`` are section
``pixel_contrast``, beside a network and a pixel loss without contrast in their names.
"""

from collections.abc import Collection

from lib.utils.config.base import read_switch
from lib.utils.config.faults import NOTHING, Fault
from lib.utils.config.tree import Tree, get, get_text, put, take

SAMCL_SCALES = {
    "critic.model_name": {"gcl_companion": 4, "samcl_auxiliary_4": 4, "samcl_auxiliary_2": 2},
    "loss.critic_loss_type": {"gcl_loss": 4, "samcl_loss_4": 4, "samcl_loss_2": 2},
}
"""The published ways to say ``samcl.scales``."""

_NEVER_PUBLISHED = {"gcl_companion": "samcl_auxiliary_4", "gcl_loss": "samcl_loss_4"}
"""Names in published configs that the published code doesn't know, and what it must have meant by them."""

_EMBEDDING_NETWORKS = {
    "unet_contrast": ("unet", 64),
    "unet_contrast_mem": ("unet", 64),
    "attention_unet_contrast": ("attention_unet", 64),
    "attention_unet_contrast_mem": ("attention_unet", 64),
    "deeplab_v3_contrast": ("deeplab_v3", 256),
    "deeplab_v3_contrastiveseg_contrast": ("deeplab_v3_contrastiveseg", 256),
    "hrnet_w48_contrast": ("hrnet_w48", 256),
    "hrnet_w48_ocr_contrast": ("hrnet_w48_ocr", 256),
    "hrnet_w48_mem": ("hrnet_w48", 256),
}
"""Published networks with an embedding: the network's name here, and the embedding's length without a section."""

_WITH_AUXILIARY = ("deeplab_v3_contrastiveseg_contrast", "hrnet_w48_ocr_contrast")
"""Of these, the ones whose auxiliary output is taught as well."""

_WITH_MEMORY = "mem_contrast_ce_loss"
_CONTRAST_LOSSES = ("contrast_ce_loss", "contrast_auxce_loss", _WITH_MEMORY)
_MEMORY_SIZE = 5000

CONTRAST_SWITCHES = ("with_memory", "use_rmi", "use_lovasz")
"""Published keys of section ``contrast`` that say which memory and which pixel loss."""


def translate_samcl(tree: Tree, given: Collection[str], faults: list[Fault]) -> list[str]:
    """Say by ``samcl.scales`` what auxiliary network and loss say; without the section SAM-CL is off.

    Args:
        tree: a merged config, changed in place.
        given: dotted keys that the command line sets; these stay.
        faults: where faults in the published values are added.

    Returns:
        Notes on what was understood.
    """
    names = {key: name for key in SAMCL_SCALES if (name := take(tree, key)) is not NOTHING and name is not None}
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
        put(tree, "samcl.scales", min(scales.values()))
    return ["; ".join(notes)] if notes else []


def translate_contrast(tree: Tree, given: Collection[str], faults: list[Fault]) -> list[str]:
    """Say by section ``pixel_contrast`` and the pixel loss what section ``contrast`` and the loss's name say.

    Arguments and result as of :func:`translate_samcl`. The network keeps its name, see :func:`translate_network`.
    """
    published, current = tree.get("contrast"), tree.get("pixel_contrast")
    if published is not None and not isinstance(published, dict):
        return []
    take(tree, "contrast")
    network, loss = get_text(tree, "network.model_name"), get_text(tree, "loss.loss_type")
    section = dict(published or {})
    switches = {key: read_switch(section.pop(key)) for key in CONTRAST_SWITCHES if key in section}
    faults += [Fault(f"contrast.{k}", "true or false", v) for k, v in switches.items() if not isinstance(v, bool)]
    switched_off = current is None and "pixel_contrast" in given
    if current is None and not switched_off:
        meant, notes = _meant(tree, given, published, switches.get("with_memory") is True)
        remembers: bool | None = meant == _WITH_MEMORY
    else:
        meant, notes = loss if loss in _CONTRAST_LOSSES else "", []
        remembers = meant == _WITH_MEMORY if meant else switches.get("with_memory")
    if meant or {"use_rmi", "use_lovasz"} & (switches.keys() if isinstance(current, dict) else set()):
        pixel_loss = _pixel_loss(switches, network in _WITH_AUXILIARY)
        put(tree, "loss.loss_type", pixel_loss)
        if current is not None and meant:
            notes = [f"loss.loss_type {loss} with section pixel_contrast means {pixel_loss}"]
    if isinstance(current, dict):
        section = {**current, **section}
    elif switched_off or not (meant or network in _EMBEDDING_NETWORKS):
        return notes
    elif not meant:
        # An embedding that nothing teaches, which the weights of such a network have a place for.
        section = {"proj_dim": _EMBEDDING_NETWORKS[network][1], **section, "loss_weight": 0.0}
    if remembers and section.get("memory_size") is None:
        section["memory_size"] = _MEMORY_SIZE
    elif remembers is False:
        section.pop("memory_size", None)
    if current is None or isinstance(current, dict):
        tree["pixel_contrast"] = section
    return notes


def _meant(tree: Tree, given: Collection[str], section: Tree | None, with_memory: bool) -> tuple[str, list[str]]:
    """The contrast loss that a published config means, empty for none, and a note on it.

    With section ``contrast`` and a plain loss, the published scripts put the contrast loss in.
    """
    network, loss = get_text(tree, "network.model_name"), get_text(tree, "loss.loss_type")
    if loss in _CONTRAST_LOSSES:
        note = f"loss.loss_type {loss} without section contrast takes the defaults of that section"
        return loss, [note] if section is None else []
    if section is None or not network or "contrast" in loss:
        return "", []
    if network not in _EMBEDDING_NETWORKS:
        return "", [f"section contrast is unused: network {network} returns no embedding"]
    if "loss.loss_type" in given or not isinstance(tree.get("loss", {}), dict):
        return "", [f"section contrast is unused: the loss is {loss}"]
    meant = _WITH_MEMORY if network.endswith("_mem") or with_memory else "contrast_auxce_loss"
    return meant, [f"loss.loss_type {loss} with section contrast means {meant}"] if loss else []


def _pixel_loss(switches: Tree, auxiliary: bool) -> str:
    """The pixel loss beside the published contrast, of a network with or without an auxiliary output."""
    if auxiliary:
        return "fs_aux_rmi_loss" if switches.get("use_rmi") is True else "fs_auxce_loss"
    if switches.get("use_rmi") is True:
        return "rmi_loss"
    return "fs_ce_lovasz_loss" if switches.get("use_lovasz") is True else "fs_ce_loss"


def translate_deeplab(tree: Tree) -> list[str]:
    """Tell ContrastiveSeg's DeepLabV3 from the thermal one, which has the same name: it segments street scenes."""
    network, backbone = get_text(tree, "network.model_name"), get_text(tree, "network.backbone")
    if network not in ("deeplab_v3", "deeplab_v3_contrast") or not backbone.startswith("deepbase_"):
        return []
    if get(tree, "data.num_classes") != 19:
        return []
    meant = network.replace("deeplab_v3", "deeplab_v3_contrastiveseg")
    put(tree, "network.model_name", meant)
    return [f"network {network} on {backbone} with 19 classes is that of ContrastiveSeg: {meant}"]


def translate_network(tree: Tree) -> None:
    """Give a published network with an embedding the name of the network alone."""
    name = get(tree, "network.model_name")
    if isinstance(name, str) and name in _EMBEDDING_NETWORKS:
        put(tree, "network.model_name", _EMBEDDING_NETWORKS[name][0])
