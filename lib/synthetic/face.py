"""Identity and expression: how one head differs from the mean, and one moment from another.

Both are sums of smooth displacements of the head's grid. The landmarks are points of that grid, so they move with
what is seen. Lengths are cm in head coordinates (see :mod:`mean_head`).
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lib.synthetic.mean_head import COLUMNS, ROWS, mean_head, mean_landmarks, sample
from lib.synthetic.noise import smooth_noise, smoothstep


@dataclass(frozen=True)
class Mode:
    """A displacement ``amount * window(p) * (stretch * (p - centre) + shift)`` with a Gaussian window.

    Attributes:
        deviation: standard deviation of ``amount`` over people.
        centre: centre of the window, cm; a side one (x < 0) is mirrored to the other side.
        size: standard deviations of the window, cm, along x, y, z.
        stretch: relative lengthening along x, y, z.
        shift: displacement along x, y, z, cm.
    """

    deviation: float
    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    stretch: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)


EVERYWHERE = (1e3, 1e3, 1e3)

IDENTITY: dict[str, Mode] = {
    "width": Mode(0.045, (0, 2, 0), EVERYWHERE, stretch=(1, 0, 0)),
    "height": Mode(0.04, (0, 2, 0), EVERYWHERE, stretch=(0, 1, 0)),
    "depth": Mode(0.04, (0, 2, 0), EVERYWHERE, stretch=(0, 0, 1)),
    "jaw width": Mode(0.07, (0, 9.5, 3), (50, 3.2, 50), stretch=(1, 0, 0)),
    "chin length": Mode(0.45, (0, 12, 7), (6, 3, 6), shift=(0, 1, 0)),
    "chin": Mode(0.4, (0, 10.5, 8.8), (2.6, 1.6, 3), shift=(0, 0, 1)),
    "forehead": Mode(0.05, (0, -6, 6), (50, 3.5, 50), stretch=(1, 0.5, 0)),
    "forehead slope": Mode(0.4, (0, -6.5, 8), (5, 2.5, 4), shift=(0, 0, 1)),
    "cheek bones": Mode(0.35, (-5.4, 2.0, 5.6), (1.8, 1.5, 2.2), shift=(-0.8, 0, 0.5)),
    "full cheeks": Mode(0.45, (-5.2, 5.6, 4.6), (1.9, 2.2, 2.5), shift=(-0.8, 0, 0.5)),
    "nose length": Mode(0.3, (0, 4.3, 10.6), (2.0, 1.6, 3), shift=(0, 1, 0)),
    "nose width": Mode(0.12, (0, 4.3, 10), (2.4, 1.6, 3), stretch=(1, 0, 0)),
    "nose": Mode(0.3, (0, 3.2, 11), (1.3, 2.0, 2.5), shift=(0, 0, 1)),
    "nose bridge": Mode(0.25, (0, 1.0, 9.6), (1.0, 1.2, 1.5), shift=(0, 0, 1)),
    "eye distance": Mode(0.16, (-3.1, 0, 7.5), (1.9, 1.6, 3), shift=(-1, 0, 0)),
    "eye opening": Mode(0.13, (-3.1, 0, 7.5), (1.6, 0.9, 3), stretch=(0, 1, 0)),
    "eye width": Mode(0.06, (-3.1, 0, 7.5), (1.6, 0.9, 3), stretch=(1, 0, 0)),
    "eye slant": Mode(0.12, (-4.8, 0, 6.5), (0.9, 0.9, 2), shift=(0, -1, 0)),
    "brow height": Mode(0.25, (-3.6, -2.4, 8), (2.2, 1.2, 3), shift=(0, -1, 0)),
    "brow arch": Mode(0.16, (-3.8, -2.6, 8), (0.9, 0.8, 2), shift=(0, -1, 0)),
    "brow ridge": Mode(0.25, (-3.0, -2.2, 8.6), (2.0, 0.8, 2), shift=(0, 0, 1)),
    "mouth width": Mode(0.09, (0, 7.4, 9), (3.0, 1.6, 3), stretch=(1, 0, 0)),
    "mouth height": Mode(0.28, (0, 7.4, 9.3), (3.2, 1.5, 3), shift=(0, 1, 0)),
    "lips": Mode(0.16, (0, 7.4, 9.3), (2.6, 1.0, 3), stretch=(0, 1, 0.3)),
}

_GAP = (7.2, 7.5)  # the mean face's inner lips, cm; the slit between them opens and closes
_JAW_HINGE = np.array([0.0, 2.6, -0.5], np.float32)


def displace(points: np.ndarray, mode: Mode, amount: float) -> np.ndarray:
    """The displacement (..., 3) of mean points (..., 3) by ``amount`` of a mode, cm."""
    total = np.zeros_like(points)
    for side in (1.0, -1.0) if mode.centre[0] < 0 else (1.0,):
        mirror = np.array([side, 1.0, 1.0], np.float32)
        offset = points - mirror * np.array(mode.centre, np.float32)
        window = np.exp(-0.5 * ((offset / np.array(mode.size, np.float32)) ** 2).sum(-1, keepdims=True))
        push = offset * np.array(mode.stretch, np.float32) + mirror * np.array(mode.shift, np.float32)
        total += np.float32(amount) * window * push
    return total


def draw_identity(rng: np.random.Generator) -> dict[str, float]:
    """Amounts of the identity modes of one person, normal and cut at 2 standard deviations."""
    return {name: mode.deviation * float(np.clip(rng.standard_normal(), -2, 2)) for name, mode in IDENTITY.items()}


def head_shape(identity: dict[str, float], rng: np.random.Generator) -> np.ndarray:
    """The person's head at rest: float32 grid (ROWS, COLUMNS, 3), cm.

    Args:
        identity: amounts by name, as :func:`draw_identity` gives.
        rng: source of the irregularity (asymmetry) that no mode describes.
    """
    mean = mean_head().points
    coarse = cv2.resize(mean, (COLUMNS // 2, ROWS // 2), interpolation=cv2.INTER_AREA)  # the modes are smooth
    moved = np.zeros_like(coarse)
    for name, amount in identity.items():
        moved += displace(coarse, IDENTITY[name], amount)
    shape = mean + cv2.resize(moved, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)
    calm_at_poles = np.cos(mean_head().elevation)[:, None]
    for axis in range(3):
        shape[..., axis] += 0.09 * calm_at_poles * smooth_noise(rng, mean.shape[:2], (9, 12))
    return shape


@dataclass(frozen=True)
class Expression:
    """One moment of a face; 0 is rest.

    Attributes:
        jaw: rotation of the jaw, rad, 0 closed to 0.25 wide open.
        lips: opening of the lips at rest, 0 closed to 1 apart by 3 mm.
        smile: -0.5 drooping to 1 broad.
        pucker: 0 to 1, the mouth drawn together.
        brow: -1 frowning to 1 raised.
        blink: 0 open to 1 closed eyes.
    """

    jaw: float = 0.0
    lips: float = 0.0
    smile: float = 0.0
    pucker: float = 0.0
    brow: float = 0.0
    blink: float = 0.0


def draw_expression(rng: np.random.Generator) -> Expression:
    """Mostly calm faces; some speak, yawn, smile, raise their brows or blink."""
    speaks, smiles, blinks = rng.random(3) < (0.4, 0.35, 0.12)
    return Expression(
        jaw=float(min(rng.gamma(2.0, 0.04), 0.25)) if speaks else float(rng.uniform(0, 0.015)),
        lips=float(rng.uniform(0.1, 0.5)) if speaks else float(rng.uniform(0, 0.1)),
        smile=float(rng.uniform(0.3, 1.0)) if smiles else float(rng.normal(0, 0.12)),
        pucker=float(rng.uniform(0, 0.8)) if speaks and rng.random() < 0.4 else 0.0,
        brow=float(np.clip(rng.normal(0, 0.4), -1, 1)),
        blink=float(rng.uniform(0.7, 1.0)) if blinks else float(rng.uniform(0, 0.2)),
    )


_MOVES: dict[str, tuple[Mode, ...]] = {
    "smile": (
        Mode(1, (-2.5, 7.35, 8), (1.3, 1.2, 2.5), shift=(-0.55, -0.5, -0.35)),
        Mode(1, (-4.2, 3.6, 7), (1.5, 1.4, 2.5), shift=(-0.1, -0.3, 0.3)),
    ),
    "pucker": (Mode(1, (0, 7.4, 9), (2.6, 1.5, 3), stretch=(-0.32, 0.05, 0), shift=(0, 0, 0.5)),),
    "brow": (Mode(1, (-3.5, -2.6, 8.2), (2.4, 1.3, 3), shift=(0, -0.55, 0.05)),),
}


@lru_cache(maxsize=1)
def _basis() -> dict[str, np.ndarray]:
    """Displacement fields, float32 (ROWS, COLUMNS, 3), of a unit of each expression; ``jaw`` is a weight."""
    points = mean_head().points
    x, y, z = np.moveaxis(points, -1, 0)
    fields: dict[str, np.ndarray] = {}
    for name, modes in _MOVES.items():
        first, *others = (displace(points, mode, 1.0) for mode in modes)
        fields[name] = sum(others, start=first)

    # The jaw's share goes from 0 to 1 across the slit at the middle of the mouth, gradually at its corners and beside.
    inside = 1 - np.sqrt(1 - np.minimum(np.abs(x) / 2.3, 1) ** 2)
    beyond = 0.45 * inside + 0.55 * np.clip((np.abs(x) - 2.3) / 3.0, 0, 1)
    low, high = _GAP[0] - 2.2 * beyond, _GAP[1] + 1.6 * beyond
    front = smoothstep(z, -1.0, 3.5)
    fields["jaw"] = (smoothstep(y, low, high) * front)[..., None]

    middle, half = sum(_GAP) / 2, (_GAP[1] - _GAP[0]) / 2
    across = np.exp(-0.5 * (np.maximum(np.abs(x) - 1.2, 0) / 0.5) ** 2) * front
    inside = np.clip((y - middle) / half, -1, 1) * np.exp(-np.maximum(np.abs(y - middle) - half, 0) / 0.9)
    fields["lips"] = _down(half * inside * across)  # added when open, taken away when closed
    fields["blink"] = _down(_lid_drop(points))
    return fields


def _down(amount: np.ndarray) -> np.ndarray:
    return np.stack([np.zeros_like(amount), amount, np.zeros_like(amount)], axis=-1).astype(np.float32)


def _lid_drop(points: np.ndarray) -> np.ndarray:
    """How far (cm) each point moves down when the eyes close: the upper lid to the lower, what is above less."""
    x, y, z = np.moveaxis(points, -1, 0)
    outline = mean_landmarks()
    upper = np.interp(np.abs(x), np.abs(outline[[39, 38, 37, 36], 0]), outline[[39, 38, 37, 36], 1])
    lower = np.interp(np.abs(x), np.abs(outline[[39, 40, 41, 36], 0]), outline[[39, 40, 41, 36], 1])
    opening = np.where((np.abs(x) > 1.65) & (np.abs(x) < 4.6), lower - upper, 0.0)
    within = np.clip((lower - y) / np.maximum(opening, 0.05), 0, 1)
    above = np.exp(-0.5 * (np.maximum(upper - y, 0) / 0.6) ** 2)
    return 0.88 * opening * within * above * (z > 4)


def apply_expression(shape: np.ndarray, expression: Expression) -> np.ndarray:
    """Move a head at rest (ROWS, COLUMNS, 3) to an expression; float32, same shape, cm."""
    basis = _basis()
    moved = shape + (expression.lips - 0.9) * basis["lips"]
    moved += expression.blink * basis["blink"]
    for name in ("smile", "pucker", "brow"):
        moved += getattr(expression, name) * basis[name]
    if expression.jaw:
        moved += basis["jaw"] * (_turn_jaw(moved, expression.jaw) - moved)
    return moved.astype(np.float32, copy=False)


def _turn_jaw(points: np.ndarray, angle: float) -> np.ndarray:
    """Rotate points about the axis through both jaw joints, the chin going down and back for ``angle`` > 0 (rad)."""
    offset = points - _JAW_HINGE
    turned = offset.copy()
    turned[..., 1] = np.cos(angle) * offset[..., 1] + np.sin(angle) * offset[..., 2]
    turned[..., 2] = np.cos(angle) * offset[..., 2] - np.sin(angle) * offset[..., 1]
    return turned + _JAW_HINGE


def landmarks_of(camera_points: np.ndarray) -> np.ndarray:
    """The 68 landmarks of a posed head, float64 (68, 3), in the coordinates of ``camera_points``.

    Annotators put the points of the jaw on the outline of the visible face. A jaw point that has turned out of sight
    is therefore moved along its row of the grid to the outermost column ("landmark marching", Zhu et al. 2015,
    *High-Fidelity Pose and Expression Normalization*).

    Args:
        camera_points: the posed grid (ROWS, COLUMNS, 3); x to the right of the image, z towards the camera.
    """
    sites = mean_head().landmark_sites.copy()
    for index in range(17):
        row, column = sites[index]
        middle = camera_points.shape[1] / 2
        between = np.arange(min(column, middle), max(column, middle))
        path = sample(camera_points, np.stack([np.full_like(between, row), between], axis=-1))[:, 0]
        if index != 8:
            sites[index, 1] = between[np.argmin(path) if index < 8 else np.argmax(path)]
    return sample(camera_points, sites)
