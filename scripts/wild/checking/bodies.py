"""Necks, clothes, arms and legs: what a head sits on. Units and axes are the head's."""

import numpy as np

from scripts.wild.checking.head import Person, Pose
from scripts.wild.checking.shapes import Patch, ellipse, mix, spline


def draw_body(patch: Patch, pose: Pose, person: Person, ambient: float, rng: np.random.Generator) -> None:
    """All of a person but the head, from the neck to the feet."""
    turn = pose.yaw * rng.uniform(0.2, 1.0)
    wide = rng.uniform(1.35, 1.75) * (0.55 + 0.45 * abs(np.cos(turn)))
    middle = -0.12 * np.sin(pose.yaw)
    share, loose = rng.uniform(0.2, 0.85), rng.uniform(0.1, 0.6)
    cloth = mix(ambient, person.skin - 1.0, share)
    _legs(patch, person, cloth, middle, wide, rng)
    _neck(patch, pose, person, middle, rng)
    torso = _torso(middle, wide)
    mask = patch.area(torso, 0.012)
    heat = (
        cloth
        + loose * (patch.texture(rng, 0.9, 1.2) + 0.7 * patch.texture(rng, 0.3, 0.9))
        + 0.8 * patch.blob(middle, 1.6, 0.7, 0.6)
    )
    heat -= 0.9 * np.exp(-patch.depth(mask) / 0.12)
    patch.paint(mask, heat)
    _collar(patch, person, cloth, middle, rng)
    _arms(patch, person, cloth, middle, wide, rng)


def _torso(middle: float, wide: float) -> np.ndarray:
    half = [(0.3, 0.74), (0.6, 0.86), (0.95 * wide, 1.12), (1.02 * wide, 1.6), (0.8 * wide, 2.6), (0.72 * wide, 3.6)]
    half += [(0.78 * wide, 4.6), (0.7 * wide, 5.0)]
    outline = [(0.0, 0.92), *half, *[(-x, y) for x, y in half[::-1]]]
    return spline(np.array(outline) + (middle, 0))


def _neck(patch: Patch, pose: Pose, person: Person, middle: float, rng: np.random.Generator) -> None:
    """Warm, warmest along the vessels of its sides and below the chin."""
    thick = rng.uniform(0.36, 0.46)
    low = [(thick * 1.2, 0.95), (thick * 1.5, 1.15), (-thick * 1.5, 1.15), (-thick * 1.2, 0.95)]
    outline = [(-thick, 0.0), (-thick * 0.97, 0.5), *[(x, y) for x, y in low[::-1]], (thick * 0.97, 0.5), (thick, 0.0)]
    mask = patch.area(spline(np.array(outline) + (middle, 0)), 0.015)
    heat = person.skin - 0.2 + 0.2 * patch.texture(rng, 0.3)
    for side in (-1, 1):
        line = np.array([(side * 0.75 * thick, 0.3), (side * 0.6 * thick, 0.65), (side * 0.25 * thick, 1.05)]) + (
            middle,
            0,
        )
        heat += rng.uniform(0.3, 1.0) * patch.stroke(spline(line, closed=False), 0.12, 0.06)
    heat += rng.uniform(0.2, 0.8) * patch.blob(middle + 0.2 * np.sin(pose.yaw), 0.5, 0.3, 0.09)
    heat -= 1.1 * np.exp(-patch.depth(mask) / 0.06)
    patch.paint(mask, heat)


def _collar(patch: Patch, person: Person, cloth: float, middle: float, rng: np.random.Generator) -> None:
    """A round or pointed neckline, a shirt's collar, a roll neck, a scarf."""
    kind = rng.choice(["round", "pointed", "shirt", "roll", "scarf"], p=[0.32, 0.22, 0.22, 0.12, 0.12])
    at = np.array([middle, 0.0])
    if kind in ("round", "pointed", "shirt"):
        low = rng.uniform(1.0, 1.15) if kind == "round" else rng.uniform(1.15, 1.7)
        line = np.array([(-0.42, 0.8), (-0.3, 0.95), (0, low), (0.3, 0.95), (0.42, 0.8), (0, 0.7)]) + at
        skin = patch.area(spline(line) if kind == "round" else line, 0.012)
        patch.paint(skin, person.skin - 0.3 + 0.25 * patch.texture(rng, 0.25))
    if kind == "shirt":
        for side in (-1, 1):
            flap = np.array([(side * 0.46, 0.66), (side * 0.12, 1.12), (side * 0.42, 1.22), (side * 0.66, 0.9)]) + at
            patch.paint(patch.area(flap, 0.01), cloth - 0.8)
        patch.paint(patch.stroke(np.array([(0, 1.2), (0, 4.5)]) + at, 0.07, 0.015), cloth + 0.6)
    elif kind == "roll":
        patch.paint(patch.area(ellipse(middle, 0.78, 0.5, 0.24, 0, 3), 0.012), cloth + 0.8)
    elif kind == "scarf":
        high = rng.uniform(0.45, 0.7)
        mask = patch.area(ellipse(middle, high + 0.32, 0.72, 0.36, 0, 2.6), 0.015)
        folds = 0.7 * np.sin(patch.v * rng.uniform(14, 26) + 2 * np.sin(2.5 * patch.u))
        patch.paint(mask, cloth + folds - 0.6 * np.exp(-patch.depth(mask) / 0.06))


def _arms(patch: Patch, person: Person, cloth: float, middle: float, wide: float, rng: np.random.Generator) -> None:
    bare = rng.random() < 0.3
    for side in (-1, 1):
        shoulder = np.array([middle + side * 0.92 * wide, 1.4])
        out = rng.uniform(0.0, 0.35) if rng.random() < 0.8 else rng.uniform(0.5, 2.2)
        elbow = shoulder + 2.1 * np.array([side * np.sin(out), np.cos(out)])
        bend = out + rng.uniform(-1.0, 0.5) if out < 0.5 else out + rng.uniform(0, 1.0)
        wrist = elbow + 1.9 * np.array([side * np.sin(bend), np.cos(bend)])
        hand = wrist + 0.6 * np.array([side * np.sin(bend), np.cos(bend)])
        skin = person.skin - rng.uniform(0.0, 2.5)
        for line, thick, heat in (
            ((wrist, hand), 0.42, skin - rng.uniform(-0.3, 2.5)),
            ((elbow, wrist), 0.5, skin if bare else cloth - 0.3),
            ((shoulder, elbow), 0.62, cloth),
        ):
            _limb(patch, line, thick, heat, rng)


def _legs(patch: Patch, person: Person, cloth: float, middle: float, wide: float, rng: np.random.Generator) -> None:
    heat = cloth + rng.normal(-0.5, 1.0)
    for side in (-1, 1):
        hip, spread = np.array([middle + side * 0.38 * wide, 5.0]), rng.uniform(-0.2, 0.6)
        knee = hip + (side * spread, 3.3)
        foot = knee + (side * rng.uniform(-0.2, 0.2), 3.4)
        _limb(patch, (knee, foot), 0.7, heat - 0.5, rng)
        _limb(patch, (hip, knee), 1.0, heat, rng)
        _limb(patch, (foot, foot + (side * 0.35, 0.15)), 0.4, heat - 2.5, rng)


def _limb(patch: Patch, line: tuple, thick: float, heat: float, rng: np.random.Generator) -> None:
    mask = patch.stroke(np.stack(line), thick, 0.02)
    if mask.any():
        patch.paint(mask, heat + 0.4 * patch.texture(rng, 0.4) - 0.9 * np.exp(-patch.depth(mask) / 0.1))
