"""Reduction of frames and labels to the training size."""

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

LABEL_RESIZES = ("majority", "published")


def centre_crop(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """View of the central ``size`` = (H, W) of an array (H, W, ...); an odd rest is cut at the end.

    >>> centre_crop(np.arange(5)[None], (1, 2)).tolist()
    [[1, 2]]
    """
    top, left = ((have - want) // 2 for have, want in zip(array.shape, size, strict=False))
    return array[top : top + size[0], left : left + size[1]]


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize as scikit-image's ``resize(order=1, anti_aliasing=True)`` does.

    A Gaussian of sigma (factor - 1) / 2 per axis, cut at 4 sigma, mirrored at the borders, then linear
    interpolation between pixel centres.

    Args:
        image: (H, W) float32.
        size: (H, W) of the result.

    Returns:
        float32, in the unit of ``image``.
    """
    column, row = (_gaussian_kernel(have / want) for have, want in zip(image.shape, size, strict=True))
    smooth = cv2.sepFilter2D(image, cv2.CV_32F, row, column, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(smooth, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def _gaussian_kernel(factor: float) -> np.ndarray:
    sigma = max(0.0, (factor - 1) / 2)
    radius = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-12)) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def resize_label(label: np.ndarray, size: tuple[int, int], way: str) -> np.ndarray:
    """Resize a label.

    Args:
        label: (H, W) uint8.
        size: (H, W) of the result.
        way: ``majority``: the class that covers most of the pixel's area in ``label``; of classes that cover
            equally much, the later one, as in drawing. ``published``: class k wherever the mask of k, resized
            as :func:`resize_image` does, is above 0, later classes winning; this fattens small regions.

    Returns:
        (H, W) uint8.
    """
    classes = np.flatnonzero(np.bincount(label.ravel(), minlength=256))
    if way == "published":
        result = np.zeros(size, np.uint8)
        for value in classes[classes > 0]:
            result[resize_image((label == value).astype(np.float32), size) > 0] = value
        return result
    rows, columns = (_overlaps(have, want) for have, want in zip(label.shape, size, strict=True))
    result, most = np.zeros(size, np.uint8), np.zeros(size, np.float64)
    for value in classes:
        area = (columns @ (rows @ (label == value).astype(np.float64)).T).T
        result[area >= most] = value
        np.maximum(most, area, out=most)
    return result


@lru_cache(maxsize=8)
def _overlaps(have: int, want: int) -> "sparse.csr_array":
    """(want, have): how much of input pixel j lies in output pixel i, times ``want``: whole numbers.

    They add up without rounding, so equal areas compare equal.
    """
    from scipy import sparse  # only preparation needs it, and training starts sooner without

    inputs, outputs = np.arange(have)[None], np.arange(want)[:, None]
    ends = np.minimum((inputs + 1) * want, (outputs + 1) * have)
    starts = np.maximum(inputs * want, outputs * have)
    return sparse.csr_array(np.maximum(ends - starts, 0).astype(np.float64))
