"""Pictures of flat shapes in the colours of their classes, and their labels."""

from typing import NamedTuple

import cv2
import numpy as np

from lib.utils.labels import IGNORE

Size = tuple[int, int]
PictureAndLabel = tuple[np.ndarray, np.ndarray]
"""A picture (H, W, 3) uint8 RGB and its label (H, W) uint8."""

_NOISE = 6.0
"""Standard deviation in grey levels."""
_UNLABELLED_SHARE = 1 / 12
"""Of height and width: the corner whose label is 255."""


class Scene(NamedTuple):
    """What pictures show, as values of their labels.

    Attributes:
        bands: from the top to the bottom, such as sky, houses and street.
        objects: shapes in front of them; each picture has all.
    """

    bands: tuple[int, ...]
    objects: tuple[int, ...]


class Part(NamedTuple):
    """A rectangle of a person, as shares of the picture's height and width: top, left, height, width; and its value."""

    value: int
    top: float
    left: float
    height: float
    width: float


PERSON = (
    Part(5, 0.27, 0.32, 0.27, 0.36),
    Part(11, 0.26, 0.42, 0.04, 0.16),
    Part(15, 0.28, 0.17, 0.24, 0.13),
    Part(14, 0.28, 0.70, 0.24, 0.13),
    Part(3, 0.52, 0.70, 0.06, 0.13),
    Part(9, 0.54, 0.32, 0.16, 0.36),
    Part(17, 0.70, 0.32, 0.18, 0.15),
    Part(16, 0.70, 0.53, 0.18, 0.15),
    Part(19, 0.88, 0.28, 0.07, 0.19),
    Part(18, 0.88, 0.53, 0.07, 0.19),
    Part(13, 0.11, 0.38, 0.15, 0.24),
    Part(2, 0.07, 0.38, 0.05, 0.24),
    Part(1, 0.03, 0.35, 0.05, 0.30),
)
"""A person in LIP's values, who faces the camera: their left arm is on the picture's right."""


def colour_of(value: int) -> tuple[int, int, int]:
    """The colour of a label's value, another one for each of 0-255.

    >>> len({colour_of(value) for value in range(256)})
    256
    """
    return value * 67 % 256, (value * 131 + 80) % 256, (value * 29 + 160) % 256


def draw_scene(scene: Scene, size: Size, rng: np.random.Generator) -> PictureAndLabel:
    """A picture of a scene, with a corner without label; ``size`` is (H, W) in pixels."""
    height, width = size
    label = np.empty(size, np.uint8)
    borders = (
        np.linspace(0, height, len(scene.bands) + 1)[1:-1] + rng.uniform(-0.08, 0.08, len(scene.bands) - 1) * height
    )
    for value, rows in zip(scene.bands, np.split(label, borders.astype(int)), strict=True):
        rows[:] = value
    for value in rng.permutation(scene.objects).tolist():
        centre = int(rng.uniform(0.1, 0.9) * width), int(rng.uniform(0.2, 0.9) * height)
        axes = int(rng.uniform(0.06, 0.14) * width), int(rng.uniform(0.08, 0.2) * height)
        if value % 2:
            cv2.ellipse(label, centre, axes, 0, 0, 360, value, cv2.FILLED)
        else:
            corners = [(centre[0] + sign * axes[0], centre[1] + sign * axes[1]) for sign in (-1, 1)]
            cv2.rectangle(label, corners[0], corners[1], value, cv2.FILLED)
    label[: int(height * _UNLABELLED_SHARE), : int(width * _UNLABELLED_SHARE)] = IGNORE
    return _painted(label, rng), label


def draw_person(size: Size, rng: np.random.Generator) -> PictureAndLabel:
    """A picture of a person before a background of value 0; ``size`` is (H, W) in pixels."""
    height, width = size
    label = np.zeros(size, np.uint8)
    down, right = rng.uniform(-0.02, 0.02), rng.uniform(-0.1, 0.1)
    for part in PERSON:
        top, left = round((part.top + down) * height), round((part.left + right) * width)
        label[top : top + round(part.height * height), left : left + round(part.width * width)] = part.value
    return _painted(label, rng), label


def _painted(label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture of a label: its colours under a light that fades to one side, with noise."""
    colours = np.array([colour_of(value) for value in range(256)], np.float64)[label]
    light = np.linspace(1.0, rng.uniform(0.8, 0.95), label.shape[1])[None, :, None]
    return np.rint(colours * light + rng.normal(0, _NOISE, colours.shape)).clip(0, 255).astype(np.uint8)
