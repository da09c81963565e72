"""The look at the enlarged face for video: where the face was in the frame before says where to look in this one."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from segmentor.evaluation.zoom import Window, face_window, resized, zoomed

FRAMES_BETWEEN = 30
"""Frames after which the whole image is looked at again, for a face that is larger or has come in since."""
BACKGROUND_LOGIT = 20.0
"""Of the first class outside the window, the other classes' being 0: a probability of 1 but for a millionth."""


class FaceTracker:
    """Logits as of ``zoom_test``, of the frames of a video, for one look each.

    The window about the largest face of a frame is where the next frame is looked at, enlarged; what is outside it is
    background. As with :func:`~segmentor.evaluation.zoom.zoomed` the whole image is looked at before that in the first
    frame, after :data:`FRAMES_BETWEEN` frames, and after one without a face or with one at the window's edge.

    Args:
        forward: from images (N, K, h, w) to logits (N, C, h, w).
        margin: see :func:`~segmentor.evaluation.zoom.face_window`.
    """

    def __init__(self, forward: Callable[[Tensor], Tensor], margin: float) -> None:
        self._forward, self._margin = forward, margin
        self._window: Window | None = None
        self._shape: torch.Size | None = None
        self._frames = 0

    def __call__(self, image: Tensor) -> Tensor:
        """The logits (1, C, H, W) float32 of the next image (1, K, H, W) float32."""
        if self._window is None or self._frames >= FRAMES_BETWEEN or image.shape != self._shape:
            self._frames, self._shape = 0, image.shape
            logits = zoomed(self._forward, image, 1.0, self._margin)
        else:
            logits = self._within(image, self._window)
        self._frames += 1
        self._follow(logits.argmax(1)[0].to(torch.uint8).cpu().numpy())
        return logits

    def _within(self, image: Tensor, window: Window) -> Tensor:
        """The logits of a window, in an image that is background everywhere else."""
        rows = slice(window.top, window.top + window.height)
        columns = slice(window.left, window.left + window.width)
        size = (image.shape[-2], image.shape[-1])
        closer = self._forward(resized(image[..., rows, columns], size))
        logits = closer.new_zeros(closer.shape)
        logits[:, 0] = BACKGROUND_LOGIT
        logits[..., rows, columns] = resized(closer, (window.height, window.width))
        return logits

    def _follow(self, label: np.ndarray) -> None:
        """Decide from the classes (H, W) of a frame where to look in the next."""
        former, self._window = self._window, face_window(label, self._margin)
        if former is not None and self._frames > 1 and _reaches_edge(label, former):
            self._window = None


def _reaches_edge(label: np.ndarray, window: Window) -> bool:
    """Whether something was found at an edge of the window that isn't the image's."""
    height, width = label.shape
    bottom, right = window.top + window.height, window.left + window.width
    rows, columns = label[window.top : bottom], label[:, window.left : right]
    edges = (
        (window.top > 0, columns[window.top]),
        (bottom < height, columns[bottom - 1]),
        (window.left > 0, rows[:, window.left]),
        (right < width, rows[:, right - 1]),
    )
    return any(inside and line.any() for inside, line in edges)
