"""Checkpoint files: written whole or not at all, checked and read without running code from them.

Ours carry a checksum, as PyTorch reads a file with flipped bits without a word. It is the comment of the ZIP archive
that a ``.pth`` file is, so that all other programs read our files as any others.
"""

import hashlib
import json
import os
import pickle
import re
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
import torch

from lib.utils.errors import CheckpointError
from lib.utils.files import atomic_write, sync
from lib.utils.versions import previous_paths, shift_versions

KINDS = ("latest", "max_performance", "min_loss")
"""The checkpoints of a run: the newest, the one of the best mIoU, the one of the smallest validation loss."""

_core = np._core if hasattr(np, "_core") else np.core
_NUMBERS: list[Any] = [
    *((_core.multiarray.scalar, f"{module}.multiarray.scalar") for module in ("numpy.core", "numpy._core")),
    *((_core.multiarray._reconstruct, f"{module}.multiarray._reconstruct") for module in ("numpy.core", "numpy._core")),
    np.ndarray,
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "u2", "u4", "u8", "bool")),
]
"""NumPy numbers and arrays, which the published code puts beside its weights; under NumPy 1's module name and 2's."""

_REMEDY = "use another checkpoint of the run"
_CHECKSUM = "checksum"
"""The entry of our files that says that they carry one."""
_METHOD = "sha256"
_NO_COMMENT = b"\0\0"
"""The last field of a ZIP archive without comment: its length."""


def checkpoint_path(root: str | os.PathLike, folder: str, name: str, kind: str) -> Path:
    """``root/folder/name_kind.pth``, as published; ``kind`` is one of :data:`KINDS`."""
    return Path(root) / folder / f"{name}_{kind}.pth"


_PORTABLE: dict[str, set[str] | None] = {
    "dataset": None,
    "data": {
        "num_classes",
        "num_channels",
        "remap_classes",
        "label_list",
        "reduce_zero_label",
        "class_names",
        "palette",
        "input_mode",
        "grey_range",
        "eval_size",
    },
    "train": {"data_transformer"},
    "train_trans": {"random_hflip"},  # which classes mirror images swap
    "val_trans": None,
    "test": {"mode", "scale_search", "flip", "crop_size", "crop_stride_ratio", "zoom_margin", "raw_labels", "amp"},
    "normalize": {"norm_mode", "mean", "std", "div_value", "clip", "window", "channel_order"},
    "network": {"model_name", "backbone", "bn_type", "base_channels", "multi_grid", "factors"},
    "contrast": {"proj_dim"},
    "pixel_contrast": {"proj_dim"},
}
"""What of a checkpoint's config belongs to its network; None stands for all keys. No paths: a checkpoint that came from
elsewhere must not decide where files are read or written."""


def portable_config(path: str | os.PathLike) -> dict[str, Any]:
    """The part of a checkpoint's config that a use of its network needs, as plain data; unchecked.

    Raises:
        CheckpointError: as :func:`load_checkpoint`, or it holds no config.
    """
    config = load_checkpoint(path).get("config_dict")
    if not isinstance(config, dict):
        raise CheckpointError(f"{path}: holds no config (config_dict); name the one of its run with --configs")
    tree: dict[str, Any] = {}
    for section, keys in _PORTABLE.items():
        values = config.get(section)
        if keys is None and values is not None:
            tree[section] = values
        elif keys is not None and isinstance(values, dict):
            tree[section] = {key: value for key, value in values.items() if key in keys}
    data = tree.get("data", {})
    if "num_channels" in data and data.get("input_mode") not in ("BGR", "RGB"):
        data.pop("input_mode", None)  # the published way to say it; beside it a key without effect
    return tree


def save_checkpoint(
    path: str | os.PathLike, content: dict[str, Any], config_yaml: str, keep: int | None = None
) -> None:
    """Write ``content`` to ``path`` and the resolved config beside it (same name, ``.yaml``), each atomically.

    Args:
        path: ends in ``.pth``.
        content: tensors, numbers, strings, and dicts and lists of these: what ``weights_only=True`` can read.
        config_yaml: the resolved config.
        keep: how many versions there are afterwards, the former ones under the names of
            :func:`~lib.utils.versions.previous_path`; None writes over the last one and leaves all others alone.

    Raises:
        OutputError: the disk is full or read-only; what stood at ``path`` is untouched.
    """
    path = Path(path)
    with atomic_write(path) as file:
        hashed = _HashedFile(file)
        try:
            torch.save({**content, _CHECKSUM: _METHOD}, cast(IO[bytes], hashed))  # it only writes and flushes
        except RuntimeError as error:
            raise hashed.failure or error from None
        file.seek(-len(_NO_COMMENT), os.SEEK_END)
        file.write(_comment(hashed.digest))
        # The new version is whole before the old ones move, and the newest never lacks its name.
        sync(file)
        if keep is not None:
            shift_versions(path, keep)
    with atomic_write(path.with_suffix(".yaml"), "w") as file:
        file.write(config_yaml)


def _comment(digest: "hashlib._Hash") -> bytes:
    """The length and text of the archive's comment."""
    text = f"{_METHOD}:{digest.hexdigest()}".encode()
    return len(text).to_bytes(2, "little") + text


class _HashedFile:
    """An open file that keeps the digest of what is written, and the error that PyTorch would hide.

    Args:
        file: open for writing, at its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.new(_METHOD)
        self.failure: OSError | None = None

    def write(self, data: bytes | memoryview) -> int:
        try:
            count = self._file.write(data)
        except OSError as error:
            self.failure = error
            raise
        self.digest.update(data)
        return count

    def flush(self) -> None:
        self._file.flush()


def _check_sum(path: Path) -> bool:
    """Whether the file carries a checksum and bears it out; False where it carries none.

    Raises:
        CheckpointError: its content has another checksum.
    """
    digest = hashlib.new(_METHOD)
    size = len(_comment(digest))
    with open(path, "rb") as file:
        left = path.stat().st_size - size
        file.seek(max(left, 0))
        comment = file.read()
        if left < 0 or not comment.startswith(_comment(digest)[: -2 * digest.digest_size]):
            return False
        file.seek(0)
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    digest.update(_NO_COMMENT)
    if comment != _comment(digest):
        raise CheckpointError(f"{path}: damaged: its content doesn't match its checksum; {_REMEDY}")
    return True


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, ours or the published code's (without checksum); no code in the file is run.

    Raises:
        CheckpointError: no such file, unreadable, damaged, no dict, or holding more than weights and numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; --resume takes the path of a .pth file")
    try:
        checked = _check_sum(path)
        with torch.serialization.safe_globals(_NUMBERS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it holds a {named[1]}" if named else "it is damaged, or no checkpoint"
        raise CheckpointError(
            f"{path}: refused, as only weights, numbers and text are read from a checkpoint, and {reason}; use another "
            f"checkpoint of the run, or save its state_dict alone"
        ) from error
    except CheckpointError:
        raise
    except Exception as error:  # damaged pickles fail in many ways: IndexError, TypeError, MemoryError, ...
        raise CheckpointError(
            f"{path}: can't be read as a checkpoint; it may be truncated or another kind of file: use another "
            f"checkpoint of the run ({type(error).__name__}: {str(error).partition(chr(10))[0]})"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a dict of weights, got {type(content).__name__}")
    if content.pop(_CHECKSUM, None) == _METHOD and not checked:
        raise CheckpointError(f"{path}: damaged: its checksum is missing; {_REMEDY}")
    return content


def load_training_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read the checkpoint that a run is resumed from: a dict with ``state_dict``, ``config_dict`` and ``training``.

    Raises:
        CheckpointError: as :func:`load_checkpoint`, with the newest former version that is intact as remedy; or it
            holds weights alone, or a state of a run that can't be.
    """
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError as error:
        raise CheckpointError(f"{error}{_hint_at_intact_version(Path(path))}") from error
    if checkpoint.get("training") is None:
        raise CheckpointError(
            f"{path}: --resume_continue needs a checkpoint with a run's state, and this one holds weights alone; "
            f"leave --resume_continue out to start a new run from its weights"
        )
    if not _is_state_of_a_run(checkpoint["training"], checkpoint.get("config_dict")):
        raise CheckpointError(
            f"{path}: what it says of its run can't be; leave --resume_continue out to start a new run from its weights"
        )
    return checkpoint


def _is_state_of_a_run(training: Any, config: Any) -> bool:
    """Whether the parts of a checkpoint have the form that is relied on before they are restored."""
    if not (isinstance(training, dict) and isinstance(config, dict) and {"lr", "optim"} <= config.keys()):
        return False
    try:
        json.dumps([config["lr"], config["optim"]])  # plain values, which can be compared with others
    except (TypeError, ValueError):
        return False
    best, iteration = training.get("best"), training.get("iteration")
    if not (isinstance(best, dict) and all(isinstance(best.get(name), float) for name in ("miou", "loss"))):
        return False
    return type(iteration) is int and 0 <= iteration < 2**31


def _hint_at_intact_version(path: Path) -> str:
    """A sentence that names the newest former version of a damaged checkpoint that is intact; empty without one."""
    for former in previous_paths(path):
        try:
            iteration = load_checkpoint(former)["training"]["iteration"]
        except (CheckpointError, KeyError, TypeError):
            continue
        return f"\nThe one before it is whole, after iteration {iteration}: --resume {former} --resume_continue y"
    return ""
