"""Where people are met: rooms, streets and gardens, with warm things in them and before them."""

import cv2
import numpy as np

from lib.synthetic.background import Room, render_background
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep

_SMALL = 256  # rows of the picture that things are drawn in


def render_place(height: int, width: int, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """What is behind everybody: float32 (height, width), deg C."""
    if rng.random() < 0.65:
        image = render_background(height, width, ambient, int(rng.integers(0, 12)), rng)
    else:
        image = _outdoors(height, width, ambient, rng)
    image = cv2.resize(image, (round(_SMALL * width / height), _SMALL), interpolation=cv2.INTER_AREA)
    room = Room(image.shape[0], image.shape[1], ambient, rng)
    room.image = image
    for _ in range(int(rng.integers(0, 7)) if rng.random() < 0.7 else 0):
        _warm_thing(room, ambient, rng)
    if rng.random() < 0.06:
        _hot_spot(room, rng)
    return cv2.resize(room.image, (width, height), interpolation=cv2.INTER_CUBIC)


def render_cabin(height: int, width: int, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """A plain room or the inside of a car: large dim shapes, about as warm as the air, perhaps a head rest."""
    room = Room(_SMALL, round(_SMALL * width / height), ambient, rng)
    contrast = np.exp(rng.uniform(np.log(0.2), np.log(3.0)))
    for _ in range(int(rng.integers(0, 9))):
        (x, y), (w, h) = rng.uniform((-0.8, -0.6), (0.8, 0.6)), np.exp(rng.uniform(np.log(0.03), np.log(0.5), 2))
        shape = room.box(x, y, w, h, rng.normal(0, 0.5), rng.uniform(0, 0.5) * min(w, h))
        room.paint(shape, ambient + contrast * rng.normal(0, 1.0), soft=rng.uniform(0.004, 0.03))
    if rng.random() < 0.5:
        w, h = rng.uniform((0.1, 0.12), (0.24, 0.3))
        x, y = rng.normal(0, 0.2), rng.uniform(-0.35, 0.1)
        shape = room.box(x, y, w, h, rng.normal(0, 0.1), 0.9 * min(w, h))
        room.paint(shape, ambient + rng.uniform(-0.5, 4.5), soft=rng.uniform(0.005, 0.02))
    if rng.random() < 0.15:
        _warm_thing(room, ambient, rng)
    room.image += 0.15 * contrast * fractal_noise(rng, room.image.shape, (8, 12))
    return cv2.resize(room.image.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def _outdoors(height: int, width: int, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """A cold sky over a horizon, ground, trees or walls, perhaps warmed by the sun."""
    room = Room(height, width, ambient, rng)
    horizon = rng.uniform(-0.4, 0.3)
    sky = ambient - rng.uniform(3, 35) - rng.uniform(0, 20) * (horizon - room.y)
    sky = sky + rng.uniform(0, 4) * fractal_noise(rng, (height, width), (3, 5))
    ground = ambient + rng.uniform(-2, 12) * rng.random() + 1.0 * fractal_noise(rng, (height, width), (9, 12), 4)
    room.image = np.where(room.y < horizon, sky, ground).astype(np.float32)
    for _ in range(int(rng.integers(0, 5))):  # trees, houses, cars
        x, w, h = rng.uniform(-0.8, 0.8), rng.uniform(0.03, 0.35), rng.uniform(0.05, 0.5)
        rough = rng.uniform(0, 0.05) * smooth_noise(rng, (height, width), (20, 28))
        heat = ambient + rng.normal(0.5, 2.5) + rng.uniform(0, 1.5) * fractal_noise(rng, (height, width), (14, 20))
        room.paint(room.box(x, horizon - h * 0.6, w, h, corner=0.3 * w) + rough, heat)
    return room.image


def _warm_thing(room: Room, ambient: float, rng: np.random.Generator) -> None:
    """Something about as warm as skin that is no face: an animal, a meal, a lit screen, an arm, a machine."""
    shape = room.image.shape
    x, y, size = rng.uniform(-0.75, 0.75), rng.uniform(-0.5, 0.5), np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
    heat = rng.uniform(26, 40) if rng.random() < 0.8 else rng.uniform(ambient - 8, ambient + 2)
    rough = rng.uniform(0, 0.25) * size * smooth_noise(rng, shape, (14, 18))
    texture = rng.uniform(0, 2.5) * fractal_noise(rng, shape, (int(rng.integers(4, 30)), int(rng.integers(4, 30))))
    if rng.random() < 0.55:
        angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.25, 1.0)
        c, s = np.cos(angle), np.sin(angle)
        along, across = c * (room.x - x) + s * (room.y - y), c * (room.y - y) - s * (room.x - x)
        edge = (np.hypot(along, across / ratio) - size) * ratio + rough
    else:
        edge = room.box(x, y, size, size * rng.uniform(0.2, 1.0), rng.uniform(-0.6, 0.6), 0.2 * size) + rough
    room.paint(edge, heat + texture, soft=rng.uniform(0.003, 0.02))
    for _ in range(int(rng.integers(0, 5)) if rng.random() < 0.5 else 0):  # dark or bright details within
        dx, dy = rng.uniform(-0.6, 0.6, 2) * size
        detail = np.hypot(room.x - x - dx, (room.y - y - dy) * rng.uniform(0.5, 2)) - size * rng.uniform(0.05, 0.25)
        room.paint(np.maximum(detail, edge), heat + rng.normal(0, 3))


def _hot_spot(room: Room, rng: np.random.Generator) -> None:
    """A flame, an iron, a lamp: so hot that all else has little contrast."""
    x, y, size = rng.uniform(-0.7, 0.7), rng.uniform(-0.5, 0.5), rng.uniform(0.01, 0.08)
    room.paint(np.hypot(room.x - x, room.y - y) - size, rng.uniform(45, 110), soft=0.01)


def add_foreground(image: np.ndarray, parts: np.ndarray, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """Put a desk, a pane, a post or a plant before the people.

    Args:
        image: float32 (H, W), deg C.
        parts: integers (H, W); becomes 0, in place, where the thing is.
        ambient: deg C.
        rng: source of everything.

    Returns:
        float32 (H, W), deg C.
    """
    height, width = image.shape
    room = Room(height, width, ambient, rng)
    kind = rng.choice(("desk", "post", "leaves"))
    if kind == "desk":
        edge = rng.uniform(0.15, 0.5) - room.y + rng.normal(0, 0.1) * room.x
    elif kind == "post":
        edge = room.box(rng.uniform(-0.7, 0.7), 0, rng.uniform(0.01, 0.12), 2.0, rng.normal(0, 0.3))
    else:
        reach = rng.uniform(0.3, 0.8)
        edge = (smooth_noise(rng, (height, width), (18, 24)) + 2.5 * (np.abs(room.x) - reach)) * -0.05
    cover = smoothstep(-edge, -0.004, 0.004)
    heat = ambient + rng.normal(0, 2.5) + 0.5 * fractal_noise(rng, (height, width), (6, 8))
    parts[cover > 0.5] = 0
    return (image + cover * (heat - image)).astype(np.float32)
