"""Masks that a benchmark has in pickled dictionaries of PyTorch."""

import _codecs
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from lib.utils.errors import DataError

Mask = Image.Image | np.ndarray

_REDUCED_ARRAY: Any = np.empty(0).__reduce__()
_ALLOWED: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    *(Image.Image, np.ndarray, np.dtype, _codecs.encode),
    *(type(np.dtype(code)) for code in np.typecodes["AllInteger"] + np.typecodes["Float"]),
    *((_REDUCED_ARRAY[0], f"numpy.{package}.multiarray._reconstruct") for package in ("core", "_core")),
]
"""What a pickled mask is made of, under the names of old and new NumPy."""


def read_pickled_masks(path: Path) -> Mapping[int, Mask]:
    """The masks in a file of ``torch.save``: a dictionary from numbers of pictures to pictures or arrays (H, W).

    A pickle may hold any call, so only what masks are made of is read: Pillow's pictures, NumPy's arrays and Python's
    own types.

    Raises:
        DataError: unreadable, something else is in it, or no such dictionary; names the file and the thing.
    """
    try:
        with torch.serialization.safe_globals(_ALLOWED):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files fail in many ways
        stranger = re.search(r"GLOBAL (\S+)", str(error))
        reason = (
            f"it would call {stranger[1]}, which is no part of a mask"
            if stranger
            else f"it is damaged, or torch.save didn't write it ({type(error).__name__})"
        )
        raise DataError(f"{path}: not read, as {reason}; get the file from the benchmark's own download") from error
    entries = found.items() if isinstance(found, dict) else [("", found)]
    for key, mask in entries:
        if not isinstance(key, int) or not isinstance(mask, Image.Image | np.ndarray):
            given = f"{type(key).__name__} to {type(mask).__name__}" if found is not mask else type(found).__name__
            raise DataError(f"{path}: expected a dictionary from numbers of pictures to masks, got {given}")
    return found
