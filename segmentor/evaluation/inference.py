"""From normalised images to logits: once, at several scales and mirrored, or through a sliding window."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.utils.runtime import Runtime


def predict_logits(network: nn.Module, images: Tensor, settings: Any, runtime: Runtime, amp: bool = False) -> Tensor:
    """The logits of a batch, as ``settings.mode`` says (the modes of openseg.pytorch's tester).

    ``ss_test``: the network's own. ``ms_test``: the mean over ``scale_search`` and, with ``flip``, the mirror image at
    each scale. ``sscrop_test``: the mean over windows of ``crop_size``, or the image's size where that is smaller,
    ``crop_stride_ratio`` of it apart at most; the last one ends at the image's edge. Means are of logits.

    Args:
        network: in evaluation mode, on the runtime's device.
        images: (N, C_in, H, W) float32, normalised; on any device.
        settings: config ``val`` or ``test``: has ``mode``, ``scale_search``, ``flip``, ``crop_size`` (width, height),
            ``crop_stride_ratio``.
        runtime: device and number format.
        amp: run in the training's number format instead of float32.

    Returns:
        (N, C, H, W) float32 on the runtime's device.
    """
    images = runtime.to_device(images)

    def forward(images: Tensor) -> Tensor:
        with runtime.autocast(amp):
            return network(images).logits.float()

    if settings.mode == "ms_test":
        return _over_scales(forward, images, settings.scale_search, settings.flip)
    if settings.mode == "sscrop_test":
        return _over_windows(forward, images, settings.crop_size, settings.crop_stride_ratio)
    return forward(images)


def _over_scales(forward: Any, images: Tensor, scales: list[float], flip: bool) -> Tensor:
    size, total = images.shape[-2:], 0
    for scale in scales:
        scaled = _resized(images, [max(1, round(side * scale)) for side in size])
        logits = forward(scaled)
        if flip:
            logits = (logits + forward(scaled.flip(-1)).flip(-1)) / 2
        total = total + _resized(logits, size)
    return total / len(scales)


def _resized(images: Tensor, size: Any) -> Tensor:
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size=tuple(size), mode="bilinear", align_corners=False)


def _over_windows(forward: Any, images: Tensor, crop_size: list[int], stride_ratio: float) -> Tensor:
    high, wide = min(images.shape[-2], crop_size[1]), min(images.shape[-1], crop_size[0])
    total, count = None, torch.zeros(images.shape[-2:], device=images.device)
    for top in _starts(images.shape[-2], high, stride_ratio):
        for left in _starts(images.shape[-1], wide, stride_ratio):
            window = (..., slice(top, top + high), slice(left, left + wide))
            logits = forward(images[window])
            if total is None:
                total = logits.new_zeros((*logits.shape[:2], *images.shape[-2:]))
            total[window] += logits
            count[window] += 1
    return total / count


def _starts(length: int, window: int, stride_ratio: float) -> list[int]:
    """Where windows begin: evenly from 0 to the last that fits, at most ``stride_ratio`` of a window apart."""
    stride = max(1, int(window * stride_ratio))
    steps = -(-(length - window) // stride)
    return np.linspace(0, length - window, steps + 1).round().astype(int).tolist()
