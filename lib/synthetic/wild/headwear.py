"""Headwear beside hats, masks and glasses: hoods, head scarves, neck scarves, headphones."""

from dataclasses import dataclass

import numpy as np

from lib.synthetic.mean_head import COLUMNS, ROWS, mean_head
from lib.synthetic.noise import fractal_noise, smoothstep
from lib.synthetic.raster import Surface
from lib.synthetic.shapes import blend, make_surface, outward_directions


@dataclass(frozen=True)
class Headwear:
    """Which of them a person wears."""

    hood: bool
    scarf: bool
    headphones: bool


def draw_headwear(rng: np.random.Generator, hat: bool) -> Headwear:
    """Draw what a person wears: mostly none; no hood over a hat."""
    hood, scarf, headphones = rng.random(3) < (0.14, 0.18, 0.06)
    return Headwear(bool(hood and not hat), bool(scarf), bool(headphones and not hat and not hood))


def headwear_surfaces(worn: Headwear, ambient: float, rng: np.random.Generator) -> list[Surface]:
    """The surfaces of what is worn, in head coordinates at rest, cm."""
    surfaces = []
    if worn.hood:
        surfaces.append(_hood(ambient, rng))
    if worn.scarf:
        surfaces.append(_scarf(ambient, rng))
    if worn.headphones:
        surfaces += _headphones(ambient, rng)
    return surfaces


def _hood(ambient: float, rng: np.random.Generator) -> Surface:
    """Cloth about the head with an opening for the face: loose (a hood) or close, down to the chin (a head scarf)."""
    head, close = mean_head(), rng.random() < 0.4
    x, y, _ = np.moveaxis(head.points, -1, 0)
    wide, high, low = (
        (rng.uniform(5.6, 6.6), rng.uniform(-6.5, -4.0), rng.uniform(9.8, 11.2))
        if close
        else (rng.uniform(6.6, 8.5), rng.uniform(-8.0, -4.5), rng.uniform(12, 16))
    )
    middle, half = (high + low) / 2, (low - high) / 2
    radius = np.hypot(x / wide, (y - middle) / half)
    behind = np.abs(head.azimuth)[None] > 1.5
    keep = np.maximum(smoothstep(radius, 0.97, 1.03), behind).astype(np.float32)
    away = (0.8 if close else rng.uniform(1.5, 3.2)) + 0.25 * fractal_noise(rng, (ROWS, COLUMNS), (6, 9))
    points = head.points + outward_directions(head.points) * away[..., None]
    field = blend(ambient, rng.uniform(0.25, 0.7)) + 0.5 * fractal_noise(rng, (ROWS, COLUMNS), (7, 12))
    field += 1.0 * np.exp(-np.maximum(radius - 1, 0) / 0.15)
    return Surface(points.astype(np.float32), field.astype(np.float32), keep, closed=True)


def _scarf(ambient: float, rng: np.random.Generator) -> Surface:
    """A thick ring about the neck, from the shoulders to below, or over, the chin or the mouth."""
    top = rng.choice([rng.uniform(10.5, 12.5), rng.uniform(5.5, 10.0)], p=(0.7, 0.3))
    v, angle = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-np.pi, np.pi, 160), indexing="ij")
    y = top + (19.0 - top) * v
    folds = 0.45 * np.sin(rng.uniform(9, 18) * v + np.sin(angle * 2 + rng.uniform(0, 6)))
    up = np.clip((12.0 - y) / 6.0, 0, 1)  # where the head is wider than the neck
    across, deep = 8.6 + folds + 0.6 * up, 8.0 + folds + 3.2 * up
    field = blend(ambient, rng.uniform(0.2, 0.65)) + 0.6 * folds + 0.3 * np.cos(3 * angle)
    return make_surface(across * np.sin(angle), y, deep * np.cos(angle) - 1.2, field, closed=True)


def _headphones(ambient: float, rng: np.random.Generator) -> list[Surface]:
    """A band over the crown and a cushion on each ear."""
    warm = blend(ambient, rng.uniform(0.3, 0.7))
    t, across = np.meshgrid(np.linspace(-1.45, 1.45, 90), np.linspace(-1.0, 1.0, 8), indexing="ij")
    pieces = [make_surface(9.0 * np.sin(t), 1.5 - 13.5 * np.cos(t), across, warm - 1.0 + 0 * t)]
    radius, angle = np.meshgrid(np.linspace(0.02, 1, 24), np.linspace(0, 2 * np.pi, 60))
    for side in (-1.0, 1.0):
        x = side * (8.2 + 1.8 * np.sqrt(1 - 0.9 * radius**4))
        pieces.append(
            make_surface(x, 1.7 + 4.2 * radius * np.sin(angle), -0.5 + 3.4 * radius * np.cos(angle), warm + 0 * x)
        )
    return pieces
