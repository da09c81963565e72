"""Rooms behind the person: walls, windows, radiators, screens, lamps, shelves, pipes; a little out of focus."""

from collections.abc import Callable

import cv2
import numpy as np

from lib.synthetic.noise import fractal_noise, smooth_noise


class Room:
    """A wall on which things are drawn; coordinates are frame heights from the middle of the frame.

    Args:
        height, width: of the picture, pixels.
        ambient: temperature of the air, deg C.
        rng: source of the wall's irregularity.
    """

    def __init__(self, height: int, width: int, ambient: float, rng: np.random.Generator) -> None:
        self.height = height
        self.y, self.x = np.meshgrid(
            (np.arange(height, dtype=np.float32) + 0.5) / height - 0.5,
            ((np.arange(width, dtype=np.float32) + 0.5) - width / 2) / height,
            indexing="ij",
        )
        tilt = rng.normal(0, 0.5, 2)
        self.image = ambient + tilt[0] * self.x - (0.6 + abs(tilt[1])) * self.y
        self.image += 0.25 * smooth_noise(rng, (height, width), (4, 6)) + 0.06 * fractal_noise(
            rng, (height, width), (16, 22)
        )
        self.image = self.image.astype(np.float32)

    def box(self, x: float, y: float, half_width: float, half_height: float, angle: float = 0.0, corner: float = 0.0):
        """Signed distance to a rotated, rounded rectangle, negative inside; float32 (H, W), frame heights."""
        c, s = np.cos(angle), np.sin(angle)
        along, across = c * (self.x - x) + s * (self.y - y), c * (self.y - y) - s * (self.x - x)
        dx, dy = np.abs(along) - half_width + corner, np.abs(across) - half_height + corner
        return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - corner

    def paint(self, distance: np.ndarray, temperature: np.ndarray | float, soft: float = 0.004) -> None:
        """Fill where a signed distance is negative, with an edge of width ``soft`` (frame heights)."""
        cover = np.clip(0.5 - distance / (2 * soft), 0, 1)
        self.image += cover * (temperature - self.image)

    def glow(self, distance: np.ndarray, warmer: float, reach: float) -> None:
        """Warm the surroundings of a thing by its heat, falling off over ``reach`` (frame heights)."""
        self.image += warmer * np.exp(-np.maximum(distance, 0) / reach)


def _place(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.5, 0.5))


def _window(room: Room, ambient: float, rng: np.random.Generator) -> None:
    x, y = _place(rng)
    w, h = rng.uniform(0.12, 0.3), rng.uniform(0.2, 0.45)
    outside = ambient + rng.choice([-1, 1], p=(0.65, 0.35)) * rng.uniform(1.5, 5)
    frame = room.box(x, y, w, h)
    room.paint(frame, 0.5 * (ambient + outside))
    room.paint(room.box(x, y, w - 0.02, h - 0.02), outside + 1.2 * (room.y - y))
    for offset in rng.choice([0.0, w / 3], size=int(rng.integers(1, 3)), replace=False):
        room.paint(room.box(x + offset, y, 0.008, h), 0.6 * ambient + 0.4 * outside)
    room.paint(room.box(x, y + rng.uniform(-h, h) / 2, w, 0.008), 0.6 * ambient + 0.4 * outside)


def _radiator(room: Room, ambient: float, rng: np.random.Generator) -> None:
    x, y = float(rng.uniform(-0.7, 0.7)), float(rng.uniform(0.05, 0.5))
    w, h, heat = rng.uniform(0.15, 0.35), rng.uniform(0.12, 0.22), rng.uniform(28, 42)
    shape = room.box(x, y, w, h, corner=0.01)
    room.glow(shape, 0.06 * (heat - ambient), 0.08)
    ribs = 0.5 + 0.5 * np.cos(2 * np.pi * (room.x - x) / rng.uniform(0.025, 0.06))
    room.paint(shape, heat - (heat - ambient) * (0.25 * ribs + 0.5 * np.clip(room.y - y + h, 0, None)))


def _screen(room: Room, ambient: float, rng: np.random.Generator) -> None:
    (x, y), (w, h) = _place(rng), (rng.uniform(0.1, 0.22), rng.uniform(0.07, 0.14))
    heat, angle = ambient + rng.uniform(5, 11), rng.normal(0, 0.04)
    room.paint(room.box(x, y, w + 0.008, h + 0.008, angle, 0.01), ambient + 2)
    warm_end = np.exp(-(((room.x - x) / w) ** 2 + ((room.y - y - h * rng.uniform(-1, 1)) / h) ** 2))
    room.paint(room.box(x, y, w, h, angle), heat - 2 + 3 * warm_end)
    room.paint(room.box(x, y + h + 0.05, 0.015, 0.05), ambient + 0.5)


def _lamp(room: Room, ambient: float, rng: np.random.Generator) -> None:
    (x, y), size = _place(rng), rng.uniform(0.012, 0.04)
    shape = np.hypot(room.x - x, room.y - y) - size
    heat = rng.uniform(34, 46)
    room.glow(shape, 0.15 * (heat - ambient), 0.04)
    room.paint(room.box(x, y - 0.5, 0.004, 0.5), ambient + 1)
    room.paint(shape, heat, soft=0.01)


def _door(room: Room, ambient: float, rng: np.random.Generator) -> None:
    x, w = float(rng.uniform(-0.7, 0.7)), rng.uniform(0.15, 0.28)
    panel = ambient + rng.normal(0, 1.0)
    room.paint(room.box(x, 0.2, w, 0.6), panel - 0.8)
    room.paint(room.box(x, 0.2, w - 0.015, 0.585), panel)
    room.paint(np.hypot(room.x - x - 0.8 * w, room.y - 0.15) - 0.012, ambient - 0.7)


def _shelf(room: Room, ambient: float, rng: np.random.Generator) -> None:
    (x, y), w = _place(rng), rng.uniform(0.15, 0.35)
    left = x - w
    while left < x + w:
        thick, tall = rng.uniform(0.012, 0.05), rng.uniform(0.05, 0.13)
        room.paint(
            room.box(left + thick / 2, y - tall, thick / 2, tall, rng.normal(0, 0.03)), ambient + rng.normal(0.2, 0.7)
        )
        left += thick + (rng.random() < 0.15) * 0.05
    room.paint(room.box(x, y, w, 0.01), ambient + rng.normal(0, 0.5))


def _pipe(room: Room, ambient: float, rng: np.random.Generator) -> None:
    (x, y), upright = _place(rng), rng.random() < 0.6
    thick, heat = rng.uniform(0.006, 0.018), ambient + rng.choice([-3, 3, 9])
    shape = room.box(x, 0, thick, 2.0) if upright else room.box(0, y, 2.0, thick)
    room.paint(shape, heat - 60 * np.abs(shape + thick))


def _machine(room: Room, ambient: float, rng: np.random.Generator) -> None:
    (x, y), (w, h) = _place(rng), rng.uniform(0.05, 0.2, 2)
    heat, angle = ambient + rng.uniform(0, 7), rng.normal(0, 0.1)
    shape = room.box(x, y, w, h, angle, 0.015)
    room.paint(shape, heat + 1.5 * smooth_noise(rng, room.image.shape, (7, 9)))
    for _ in range(int(rng.integers(0, 4))):
        dx, dy = rng.uniform(-0.8, 0.8, 2) * (w, h)
        room.paint(room.box(x + dx, y + dy, 0.2 * w, 0.12 * h, angle), heat + rng.uniform(-2, 5))


_THINGS: tuple[Callable[[Room, float, np.random.Generator], None], ...] = (
    _window, _radiator, _screen, _lamp, _door, _shelf, _pipe, _machine,
)  # fmt: skip


def render_background(height: int, width: int, ambient: float, things: int, rng: np.random.Generator) -> np.ndarray:
    """A room, drawn small, as it is out of focus.

    Args:
        height, width: of the result, pixels.
        ambient: deg C.
        things: how many objects.
        rng: source of everything; what is drawn does not depend on the size.

    Returns:
        float32 (height, width), deg C.
    """
    small = 256
    room = Room(small, round(small * width / height), ambient, rng)
    for kind in rng.integers(len(_THINGS), size=things):
        _THINGS[kind](room, ambient, rng)
    soft = cv2.GaussianBlur(room.image.astype(np.float32), (0, 0), rng.uniform(0.8, 2.5))
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
