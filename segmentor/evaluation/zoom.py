"""A second look at the face that a first one found, enlarged: the coarse-to-fine mode of inference."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lib.metrics.components import remove_small_components

MOST_ZOOM = 4.0
"""Smaller faces are enlarged by no more than this: there is little more in them to see."""


class Window(NamedTuple):
    """A part of an image, of the image's proportions; pixels."""

    top: int
    left: int
    height: int
    width: int


def face_window(label: np.ndarray, margin: float) -> Window | None:
    """The window about the largest face of an image.

    Args:
        label: (H, W) uint8 classes, 0 = background.
        margin: least size of the window, relative to the box about the face; at least 1.

    Returns:
        a window inside the image; None where nothing is found, or where the window would be the whole image.
    """
    height, width = label.shape
    rows, columns = (np.flatnonzero((remove_small_components(label, 1.0) > 0).any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    size = max((rows[-1] + 1 - rows[0]) / height, (columns[-1] + 1 - columns[0]) / width)  # share of the image
    share = max(margin * size, 1 / MOST_ZOOM)
    if share >= 1:
        return None
    window_height, window_width = round(share * height), round(share * width)
    top = (rows[0] + rows[-1] + 1 - window_height) // 2
    left = (columns[0] + columns[-1] + 1 - window_width) // 2
    return Window(
        int(np.clip(top, 0, height - window_height)),
        int(np.clip(left, 0, width - window_width)),
        window_height,
        window_width,
    )


def zoomed(forward: Callable[[Tensor], Tensor], images: Tensor, scale: float, margin: float) -> Tensor:
    """Logits of whole images, and in a window about the largest face in each those of the window enlarged.

    Both looks are at ``scale`` times the images' size, so each costs as much as the other.

    Args:
        forward: from images (N, K, h, w) to logits (N, C, h, w).
        images: (N, K, H, W) float32.
        scale: of both looks.
        margin: see :func:`face_window`.

    Returns:
        (N, C, H, W) float32.
    """
    height, width = images.shape[-2:]
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    logits = resized(forward(resized(images, size)), (height, width))
    labels = logits.argmax(1).to(torch.uint8).cpu().numpy()
    windows = {
        position: window
        for position, window in enumerate(face_window(label, margin) for label in labels)
        if window is not None
    }
    if windows:
        logits = logits.clone()
        closer = forward(torch.cat([resized(_part(images, *item), size) for item in windows.items()]))
        for (position, window), enlarged in zip(windows.items(), closer, strict=True):
            _part(logits, position, window).copy_(resized(enlarged[None], (window.height, window.width)))
    return logits


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images or logits (N, C, H, W) at another (height, width), bilinear."""
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False)


def _part(images: Tensor, position: int, window: Window) -> Tensor:
    top, left, height, width = window
    return images[position : position + 1, :, top : top + height, left : left + width]
