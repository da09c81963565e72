"""A contact sheet: frames with what was predicted in colour, and the boxes of their faces."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib import vis
from lib.utils.files import atomic_write

_TILE = (256, 320)  # rows and columns, pixels
_COLUMNS = 6
_BOX = (255, 255, 255)


def draw_tile(
    frame: np.ndarray, label: np.ndarray, boxes: np.ndarray, names: Sequence[str], palette: np.ndarray
) -> np.ndarray:
    """One frame, its label over it and the boxes: (256, 320, 3) uint8 RGB.

    Args:
        frame: (H, W) float32, any unit.
        label: (H, W) uint8 classes.
        boxes: (N, 4), x0, y0, x1, y1 in pixels.
        names, palette: of the classes.
    """
    scale = min(large / small for large, small in zip(_TILE, frame.shape, strict=True))
    size = (min(round(frame.shape[1] * scale), _TILE[1]), min(round(frame.shape[0] * scale), _TILE[0]))
    frame = cv2.resize(frame.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    tile = np.zeros((*_TILE, 3), np.uint8)
    # Without the legend below.
    tile[: size[1], : size[0]] = vis.overlay(frame, label, names, palette)[: size[1], : size[0]]
    for box in np.rint(np.asarray(boxes) * scale).astype(int):
        cv2.rectangle(tile, box[:2].tolist(), box[2:].tolist(), _BOX, 1)
    return tile


def save_sheet(path: Path, tiles: Sequence[np.ndarray]) -> None:
    """Write tiles of one size in rows of six as a PNG."""
    blank = np.zeros_like(tiles[0])
    tiles = [*tiles, *[blank] * (-len(tiles) % _COLUMNS)]
    rows = [np.hstack(tiles[first : first + _COLUMNS]) for first in range(0, len(tiles), _COLUMNS)]
    with atomic_write(path) as file:
        Image.fromarray(np.vstack(rows)).save(file, format="PNG")
