"""The config of a command that goes on from a checkpoint: what decided its numbers stays as it was trained."""

import json
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

from lib.utils.config.faults import NOTHING, Fault, refuse, shorten
from lib.utils.config.load import Check, check_tree, load_config
from lib.utils.config.published import current_spelling, renamed
from lib.utils.config.schema import Config
from lib.utils.config.tree import Tree, get, put
from lib.utils.errors import CheckpointError, ConfigError

OF_A_NETWORK = (
    *("network.model_name", "network.backbone", "network.base_channels", "network.multi_grid"),
    *("network.bn_type", "network.factors"),
    *("data.num_classes", "data.num_channels", "pixel_contrast.proj_dim"),
    *("data.remap_classes", "data.class_names", "data.palette", "data.grey_range"),
    *("normalize", "train.data_transformer.input_size"),
)
"""Keys and sections that every use of a network takes from its checkpoint."""

OF_A_COMMAND = (
    *("dataset", "phase", "gpu", "distributed", "cudnn", "predict", "export", "compare", "test", "logging"),
    *("checkpoints", "val.batch_size", "solver.display_iter", "solver.on_nonfinite", "solver.max_nonfinite"),
    *("data.data_dir", "data.workers", "data.cache_gb", "data.on_bad_sample", "data.max_bad_samples", "data.on_leak"),
    *("network.pretrained", "network.resume", "network.resume_strict", "network.resume_continue"),
)
"""Keys and sections that a resumed run takes from its own command, as ever; all others are those of its checkpoint. All
paths are among them: a checkpoint that came from elsewhere must not decide where files are read or written."""

MAY_CHANGE = (
    *("data.remap_classes", "data.class_names", "data.palette", "data.grey_range"),
    *("solver.max_iters", "solver.test_interval", "solver.precision", "solver.compile"),
)
"""Keys of a checkpoint that the command line may overrule, which is said: the first line is about the frames and
labels that a network is used on, and the second about the rest of a run."""


def load_run_config(
    path: str | PathLike, flags: Mapping[str, Any], pairs: Sequence[str], checks: Sequence[Check] = ()
) -> tuple[Config, list[str]]:
    """:func:`load_config` for a command, with what ``network.resume`` decides.

    Without a file the checkpoint's own config takes its place. Where a network is used (phases ``test``,
    ``test_offset``, ``predict``, ``export``) its normalisation, sizes and classes come from the checkpoint, and where
    a run is resumed (``network.resume_continue``) everything that decides its numbers. A file that says something else
    is overruled, and the command line may not say something else, but for :data:`MAY_CHANGE`.

    Args:
        path, flags, pairs, checks: as of :func:`load_config`.

    Returns:
        The config, and notes; one of them names all keys in which checkpoint and config differ.

    Raises:
        ConfigError: as :func:`load_config`, or the command line contradicts the checkpoint.
        CheckpointError: the checkpoint can't be read, or holds no config and no file names one.
    """
    base = None
    if not path and "network.resume" in flags:
        from lib.utils.checkpoint import portable_config  # imports torch

        base = portable_config(flags["network.resume"])
    config, notes = load_config(path, flags, pairs, checks, base)
    resumes = config.phase == "train" and config.network.resume_continue
    checkpoint = config.network.resume
    if not checkpoint or not (resumes or config.phase in ("test", "test_offset", "predict", "export")):
        return config, notes
    trained, saved = _config_of(checkpoint, resumes, checks)
    if trained is None:
        return config, [*notes, f"{checkpoint} holds no config that could be compared with this one"]
    typed = {renamed(key) for key in (*flags, *(pair.partition("=")[0] for pair in pairs))}
    tree, faults, differing = config.model_dump(mode="json"), [], []
    for key, here, there in _differences(config.model_dump(mode="json"), trained.model_dump(mode="json")):
        if not _decides(key, resumes) or not _is_said(key, there, saved):
            continue
        is_typed = any(_is_in(key, (one,)) or _is_in(one, (key,)) for one in typed)
        if not is_typed:
            put(tree, key, there)
            differing.append(f"{key} {_text(there)} (the config: {_text(here)})")
        elif _is_in(key, MAY_CHANGE):
            differing.append(f"{key} {_text(here)}, from the command line (the checkpoint: {_text(there)})")
        else:
            expected = f"{_text(there)}, with which {checkpoint} was trained"
            faults.append(Fault(key, expected, here, "leave it out", source="the command line"))
    refuse("the command line contradicts the checkpoint", faults)
    if differing:
        config = check_tree(tree, f"{path} with what {checkpoint} says", checks)
        notes.append(f"config and checkpoint differ; used are {'; '.join(differing)} [{checkpoint}]")
    return config, notes


def _config_of(checkpoint: str, whole: bool, checks: Sequence[Check]) -> tuple[Config | None, Tree]:
    """What a checkpoint was trained with, and its plain tree; None for one that doesn't tell.

    Args:
        checkpoint: a ``.pth`` file.
        whole: everything that a resumed run needs, rather than what a use of the network needs.
        checks: as of :func:`load_config`.
    """
    from lib.utils.checkpoint import load_checkpoint, load_training_checkpoint  # imports torch

    content = load_training_checkpoint(checkpoint) if whole else load_checkpoint(checkpoint)
    saved = content.get("config_dict")
    if not isinstance(saved, dict):
        return None, {}
    # What only training asks for, such as a loss that fits the network, isn't looked at where it is not used.
    tree: Tree = {} if whole else {"phase": "export"}
    saved = current_spelling(saved)
    for key, value in _leaves(saved):
        if _decides(key, whole) or key.partition(".")[0] == "contrast":
            put(tree, key, value)
    try:
        return load_config("", base=tree, checks=checks)[0], saved
    except ConfigError as error:
        if whole:
            raise CheckpointError(
                f"{checkpoint}: its run can't be gone on with, as its config is faulty; leave --resume_continue out to "
                f"start a new run from its weights\n{error}"
            ) from error
        return None, {}


def _decides(key: str, resumes: bool) -> bool:
    """Whether the value of a key comes from the checkpoint."""
    if resumes:
        return not _is_in(key, OF_A_COMMAND)
    return key == "pixel_contrast" or _is_in(key, OF_A_NETWORK)  # the whole section: one of the two has none


def _is_in(key: str, among: Sequence[str]) -> bool:
    """Whether a dotted key is one of these, or in one of these sections."""
    return any(key == one or key.startswith(one + ".") for one in among)


def _is_said(key: str, value: Any, saved: Tree) -> bool:
    """Whether a checkpoint knows a key: a former version of the project did without what it has no word of."""
    return get(saved, key, NOTHING) is not NOTHING or value != get(Config().model_dump(mode="json"), key)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a tree; an empty section is a value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _differences(here: Any, there: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted keys whose values differ, with both values; of a section that only one of them has, its own key."""
    if isinstance(here, dict) and isinstance(there, dict):
        for name in there:
            yield from _differences(here[name], there[name], f"{key}.{name}" if key else name)
    elif here != there:
        yield key, here, there


def _text(value: Any) -> str:
    return shorten(value) if isinstance(value, dict) else json.dumps(value)
