"""One frame of the wide world: people near and far in some place, seen by some camera."""

from collections.abc import Callable

import cv2
import numpy as np

from lib.synthetic.raster import View, render_with_parts
from lib.synthetic.subject import Subject
from lib.synthetic.wild.people import Surroundings, draw_person
from lib.synthetic.wild.places import add_foreground, render_cabin, render_place
from lib.synthetic.wild.sensor import simulate_camera
from lib.thermal.resize import resize_label

_LEAST_HEIGHT = 384  # smaller frames are drawn at a multiple of their size and averaged
_FACE = 13.6  # cm, brows to chin
_HEIGHTS = (0.055, 0.95)  # of the nearest face, frame heights
_SEATED = 0.65
"""Share of frames of somebody who sits before the camera."""
_SEATED_HEIGHTS = (0.2, 0.65)
_BLACK_HOT = 0.06
"""Share of frames with warm things dark, in which nothing is labelled: a network that finds no face in these tells by
that which way round a picture is."""


def render_wild_frame(
    subject_of: Callable[[int], Subject], rng: np.random.Generator, height: int = 256, width: int = 320
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one frame.

    Args:
        subject_of: gives person 0 (the nearest), 1, 2, ...
        rng: source of all else.
        height, width: pixels.

    Returns:
        temperatures, float32 (height, width), deg C; and the label, uint8 (height, width), values 0-7 of the Thermal
        Face Database.
    """
    more = -(-_LEAST_HEIGHT // height) if height < _LEAST_HEIGHT else 1
    ambient = float(rng.uniform(12, 28) if rng.random() < 0.7 else rng.uniform(-8, 38))
    outdoors = min(ambient - 18, 0) + max(ambient - 26, 0)
    around = Surroundings(ambient, float(0.13 * outdoors + rng.normal(0, 0.5)))
    seated = bool(rng.random() < _SEATED)
    place = render_cabin if seated and rng.random() < 0.65 else render_place
    image = place(height * more, width * more, ambient, rng)
    parts = np.zeros(image.shape, np.uint8)

    people = int(rng.choice(5, p=(0.0, 0.9, 0.1, 0.0, 0.0) if seated else (0.09, 0.56, 0.19, 0.1, 0.06)))
    nearest = np.exp(rng.uniform(*np.log(_SEATED_HEIGHTS if seated else _HEIGHTS)))
    for number in reversed(range(people)):
        face_height = nearest * (1 if number == 0 else rng.uniform(0.25, 0.9))
        away = bool(rng.random() < (0.1 if number == 0 else 0.3)) and not (seated and number == 0)
        surfaces, middle = draw_person(subject_of(number), around, rng, away, seated and number == 0)
        view = _view_of(image.shape, face_height, middle, rng, central=number == 0)
        image, seen = render_with_parts(surfaces, view, ambient, image)
        parts = np.where(seen >= 0, seen, parts).astype(np.uint8)
    if rng.random() < (0.03 if seated else 0.1):
        image = add_foreground(image, parts, ambient, rng)
    image = simulate_camera(image, rng)
    if rng.random() < _BLACK_HOT:
        image, parts = image.min() + image.max() - image, np.zeros_like(parts)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), resize_label(
        parts, (height, width), "majority"
    )


def _view_of(
    shape: tuple[int, int], face_height: float, middle: np.ndarray, rng: np.random.Generator, central: bool
) -> View:
    """A camera that has a face of this height (frame heights) somewhere in the frame, large ones near its middle."""
    height, width = shape
    magnification = face_height / _FACE
    room = max(0.0, 1.0 - face_height) / 2 + 0.08
    spread = (0.75 if central else 1.0) * width / height
    place = np.array([rng.uniform(-1, 1) * room * spread, rng.uniform(-1, 0.75) * room])
    distance = float(np.clip(rng.uniform(45, 90) / face_height**0.7, 50, 600))
    scale = magnification * distance / (distance - middle[2])
    return View(height, width, tuple((place - middle[:2] * scale).tolist()), magnification, distance)
