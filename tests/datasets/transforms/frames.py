"""Frames for the tests of transforms, and the transforms done one after the other by SciPy, to compare with."""

from types import SimpleNamespace

import numpy as np
from scipy import ndimage

IGNORE = 255

# The train_trans of the published thermal configs with TiAug ("Occ").
PUBLISHED = {
    "random_hflip": {"ratio": 0.5},
    "random_vflip": {"ratio": 0.5},
    "random_rotate": {"ratio": 1.0, "low_limit_angle": 0, "high_limit_angle": 360},
    "gaussian_blur": {"ratio": 0.5, "blur_sigma_max": 1.2},
    "thermal_noise": {"ratio": 0.5, "max_noise_equivalent_differential_temperature": 0.1},
    "random_thermal_occlusion": {"ratio": 0.5, "max_noise_equivalent_differential_temperature": 0.1},
    "random_resize": {
        "ratio": 1.0,
        "method": "random",
        "scale_range": [0.5, 2.0],
        "aspect_range": [0.9, 1.1],
    },
    "random_crop": {"ratio": 1.0, "crop_size": [320, 256], "method": "center", "allow_outside_center": False},
}


def sections(transforms: dict, input_size=(320, 256), pad_mode="random") -> tuple[SimpleNamespace, SimpleNamespace]:
    """Config sections ``train_trans`` and ``data_transformer``, as attributes."""
    trans = SimpleNamespace(
        trans_seq=list(transforms), **{name: SimpleNamespace(**values) for name, values in transforms.items()}
    )
    return trans, SimpleNamespace(input_size=list(input_size), pad_mode=pad_mode)


def noise_frame(height: int, width: int, seed: int = 0, channels: tuple[int, ...] = ()) -> np.ndarray:
    """(H, W, *channels) float32, 20 to 40 deg C, every pixel its own."""
    return np.random.default_rng(seed).uniform(20, 40, (height, width, *channels)).astype(np.float32)


def smooth_frame(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W) float32 deg C, 20 to 40, details of about 6 pixels."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), 6, mode="nearest")
    return (30 + 10 * field / np.abs(field).max()).astype(np.float32)


def blocky_label(height: int, width: int, seed: int = 0, side: int = 7) -> np.ndarray:
    """(H, W) uint8 with classes 0, 1, 3, 5 and ignored pixels in square blocks."""
    values = np.array([0, 1, 3, 5, IGNORE], np.uint8)
    blocks = np.random.default_rng(seed).integers(0, len(values), (height // side + 1, width // side + 1))
    return values[np.kron(blocks, np.ones((side, side), int))[:height, :width]]


def sampled(array: np.ndarray, x: np.ndarray, y: np.ndarray, order: int) -> np.ndarray:
    """``array`` (H, W) at pixel coordinates, edges repeated."""
    return ndimage.map_coordinates(array, [y, x], order=order, mode="nearest")


def rotated(array: np.ndarray, angle: float, order: int) -> np.ndarray:
    """SciPy's own rotation, counter-clockwise on the same canvas, edges repeated."""
    return ndimage.rotate(array, angle, reshape=False, order=order, mode="nearest")


def resized(array: np.ndarray, height: int, width: int, order: int) -> np.ndarray:
    """Sampled so that the outer edges of the first and last pixels match."""
    y, x = np.mgrid[:height, :width].astype(float)
    return sampled(array, (x + 0.5) * array.shape[1] / width - 0.5, (y + 0.5) * array.shape[0] / height - 0.5, order)


def windowed(array: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window, edges repeated where it is outside."""
    y = np.clip(np.arange(top, top + height), 0, array.shape[0] - 1)
    x = np.clip(np.arange(left, left + width), 0, array.shape[1] - 1)
    return array[np.ix_(y, x)]
