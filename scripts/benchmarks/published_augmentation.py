"""TiAug with the operations as published: a spline rotation per class, shapes as masks of the whole frame.

A rotation is SciPy's with its defaults: cubic splines, and a canvas that grows to hold the turned frame. So an image
takes about as long as was measured of the published code (115 ms), and most of it for the classes of the label (83 %).
"""

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

IGNORE = -1


class PublishedTiAug:
    """The published sequence, one whole-frame operation after the other.

    Args:
        num_classes: of the label, each of which is turned as a mask of its own.
        size: (width, height) of the crop and of the result, pixels.
    """

    def __init__(self, num_classes: int, size: tuple[int, int] = (320, 256)) -> None:
        self.num_classes = num_classes
        self.size = size

    def __call__(self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Image (H, W) float, deg C, and label (H, W) integer -> the same at :attr:`size`, label -1 where ignored."""
        label = label.astype(np.int64)
        if rng.random() < 0.5:
            image, label = np.fliplr(image), np.fliplr(label)
        if rng.random() < 0.5:
            image, label = np.flipud(image), np.flipud(label)
        image, label = rotate(image, label, rng.uniform(0, 360), self.num_classes)
        if rng.random() < 0.5:
            image = ndimage.gaussian_filter(image, rng.uniform(1.0, 1.2))
        if rng.random() < 0.5:
            image = image + rng.normal(0, rng.uniform(0, 0.1), image.shape)
        if rng.random() < 0.5:
            image = occlude(image, rng)
        scale, stretch = rng.uniform(0.5, 2.0), math.sqrt(rng.uniform(0.9, 1.1))
        image, label = resize(image, label, scale * stretch, scale / stretch)
        image, label = crop(image, label, self.size)
        return pad(image, label, self.size, rng)


def rotate(image: np.ndarray, label: np.ndarray, angle: float, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn image and label counter-clockwise by ``angle`` degrees, the label class by class, onto a canvas of all."""
    warm = ndimage.rotate(image.astype(np.float64), angle, cval=float(image.min()))
    turned = np.full(warm.shape, IGNORE, np.int64)
    for number in range(num_classes):
        turned[ndimage.rotate((label == number).astype(np.float64), angle) > 0.5] = number
    return warm, turned


def occlude(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of three kinds of occluders: a polygon; two joined by a bar; two apart. One temperature each, and noise."""
    kind = rng.integers(3)
    centres = rng.uniform(0.1, 0.9, (1 if kind == 0 else 2, 2)) * min(image.shape)
    masks = [shape_mask(image.shape, _polygon(centre, rng)) for centre in centres]
    if kind == 1:
        bar = Image.new("L", image.shape[::-1])
        ImageDraw.Draw(bar).line([tuple(centre) for centre in centres], fill=1, width=int(rng.integers(2, 11)))
        masks = [masks[0] | masks[1] | np.array(bar, bool)]
    coldest, warmest = image.min(), image.max()
    extent = warmest - coldest
    for mask in masks:
        temperature = rng.uniform(coldest - extent, warmest + extent)
        noise = rng.normal(0, rng.uniform(0, 0.1), image.shape)
        image = np.where(mask, temperature + noise, image)
    return image


def shape_mask(shape: tuple[int, int], polygon: np.ndarray) -> np.ndarray:
    """(H, W) bool, True inside the (N, 2) corners (x, y)."""
    picture = Image.new("L", shape[::-1])
    ImageDraw.Draw(picture).polygon([tuple(corner) for corner in polygon], fill=1, outline=1)
    return np.array(picture, bool)


def _polygon(centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """2 to 99 corners (x, y) at irregular angles and radii."""
    count = int(rng.integers(2, 100 if rng.random() < 0.5 else 10))
    angles = 2 * math.pi * (np.arange(count) + rng.uniform(0, rng.uniform(), count)) / count
    radii = rng.uniform(10, 25) * np.clip(rng.normal(1, rng.uniform(0, 0.5), count), 0, 2)
    return centre + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])


def resize(image: np.ndarray, label: np.ndarray, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """Stretch by factors along both axes, the image bilinearly, the label to the nearest."""
    size = max(1, round(image.shape[1] * x)), max(1, round(image.shape[0] * y))
    stretched = cv2.resize(label.astype(np.int16), size, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), stretched.astype(np.int64)


def crop(image: np.ndarray, label: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The centre, at most ``size`` (width, height) of it."""
    top, left = max(0, image.shape[0] - size[1]) // 2, max(0, image.shape[1] - size[0]) // 2
    window = slice(top, top + size[1]), slice(left, left + size[0])
    return image[window], label[window]


def pad(
    image: np.ndarray, label: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put image and label at a random place of an empty ``size`` (width, height)."""
    canvas, classes = np.zeros(size[::-1], np.float32), np.full(size[::-1], IGNORE, np.int64)
    top, left = (int(rng.integers(spare + 1)) for spare in np.subtract(canvas.shape, image.shape))
    window = slice(top, top + image.shape[0]), slice(left, left + image.shape[1])
    canvas[window], classes[window] = image, label
    return canvas, classes


def normalise(image: np.ndarray) -> np.ndarray:
    """To [-1, 1] between the image's least and greatest value, float32."""
    least, greatest = image.min(), image.max()
    return (2 * (image - least) / max(greatest - least, 1e-12) - 1).astype(np.float32)
