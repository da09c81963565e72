"""From normalised images to logits: once, twice, averaged over scales and mirror images, or through a window."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.utils.config import Config
from lib.utils.config.data_sections import EvaluationSection
from lib.utils.runtime import Runtime
from segmentor.evaluation.zoom import resized, zoomed


class Inference:
    """How a network's logits are computed outside training: the modes of openseg.pytorch's tester.

    ``ss_test`` (single scale) takes the network's own logits. ``ms_test`` (multiple scales) takes their mean over
    ``scale_search`` and, with ``flip``, over the mirror image at each scale. ``sscrop_test`` takes their mean over the
    windows of ``crop_size``, or of the image's size where that is smaller; windows begin ``crop_stride_ratio`` of their
    length apart, and the last one ends at the image's edge. ``mscrop_test`` is ``ms_test`` that looks through such
    windows at scales from 1 on. ``zoom_test``, which they don't have, looks twice: at the whole image, and at a window
    about the largest face, enlarged.

    Args:
        network: on the runtime's device, in evaluation mode whenever it is called through here.
        runtime: device and number format.
        mode: ``ss_test``, ``ms_test``, ``sscrop_test``, ``mscrop_test`` or ``zoom_test``.
        scale_search: factors on the image's size; ``zoom_test`` takes the first.
        flip: average over mirror images as well.
        swaps: pairs of classes that are each other's mirror image, such as left and right arm.
        crop_size: (width, height) of a window in pixels.
        crop_stride_ratio: in (0, 1].
        zoom_margin: size of the window of ``zoom_test``, relative to the box about the face; at least 1.
        eval_size: what images are first resized to: (length of the shorter side,), (width, height), or None for their
            own size. Logits are resized back, both bicubic.
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
        swaps: Sequence[Sequence[int]] = (),
        crop_size: Sequence[int] = (320, 256),
        crop_stride_ratio: float = 2 / 3,
        zoom_margin: float = 1.8,
        eval_size: Sequence[int] | None = None,
        amp: bool = False,
    ) -> None:
        self.network = network
        self.runtime = runtime
        self._mode = mode
        self._scales, self._flip, self._swaps = scale_search, flip, swaps
        self._crop_size, self._stride_ratio = crop_size, crop_stride_ratio
        self._zoom_margin = zoom_margin
        self._eval_size = eval_size
        self._amp = amp

    def __call__(self, images: Tensor) -> Tensor:
        """The logits (N, C, H, W) float32, on the runtime's device, of normalised images (N, K, H, W) float32."""
        images = self.runtime.to_device(images)
        height, width = images.shape[-2:]
        if self._eval_size is None:
            return self._look(images)
        logits = self._look(_bicubic(images, _size_after(self._eval_size, height, width)))
        return _bicubic(logits, (height, width))

    def _look(self, images: Tensor) -> Tensor:
        if self._mode in ("ms_test", "mscrop_test"):
            return self._mean_over_scales(images)
        if self._mode == "sscrop_test":
            return self._mean_over_windows(images)
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

    def _mean_over_scales(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        at_scales = []
        for scale in self._scales:
            look = self._mean_over_windows if self._mode == "mscrop_test" and scale >= 1 else self._forward
            scaled = resized(images, (max(1, round(height * scale)), max(1, round(width * scale))))
            logits = look(scaled)
            if self._flip:
                logits = (logits + _mirrored(look(scaled.flip(-1)), self._swaps)) / 2
            at_scales.append(resized(logits, (height, width)))
        return sum(at_scales[1:], at_scales[0]) / len(self._scales)

    def _mean_over_windows(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        window_height, window_width = min(height, self._crop_size[1]), min(width, self._crop_size[0])
        total, count = None, torch.zeros((height, width), device=images.device)
        for top in _window_starts(height, window_height, self._stride_ratio):
            for left in _window_starts(width, window_width, self._stride_ratio):
                window = (..., slice(top, top + window_height), slice(left, left + window_width))
                logits = self._forward(images[window])
                if total is None:
                    total = logits.new_zeros((*logits.shape[:2], height, width))
                total[window] += logits
                count[window] += 1
        assert total is not None  # there is a window at least
        return total / count


def build_inference(
    config: Config,
    section: EvaluationSection,
    network: nn.Module,
    runtime: Runtime,
    amp: bool = False,
    eval_size: Sequence[int] | None = None,
) -> Inference:
    """Inference as the config's section ``val`` or ``test`` asks for; other arguments as of :class:`Inference`."""
    flip = config.train_trans.random_hflip
    return Inference(
        network,
        runtime,
        mode=section.mode,
        scale_search=section.scale_search,
        flip=section.flip,
        swaps=flip.swap_pair if flip else (),
        crop_size=section.crop_size,
        crop_stride_ratio=section.crop_stride_ratio,
        zoom_margin=section.zoom_margin,
        eval_size=eval_size,
        amp=amp,
    )


def _mirrored(logits: Tensor, swaps: Sequence[Sequence[int]]) -> Tensor:
    """Logits (N, C, H, W) of a mirror image as those of the image."""
    if swaps:
        order = list(range(logits.shape[1]))
        for first, second in swaps:
            order[first], order[second] = second, first
        logits = logits[:, order]
    return logits.flip(-1)


def _size_after(eval_size: Sequence[int], height: int, width: int) -> tuple[int, int]:
    """(height, width) of an image after the resize that ``eval_size`` says, see :class:`Inference`."""
    if len(eval_size) == 2:
        return eval_size[1], eval_size[0]
    scale = eval_size[0] / min(height, width)
    return round(height * scale), round(width * scale)


def _bicubic(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images or logits (N, C, H, W) at another (height, width), as OpenCV's ``INTER_CUBIC``."""
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size=size, mode="bicubic", align_corners=False)


def _window_starts(length: int, window: int, stride_ratio: float) -> list[int]:
    """Where windows begin: a step apart from 0 on, and the last where it ends at ``length``."""
    return [*range(0, length - window, max(1, int(window * stride_ratio))), length - window]
