"""Temperatures to the values that a network reads, in NumPy for frames on disk and in PyTorch for exported networks."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from lib.utils.errors import ConfigError

RANGES = {1: (0.0, 1.0), 2: (-1.0, 1.0)}
"""Least and greatest value by ``norm_mode``."""
TINY = float(np.finfo(np.float32).tiny)
"""A narrower range of temperatures counts as none: its reciprocal is no float32."""

Numbers = Sequence[float]


def normalize(
    image: np.ndarray,
    valid: np.ndarray | None = None,
    *,
    norm_mode: int | None = 2,
    clip: Numbers | None = None,
    window: Numbers | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    div_value: float = 1.0,
    channel_order: str = "RGB",
) -> np.ndarray:
    """Normalise an image.

    With ``norm_mode`` 1 or 2 the least value of the image's real pixels becomes 0 or -1 and the greatest 1; the others
    are clipped to that, and an image of one value becomes the middle. Without ``norm_mode`` the result is
    (image / div_value - mean) / std, and 0 outside the real pixels of a colour picture, as published.

    Args:
        image: (H, W) or (H, W, C) float32, deg C; stays as it is.
        valid: (H, W) bool, the real pixels; None or all False: every pixel.
        norm_mode: 1, 2 or None, see above.
        clip: (low, high), to which values are clipped before all else.
        window: (low, high) that ``norm_mode`` maps instead of the image's own extremes, so that a temperature becomes
            the same value in every frame, whatever else the frame shows.
        mean, std: one number, or one per channel; None for 0 and 1.
        div_value: see above.
        channel_order: ``BGR`` turns the order of the channels round; ``mean`` and ``std`` are in the new order.

    Returns:
        A new array, float32, of the same shape.

    Raises:
        ConfigError: ``norm_mode`` is none of 1, 2 and None, or ``mean`` or ``std`` doesn't fit the channels.

    >>> normalize(np.array([[20, 30, 35]], np.float32), window=(20, 40)).tolist()
    [[-1.0, 0.0, 0.5]]
    """
    if channel_order == "BGR" and image.ndim == 3:
        image = image[..., ::-1]
    if clip is not None:
        image = np.clip(image, *np.asarray(clip, np.float32))
    if norm_mode is None:
        result = _standardized(image, mean, std, div_value)
        if valid is not None and image.ndim == 3:
            result[~valid] = 0
        return result
    low, high = _range(norm_mode)
    least, greatest = _extremes(image, valid) if window is None else window
    if not greatest - least >= TINY:
        return np.full(image.shape, (low + high) / 2, np.float32)
    result = image - np.float32(least)
    result *= np.float32((high - low) / (greatest - least))
    result += np.float32(low)
    return np.clip(result, low, high, out=result)


def normalize_tensor(
    frames: Tensor,
    *,
    norm_mode: int | None = 2,
    clip: Numbers | None = None,
    window: Numbers | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    div_value: float = 1.0,
    channel_order: str = "RGB",
) -> Tensor:
    """:func:`normalize` of each frame of a batch, every pixel of which is real, in operations that can be exported.

    Args:
        frames: (N, C, H, W) float32, deg C.
        norm_mode, clip, window, mean, std, div_value, channel_order: as of :func:`normalize`.

    Returns:
        (N, C, H, W) float32.

    >>> normalize_tensor(torch.tensor([[[[20.0, 30.0, 36.0]]]]), window=(20, 40)).flatten().tolist()[:2]
    [-1.0, 0.0]
    """
    if channel_order == "BGR":
        frames = frames.flip(1)
    if clip is not None:
        frames = frames.clamp(*clip)
    if norm_mode is None:
        centre, spread = (_per_plane(frames, given, usual) for given, usual in ((mean, 0.0), (std, 1.0)))
        return (frames / div_value - centre) / spread
    low, high = _range(norm_mode)
    if window is not None:
        first, last = window
        return ((frames - first) * ((high - low) / (last - first)) + low).clamp(low, high)
    least, greatest = frames.amin((1, 2, 3), keepdim=True), frames.amax((1, 2, 3), keepdim=True)
    varies = greatest - least >= TINY
    factor = (high - low) / torch.where(varies, greatest - least, 1.0)
    return torch.where(varies, ((frames - least) * factor + low).clamp(low, high), (low + high) / 2)


def _range(norm_mode: int) -> tuple[float, float]:
    if norm_mode not in RANGES:
        raise ConfigError(f"normalize.norm_mode: expected 1, 2 or nothing, got {norm_mode!r}")
    return RANGES[norm_mode]


def _extremes(image: np.ndarray, valid: np.ndarray | None) -> tuple[float, float]:
    if valid is not None and not valid.any():
        valid = None
    if image.ndim == 2:
        mask = None if valid is None else np.ascontiguousarray(valid).view(np.uint8)
        return cv2.minMaxLoc(image, mask)[:2]
    real = image if valid is None else image[valid]
    return float(real.min()), float(real.max())


def _standardized(image: np.ndarray, mean: Numbers | None, std: Numbers | None, div_value: float) -> np.ndarray:
    result = image / np.float32(div_value)
    result -= _per_channel(0.0 if mean is None else mean, image)
    result /= _per_channel(1.0 if std is None else std, image)
    return result


def _per_channel(given: Numbers | float, image: np.ndarray) -> np.ndarray:
    """Numbers that broadcast over ``image``; (H, W) is one channel."""
    values = np.atleast_1d(np.asarray(given, np.float32))
    channels = 1 if image.ndim == 2 else image.shape[2]
    if values.size not in (1, channels):
        raise ConfigError(
            f"normalize.mean, normalize.std: expected 1 or {channels} numbers (data.num_channels), got {values.size}"
        )
    return values


def _per_plane(frames: Tensor, given: Numbers | None, usual: float) -> Tensor:
    return torch.tensor([usual] if given is None else list(given), dtype=frames.dtype, device=frames.device)[
        :, None, None
    ]
