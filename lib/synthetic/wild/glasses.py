"""Glasses and sunglasses of many forms: round, square, slanting, in one piece, with and without a thick frame."""

import numpy as np

from lib.synthetic.mean_head import grid_sites, mean_head, sample
from lib.synthetic.noise import smoothstep
from lib.synthetic.raster import Surface
from lib.synthetic.shapes import blend, make_surface


def glasses_surfaces(ambient: float, rng: np.random.Generator) -> list[Surface]:
    """Surfaces in head coordinates at rest, cm: two opaque lenses, their rims, the bridge and the arms."""
    lens = blend(ambient, rng.uniform(0.05, 0.7))
    rim = lens if rng.random() < 0.4 else blend(ambient, rng.uniform(0.1, 0.8))
    half_width, half_height = rng.uniform(2.1, 3.3), rng.uniform(1.1, 2.7)
    power, slant, curve = rng.uniform(2.0, 5.0), rng.normal(0.0, 0.18), rng.uniform(0.02, 0.06)
    flat_top, gap = rng.uniform(0.0, 0.45), rng.uniform(0.35, 0.95)
    lower, away = rng.normal(0.35, 0.35), rng.uniform(0.4, 1.1)
    bridge = sample(mean_head().points, grid_sites(np.array([0.0, -0.3, 8.8])))
    warm = rng.normal(0.3, 0.7)
    u, v = np.meshgrid(np.linspace(-1.1, 1.1, 70), np.linspace(-1.1, 1.1, 60))
    radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    band = rng.uniform(0.78, 0.97)
    surfaces, middle = [], bridge[1] + lower
    for side in (-1.0, 1.0):
        x = side * (half_width + gap + half_width * u)
        y = middle + half_height * np.where(v < 0, v * (1 - flat_top * np.abs(u)), v) * (1 - 0.12 * u)
        y = y - slant * half_width * (np.abs(x) - gap - half_width) / half_width
        z = bridge[2] + away - curve * x**2
        field = lens + warm * v + 0.4 * u * side + (rim - lens) * smoothstep(radius, band, band + 0.05)
        surfaces.append(make_surface(x, y, z, field, 0.5 + 1.02 - radius, mirrored=ambient))
        surfaces.append(_arm(side, 2 * half_width + gap, middle - rng.uniform(0.0, 0.7), z, rim, bridge, rng))
    t, across = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 10), indexing="ij")
    thick = rng.uniform(0.12, 0.6)
    y = middle - 0.35 * half_height + thick * across - 0.25 * (1 - t**2)
    surfaces.append(make_surface((gap + 0.3) * t, y, bridge[2] + away + 0.1 + 0 * t, rim + 0 * t))
    return surfaces


def _arm(
    side: float, reach: float, height: float, z: np.ndarray, rim: float, bridge: np.ndarray, rng: np.random.Generator
) -> Surface:
    """From the lens's outer edge to the ear."""
    half = rng.uniform(0.12, 0.55)
    t, across = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-half, half, 8), indexing="ij")
    hinge = np.array([side * (reach - 0.1), height, z[30, -1 if side > 0 else 0]])
    ear = np.array([side * 7.7, bridge[1] + 0.2, -1.2])
    arm = hinge + t[..., None] * (ear - hinge)
    arm[..., 0] += side * 0.9 * np.sin(np.pi * t) ** 0.7
    return make_surface(arm[..., 0], arm[..., 1] + across * (1 - 0.4 * t), arm[..., 2], rim + 0 * t)
