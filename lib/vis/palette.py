"""Colours of classes, and label pictures that carry them."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from lib.utils.errors import ConfigError
from lib.utils.files import atomic_write
from lib.utils.labels import IGNORE

IGNORED_COLOUR = (255, 255, 255)


def palette_of(num_classes: int, palette: Sequence[Sequence[int]] | None = None) -> np.ndarray:
    """The colours of the classes.

    Args:
        num_classes: C, 1-255 (255 in a label file means ignored).
        palette: the [r, g, b] of at least C classes, each 0-255; None for the PASCAL VOC colours, which are
            distinct for any C and begin with black.

    Returns:
        (C, 3) uint8.

    Raises:
        ConfigError: too many classes, or too few or malformed colours.

    >>> palette_of(3).tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    if not 1 <= num_classes <= 255:
        raise ConfigError(f"data.num_classes: expected 1-255 for 8-bit labels, got {num_classes}")
    if palette is None:
        return _voc_colours()[:num_classes]
    colours = np.asarray(palette)
    if colours.ndim != 2 or colours.shape[1] != 3 or colours.min() < 0 or colours.max() > 255:
        raise ConfigError(f"data.palette: expected a list of [r, g, b] with values 0-255, got {palette}")
    if len(colours) < num_classes:
        raise ConfigError(f"data.palette: expected {num_classes} colours, one per class, got {len(colours)}")
    return colours[:num_classes].astype(np.uint8)


def save_label(path: str | os.PathLike, label: np.ndarray, palette: np.ndarray) -> None:
    """Write class indices as an 8-bit palette PNG: readers get the indices, viewers see the colours.

    Args:
        path: the file, replaced if there.
        label: (H, W) uint8 class indices; 255 = ignored, shown white.
        palette: (C, 3) uint8.
    """
    entries = np.zeros((256, 3), dtype=np.uint8)
    entries[: len(palette)] = palette
    entries[IGNORE] = IGNORED_COLOUR
    image = Image.fromarray(np.ascontiguousarray(label, dtype=np.uint8))
    image.putpalette(entries.tobytes())
    with atomic_write(path, durable=False) as file:
        image.save(file, format="PNG")


def _voc_colours() -> np.ndarray:
    """(256, 3) uint8: bit k of channel c of colour i is bit 3 (7 - k) + c of i."""
    index = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= (((index >> (3 * bit + channel)) & 1) << (7 - bit)).astype(np.uint8)
    return colours
