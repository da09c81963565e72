"""The temperatures of bare skin: what warms and cools a face, its features, vessels, beard and ears."""

import numpy as np

from scripts.wild.checking.head import Person, Pose
from scripts.wild.checking.shapes import Patch, ellipse, spline

# x, y, z; half widths across and down, units; deg C. Sides are mirrored.
_SPOTS = (
    ((0.0, -0.72, 0.63), 0.3, 0.16, 0.35),  # forehead
    ((0.13, -0.345, 0.61), 0.045, 0.035, 1.25),  # inner corners of the eyes
    ((0.235, -0.36, 0.58), 0.12, 0.07, 0.55),  # sockets
    ((0.245, -0.35, 0.585), 0.06, 0.03, -0.55),  # eyeballs
    ((0.34, -0.31, 0.5), 0.04, 0.03, 0.35),  # outer corners
    ((0.5, -0.5, 0.24), 0.09, 0.16, 0.45),  # temples
    ((0.17, 0.05, 0.66), 0.05, 0.1, 0.35),  # folds beside the nose
    ((0.0, 0.4, 0.66), 0.14, 0.07, -0.45),  # chin
    ((0.0, 0.31, 0.64), 0.12, 0.03, 0.35),  # below the lip
    ((0.52, 0.1, 0.1), 0.1, 0.15, 0.25),  # before the ears
)


def skin_heat(patch: Patch, pose: Pose, person: Person, outline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32, deg C, of a head without hair; it means something within ``outline``."""
    heat = np.full(patch.u.shape, person.skin, np.float32)
    strength = rng.uniform(0.6, 1.3)
    for (x, y, z), wide, high, degrees in _SPOTS:
        for side in (-1, 1) if x else (1,):
            _spot(heat, patch, pose, (side * x, y, z), wide, high, strength * degrees * rng.uniform(0.6, 1.4))
    for side in (-1, 1):
        cool = person.cheeks * rng.uniform(0.75, 1.25)
        _spot(heat, patch, pose, (side * 0.34, -0.04, 0.5), 0.15, 0.15, -cool)
        _spot(heat, patch, pose, (side * 0.4, 0.2, 0.36), 0.13, 0.14, -0.5 * cool)
    _nose(heat, patch, pose, person, rng)
    _vessels(heat, patch, pose, rng)
    _mouth(heat, patch, pose, rng)
    _brows(heat, patch, pose, rng)
    if person.beard:
        _beard(heat, patch, pose, person, rng)
    heat += 0.16 * patch.texture(rng, 0.22, octaves=2) + 0.07 * patch.texture(rng, 0.05)
    heat += rng.normal(0, 0.35) * patch.u
    depth = patch.depth(outline)
    return heat - rng.uniform(0.5, 1.6) * np.exp(-depth / rng.uniform(0.03, 0.07))


def _spot(heat: np.ndarray, patch: Patch, pose: Pose, place: tuple, wide: float, high: float, degrees: float) -> None:
    """Warm the skin about a point of the head as far as that faces the camera; narrower where it is slanted."""
    facing = float(pose.facing(place))
    if facing > 0:
        (u, v), degrees = pose.seen(place), degrees * min(1.0, 3 * facing)
        heat += np.float32(degrees) * patch.blob(u, v, wide * max(facing, 0.4), high)


def _seen(pose: Pose, points: list[tuple]) -> np.ndarray | None:
    """Points in the picture's plane; None where they are turned away."""
    return pose.seen(points) if pose.facing(points).mean() > 0.12 else None


def _nose(heat: np.ndarray, patch: Patch, pose: Pose, person: Person, rng: np.random.Generator) -> None:
    cool = person.nose
    _spot(heat, patch, pose, (0, -0.05, 0.86), 0.1, 0.085, -cool)
    _spot(heat, patch, pose, (0, -0.2, 0.76), 0.06, 0.12, -0.45 * cool)
    breath = rng.normal(0, 0.9)
    for side in (-1, 1):
        _spot(heat, patch, pose, (side * 0.1, -0.02, 0.74), 0.06, 0.06, -0.45 * cool)
        _spot(heat, patch, pose, (side * 0.05, 0.012, 0.79), 0.025, 0.016, breath)
    if np.cos(pose.yaw) > 0.5:  # a rim of cheek, warmer than the wing
        for side in (-1, 1):
            rim = _seen(pose, [(side * 0.1, -0.12, 0.68), (side * 0.145, -0.03, 0.66), (side * 0.1, 0.02, 0.68)])
            if rim is not None:
                heat += 0.25 * patch.stroke(spline(rim, closed=False), 0.03, 0.012)


def _vessels(heat: np.ndarray, patch: Patch, pose: Pose, rng: np.random.Generator) -> None:
    """Veins up the forehead and arteries over the temples: narrow, blurred, a few tenths of a degree."""
    for side in (-1, 1):
        for start, end in (((0.1, -0.5), (0.2, -0.95)), ((0.53, -0.25), (0.42, -0.8))):
            if rng.random() < 0.55:
                t = np.linspace(0, 1, 6)
                x = side * (np.interp(t, (0, 1), (start[0], end[0])) + 0.025 * rng.standard_normal(6))
                y = np.interp(t, (0, 1), (start[1], end[1]))
                line = _seen(pose, np.stack([x, y, 0.68 - 1.3 * x**2], 1))
                if line is not None:
                    heat += rng.uniform(0.3, 0.8) * patch.stroke(spline(line, closed=False), 0.022, 0.014)


def _mouth(heat: np.ndarray, patch: Patch, pose: Pose, rng: np.random.Generator) -> None:
    half, gap = rng.uniform(0.16, 0.22), 0.015 + 0.2 * pose.mouth
    x = np.linspace(-half, half, 9)
    arch, z = 1 - (x / half) ** 2, 0.72 - 1.6 * x**2
    upper = np.stack([x, 0.17 - 0.055 * arch - 0.2 * gap * arch, z], 1)
    lower = np.stack([x, 0.17 + (0.07 + 0.9 * gap) * arch, z], 1)
    near = pose.facing(upper) > -0.05
    if near.sum() < 3:
        return
    lips = np.concatenate([pose.seen(upper[near]), pose.seen(lower[near])[::-1]])
    heat += rng.normal(0.25, 0.45) * patch.area(lips, 0.012)
    if pose.mouth > 0.1:  # the warm inside, or air that is drawn in over it
        inner_upper = upper + np.outer(0.045 * arch, (0, 1, 0))
        inner_lower = lower - np.outer(0.055 * arch, (0, 1, 0))
        inside = np.concatenate([pose.seen(inner_upper[near]), pose.seen(inner_lower[near])[::-1]])
        heat += (rng.uniform(0.4, 1.7) if rng.random() < 0.75 else -1.0) * patch.area(inside, 0.012)
    else:
        line = pose.seen(np.stack([x, 0.175 + 0.01 * np.sin(9 * x), z], 1)[near])
        heat += rng.uniform(0.1, 0.9) * patch.stroke(line, 0.018, 0.008)


def _brows(heat: np.ndarray, patch: Patch, pose: Pose, rng: np.random.Generator) -> None:
    cool, thick, up = rng.uniform(0.4, 2.2), rng.uniform(0.03, 0.07), rng.uniform(-0.02, 0.03)
    hairs = 0.9 + 0.2 * patch.texture(rng, 0.05, 0.03)
    for side in (-1, 1):
        arch = [(0.09, -0.44), (0.2, -0.485), (0.31, -0.485), (0.41, -0.43)]
        top = [(side * x, y - up, 0.68 - 1.1 * x * x) for x, y in arch]
        line = _seen(pose, top)
        if line is not None:
            heat -= cool * np.clip(patch.stroke(spline(line, closed=False), thick, 0.016) * hairs, 0, 1.2)


def _beard(heat: np.ndarray, patch: Patch, pose: Pose, person: Person, rng: np.random.Generator) -> None:
    low, high = rng.uniform(-0.05, 0.12), rng.uniform(0.03, 0.08)
    points = [(0.54, -0.15, 0.12), (0.42, low + 0.05, 0.35), (0.24, 0.12, 0.6), (0.18, high, 0.68), (0.0, 0.05, 0.73)]
    points += [(-x, y, z) for x, y, z in points[3::-1]]
    points += [(-0.6, 0.3, 0.2), (-0.3, 0.6, 0.5), (0, 0.7, 0.6), (0.3, 0.6, 0.5), (0.6, 0.3, 0.2)]
    facing = pose.facing(points)
    seen = pose.seen(points)
    seen[:, 0] += np.sign(np.sin(pose.yaw)) * np.clip(0.1 - facing, 0, 1)
    mask = patch.area(seen, 0.03)
    if np.cos(pose.yaw) > 0.3:
        mouth = pose.seen((0, 0.18, 0.72))
        mask *= 1 - patch.area(ellipse(*mouth, 0.16 * max(np.cos(pose.yaw), 0.4), 0.06 + 0.08 * pose.mouth), 0.015)
    heat -= person.beard * np.clip(mask * (0.85 + 0.2 * patch.texture(rng, 0.03, 0.05)), 0, 1.3)


def draw_ears(patch: Patch, pose: Pose, person: Person, rng: np.random.Generator) -> None:
    """Ears that stand out, with cool rims and a warm hollow; to be covered by long hair afterwards."""
    base = person.skin - max(0.0, rng.normal(0.8 + 0.3 * person.nose, 0.7))
    for side in (-1, 1):
        # The ear of the side that is turned away is hidden behind the head.
        toward = -side * np.sin(pose.yaw)
        if toward < -0.12:
            continue
        u, v = pose.seen((side * 0.585 * person.width, -0.18, -0.1))
        wide = 0.065 + 0.075 * max(toward, 0)
        lean = 0.22 * side
        mask = patch.area(ellipse(u, v, wide, 0.25, lean), 0.008)
        heat = base + 1.6 * patch.blob(u - 0.2 * side * wide, v + 0.05, 0.4 * wide, 0.07)
        heat += 0.9 * patch.blob(u, v + 0.2, 0.7 * wide, 0.05) - 1.2 * np.exp(-patch.depth(mask) / 0.025)
        patch.paint(mask, heat)
