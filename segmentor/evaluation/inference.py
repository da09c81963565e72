"""From normalised images to logits: once, twice, averaged over scales and mirror images, or through a window."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lib.utils.config.data_sections import EvaluationSection
from lib.utils.runtime import Runtime
from segmentor.evaluation.zoom import resized, zoomed


class Inference:
    """How a network's logits are computed outside training: the modes of openseg.pytorch's tester.

    ``ss_test`` (single scale) takes the network's own logits. ``ms_test`` (multiple scales) takes their mean over
    ``scale_search`` and, with ``flip``, over the mirror image at each scale. ``sscrop_test`` takes their mean over the
    windows of ``crop_size``, or of the image's size where that is smaller; windows begin at most
    ``crop_stride_ratio`` of their length apart, and the last one ends at the image's edge. ``zoom_test``, which they
    don't have, looks twice: at the whole image, and at a window about the largest face, enlarged.

    Args:
        network: on the runtime's device, in evaluation mode whenever it is called through here.
        runtime: device and number format.
        mode: ``ss_test``, ``ms_test``, ``sscrop_test`` or ``zoom_test``.
        scale_search: factors on the image's size; ``zoom_test`` takes the first.
        flip: average over mirror images as well.
        crop_size: (width, height) of a window in pixels.
        crop_stride_ratio: in (0, 1].
        zoom_margin: size of the window of ``zoom_test``, relative to the box about the face; at least 1.
        amp: compute in the number format of training instead of float32.
    """

    def __init__(
        self,
        network: nn.Module,
        runtime: Runtime,
        *,
        mode: str = "ss_test",
        scale_search: Sequence[float] = (1.0,),
        flip: bool = True,
        crop_size: Sequence[int] = (320, 256),
        crop_stride_ratio: float = 2 / 3,
        zoom_margin: float = 1.8,
        amp: bool = False,
    ) -> None:
        self.network = network
        self.runtime = runtime
        self._mode = mode
        self._scales, self._flip = scale_search, flip
        self._crop_size, self._stride_ratio = crop_size, crop_stride_ratio
        self._zoom_margin = zoom_margin
        self._amp = amp

    def __call__(self, images: Tensor) -> Tensor:
        """The logits (N, C, H, W) float32, on the runtime's device, of normalised images (N, K, H, W) float32."""
        images = self.runtime.to_device(images)
        if self._mode == "ms_test":
            return _mean_over_scales(self._forward, images, self._scales, self._flip)
        if self._mode == "sscrop_test":
            return _mean_over_windows(self._forward, images, self._crop_size, self._stride_ratio)
        if self._mode == "zoom_test":
            return zoomed(self._forward, images, self._scales[0], self._zoom_margin)
        return self._forward(images)

    def look_once(self, images: Tensor) -> Tensor:
        """As a call, at the cost of one forward pass where that takes the images whole: it may see less."""
        if self._mode == "sscrop_test":  # the network may not take images of their size
            return self(images)
        return self._forward(self.runtime.to_device(images))

    def _forward(self, images: Tensor) -> Tensor:
        with self.runtime.autocast(self._amp):
            return self.network(images).logits.float()


def build_inference(section: EvaluationSection, network: nn.Module, runtime: Runtime, amp: bool = False) -> Inference:
    """Inference as the config's section ``val`` or ``test`` asks for; other arguments as of :class:`Inference`."""
    return Inference(
        network,
        runtime,
        mode=section.mode,
        scale_search=section.scale_search,
        flip=section.flip,
        crop_size=section.crop_size,
        crop_stride_ratio=section.crop_stride_ratio,
        zoom_margin=section.zoom_margin,
        amp=amp,
    )


def _mean_over_scales(
    forward: Callable[[Tensor], Tensor], images: Tensor, scales: Sequence[float], flip: bool
) -> Tensor:
    height, width = images.shape[-2:]
    at_scales = []
    for scale in scales:
        scaled = resized(images, (max(1, round(height * scale)), max(1, round(width * scale))))
        logits = forward(scaled)
        if flip:
            logits = (logits + forward(scaled.flip(-1)).flip(-1)) / 2
        at_scales.append(resized(logits, (height, width)))
    return sum(at_scales[1:], at_scales[0]) / len(scales)


def _mean_over_windows(
    forward: Callable[[Tensor], Tensor], images: Tensor, crop_size: Sequence[int], stride_ratio: float
) -> Tensor:
    height, width = images.shape[-2:]
    window_height, window_width = min(height, crop_size[1]), min(width, crop_size[0])
    total, count = None, torch.zeros((height, width), device=images.device)
    for top in _window_starts(height, window_height, stride_ratio):
        for left in _window_starts(width, window_width, stride_ratio):
            window = (..., slice(top, top + window_height), slice(left, left + window_width))
            logits = forward(images[window])
            if total is None:
                total = logits.new_zeros((*logits.shape[:2], height, width))
            total[window] += logits
            count[window] += 1
    assert total is not None  # there is a window at least
    return total / count


def _window_starts(length: int, window: int, stride_ratio: float) -> list[int]:
    """Where windows begin: evenly from 0 to the last that fits, at most ``stride_ratio`` of a window apart."""
    stride = max(1, int(window * stride_ratio))
    steps = -(-(length - window) // stride)
    return np.linspace(0, length - window, steps + 1).round().astype(int).tolist()
