"""Checkpoint files: written whole or not at all, read without running code from them."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from lib.utils.errors import CheckpointError
from lib.utils.files import atomic_write

KINDS = ("latest", "max_performance", "min_loss")
"""The checkpoints of a run: the newest, the one of the best mIoU, the one of the smallest validation loss."""


def checkpoint_path(root: str | os.PathLike, folder: str, name: str, kind: str) -> Path:
    """``root/folder/name_kind.pth``, as published; ``kind`` is one of :data:`KINDS`."""
    return Path(root) / folder / f"{name}_{kind}.pth"


def save_checkpoint(path: str | os.PathLike, content: dict[str, Any], config_yaml: str) -> None:
    """Write ``content`` to ``path`` and the resolved config beside it (same name, ``.yaml``), each atomically.

    Args:
        path: ends in ``.pth``.
        content: tensors, numbers, strings, and dicts and lists of these: what ``weights_only=True`` can read.
        config_yaml: the resolved config.
    """
    path = Path(path)
    with atomic_write(path) as file:
        torch.save(content, file)
    with atomic_write(path.with_suffix(".yaml"), "w") as file:
        file.write(config_yaml)


def load_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Read a checkpoint onto the CPU, ours or the published code's; no code in the file is run.

    Raises:
        CheckpointError: no such file, unreadable, damaged, no dict, or holding more than weights and numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint; --resume takes the path of a .pth file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path}: refused, because it is damaged or holds more than weights and numbers "
            f"({str(error).partition(chr(10))[0]}); use another checkpoint of the run, or save its state_dict alone"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path}: can't be read as a checkpoint ({reason}); it may be truncated: use another checkpoint of the run"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a dict of weights, got {type(content).__name__}")
    return content
