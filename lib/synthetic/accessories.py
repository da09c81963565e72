"""Accessories worn on a head: glasses, masks, hats.

Everything is built in head coordinates at rest (cm, see :mod:`mean_head`) and moves with the head. The labels of the
synthetic Thermal Face Database ignore all of it, as those of the real one do.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lib.synthetic.mean_head import COLUMNS, ROWS, grid_sites, mean_head, sample
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep
from lib.synthetic.raster import Surface
from lib.synthetic.shapes import blend, make_surface, outward_directions


@dataclass(frozen=True)
class Accessories:
    """What a person wears on the head during a sequence.

    Attributes:
        glasses, mask, hat: whether.
        seed: of their form and temperature.
    """

    glasses: bool = False
    mask: bool = False
    hat: bool = False
    seed: int = 0


def draw_accessories(rng: np.random.Generator) -> Accessories:
    """Draw what is worn in unconstrained surroundings, often nothing."""
    glasses, mask, hat = rng.random(3) < (0.35, 0.15, 0.2)
    return Accessories(bool(glasses), bool(mask), bool(hat), int(rng.integers(2**32)))


def accessory_surfaces(accessories: Accessories, head: np.ndarray, ambient: float, breath: float) -> list[Surface]:
    """The surfaces of the accessories, in head coordinates at rest.

    Args:
        accessories: which.
        head: the head in its expression, with hair, (ROWS, COLUMNS, 3), cm.
        ambient: deg C.
        breath: -1 in (cools a mask) to 1 out (warms it).
    """
    surfaces = []
    for number, (wanted, build) in enumerate(
        ((accessories.glasses, _glasses), (accessories.mask, _mask), (accessories.hat, _hat))
    ):
        if wanted:
            surfaces += build(head, ambient, breath, np.random.default_rng([accessories.seed, number]))
    return surfaces


def _glasses(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """Two opaque lenses in a frame, and arms to the ears."""
    lens, rim = blend(ambient, rng.uniform(0.25, 0.5)), blend(ambient, rng.uniform(0.4, 0.65))
    half_width, half_height, power = rng.uniform(2.3, 2.9), rng.uniform(1.6, 2.4), rng.uniform(2.2, 5.0)
    bridge = sample(head, grid_sites(np.array([0.0, -0.3, 8.8])))
    u, v = np.meshgrid(np.linspace(-1.1, 1.1, 70), np.linspace(-1.1, 1.1, 60))
    radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    surfaces = []
    for side in (-1.0, 1.0):
        x = side * (half_width + 0.85 + half_width * u)
        y = bridge[1] + 0.55 + half_height * v
        z = bridge[2] + 0.55 - 0.035 * x**2
        field = lens + 0.6 * v + 0.4 * u * side + (rim - lens) * smoothstep(radius, 0.88, 0.93)
        surfaces.append(make_surface(x, y, z, field, 0.5 + 1.02 - radius, mirrored=ambient))
        t, across = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-0.25, 0.25, 6), indexing="ij")
        hinge = np.array([side * (2 * half_width + 0.8), bridge[1] - 0.3, z[30, -1 if side > 0 else 0]])
        ear = np.array([side * 7.7, bridge[1] + 0.2, -1.2])
        arm = hinge + t[..., None] * (ear - hinge)
        arm[..., 0] += side * 0.9 * np.sin(np.pi * t) ** 0.7
        surfaces.append(make_surface(arm[..., 0], arm[..., 1] + across, arm[..., 2], rim + 0 * t))
    t, across = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-0.2, 0.2, 6), indexing="ij")
    surfaces.append(
        make_surface(1.1 * t, bridge[1] - 0.2 + across - 0.25 * (1 - t**2), bridge[2] + 0.65 + 0 * t, rim + 0 * t)
    )
    return surfaces


def _mask(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """A face mask from the bridge of the nose, or from below the nose, to the chin; it warms with the breath."""
    x, y, z = np.moveaxis(mean_head().points, -1, 0)
    top = rng.choice([rng.uniform(1.2, 2.6), 5.2], p=(0.8, 0.2)) + 0.05 * x**2
    side = np.abs(x) - rng.uniform(5.0, 6.2)
    sheet = (z > 0) * np.minimum(smoothstep(y - top, -0.3, 0.3), smoothstep(side, 0.3, -0.3))
    strap = np.minimum(np.abs(y - 2.6), np.abs(y - 7.6 + 0.25 * np.maximum(side, 0))) - 0.02 * np.abs(x)
    strap = smoothstep(strap, 0.25, 0.1) * (side > -0.5) * (z > -1.0)
    cloth = cv2.GaussianBlur(head, (0, 0), 9, borderType=cv2.BORDER_REPLICATE)
    outward = outward_directions(head)
    cloth = outward * np.maximum((cloth * outward).sum(-1), (head * outward).sum(-1))[..., None] + outward * 0.5
    cloth += head - outward * (head * outward).sum(-1, keepdims=True)
    pleats = 0.35 * np.cos(y * rng.uniform(2.0, 4.0)) * (np.abs(x) < 5)
    wet = np.exp(-0.5 * ((x / 2.6) ** 2 + ((y - 5.8) / 2.2) ** 2))
    field = blend(ambient, rng.uniform(0.5, 0.75)) + pleats + 0.3 * smooth_noise(rng, (ROWS, COLUMNS), (20, 30))
    field = field + (0.6 + 1.6 * breath) * wet
    keep = np.maximum(sheet, strap)
    return [Surface(cloth.astype(np.float32), field.astype(np.float32), keep.astype(np.float32), closed=True)]


def _hat(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """A woollen hat, or a cap with its peak."""
    wool = rng.random() < 0.5
    points, azimuth = mean_head().points, mean_head().azimuth
    line = rng.uniform(-6.2, -4.2) + (rng.uniform(2.5, 5.0) if wool else 1.5) * smoothstep(np.abs(azimuth), 0.5, 1.9)
    cover = smoothstep(line - points[..., 1], -0.15, 0.15)
    knit = 0.25 * np.cos(COLUMNS * azimuth / 8) if wool else np.zeros(COLUMNS)
    field = blend(ambient, rng.uniform(0.3, 0.55)) + knit + 0.5 * fractal_noise(rng, (ROWS, COLUMNS), (8, 12))
    field += 1.2 * np.exp(-np.maximum(line - points[..., 1], 0) / 1.5)
    shell = cv2.GaussianBlur(head, (0, 0), 6, borderType=cv2.BORDER_REPLICATE) + outward_directions(head) * (
        1.1 if wool else 0.7
    )
    surfaces = [Surface(shell.astype(np.float32), field.astype(np.float32), cover.astype(np.float32), closed=True)]
    if not wool:
        surfaces.append(_peak(head, float(line[COLUMNS // 2]), blend(ambient, rng.uniform(0.2, 0.4)), rng))
    return surfaces


def _peak(head: np.ndarray, line: float, temperature: float, rng: np.random.Generator) -> Surface:
    """The peak of a cap over the forehead at height ``line`` (cm)."""
    out, angle = np.meshgrid(np.linspace(0, 1, 40), np.linspace(-1.05, 1.05, 90), indexing="ij")
    front = sample(head, grid_sites(np.array([0.0, line, 9.4])))
    reach = rng.uniform(5.0, 7.0) * out * np.cos(angle * 1.3)
    x, z = 7.6 * np.sin(angle) * (1 + 0.08 * out), front[2] - 8.6 * (1 - np.cos(angle)) + 0.4 + reach
    y = front[1] - 0.2 + rng.uniform(0.15, 0.45) * reach + 0.9 * np.sin(angle) ** 2
    return make_surface(x, y, z, temperature + 0.8 * (1 - out))
