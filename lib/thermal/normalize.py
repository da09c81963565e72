"""Temperatures to the values that a network reads."""

from typing import Any

import cv2
import numpy as np

from lib.utils.errors import ConfigError

RANGES = {1: (0.0, 1.0), 2: (-1.0, 1.0)}
TINY = float(np.finfo(np.float32).tiny)
"""A narrower range is none: its reciprocal is no float32."""


def normalize(image: np.ndarray, valid: np.ndarray | None, section: Any) -> np.ndarray:
    """Normalise an image as ``section`` (config ``normalize``) says.

    ``clip`` (low, high) comes first: what lies outside becomes the nearer of the two. With ``norm_mode`` 1 or 2 the
    least value of the image's real pixels then becomes 0 or -1 and the greatest 1; the others are clipped to that, and
    an image of one value becomes the middle. ``window`` (low, high) stands for the two extremes, so that a temperature
    becomes the same value in every frame, whatever else the frame shows.
    Without ``norm_mode``, (image / div_value - mean) / std, ``mean`` and ``std`` per channel.

    Args:
        image: (H, W[, C]) float32; stays as it is.
        valid: (H, W) bool, the real pixels; None or all False: every pixel.
        section: has ``norm_mode``, ``clip`` and ``window`` (in the image's unit, low < high, or None), ``mean``,
            ``std``, ``div_value``.

    Returns:
        A new array, float32, of the same shape.

    Raises:
        ConfigError: ``norm_mode`` is none of 1, 2 and None.
    """
    if section.clip is not None:
        image = np.clip(image, *np.asarray(section.clip, np.float32))
    if section.norm_mode is None:
        return _standardised(image, section.mean, section.std, section.div_value)
    if section.norm_mode not in RANGES:
        raise ConfigError(f"normalize.norm_mode: expected 1, 2 or nothing, got {section.norm_mode!r}")
    low, high = RANGES[section.norm_mode]
    least, greatest = _extremes(image, valid) if section.window is None else section.window
    if not greatest - least >= TINY:
        return np.full(image.shape, (low + high) / 2, np.float32)
    result = image - np.float32(least)
    result *= np.float32((high - low) / (greatest - least))
    result += np.float32(low)
    return np.clip(result, low, high, out=result)


def _extremes(image: np.ndarray, valid: np.ndarray | None) -> tuple[float, float]:
    if valid is not None and not valid.any():
        valid = None
    if image.ndim == 2:
        mask = None if valid is None else np.ascontiguousarray(valid).view(np.uint8)
        return cv2.minMaxLoc(image, mask)[:2]
    real = image if valid is None else image[valid]
    return float(real.min()), float(real.max())


def _standardised(image: np.ndarray, mean: Any, std: Any, div_value: float | None) -> np.ndarray:
    result = image / np.float32(1.0 if div_value is None else div_value)
    result -= np.asarray(0.0 if mean is None else _per_channel(mean, image), np.float32)
    result /= np.asarray(1.0 if std is None else _per_channel(std, image), np.float32)
    return result


def _per_channel(values: Any, image: np.ndarray) -> np.ndarray:
    """Numbers that broadcast over ``image``; (H, W) is one channel."""
    values = np.atleast_1d(np.asarray(values, np.float32))
    channels = 1 if image.ndim == 2 else image.shape[2]
    if values.size not in (1, channels):
        raise ConfigError(
            f"normalize.mean, normalize.std: expected 1 or {channels} numbers (data.num_channels), got {values.size}"
        )
    return values
