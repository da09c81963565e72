"""People as they are met: turned any way, with arms and legs, wrapped up or not."""

from dataclasses import dataclass, replace

import numpy as np

from lib.synthetic.accessories import Accessories
from lib.synthetic.body import FrameState, Pose, apply_pose, draw_clothes, person_surfaces
from lib.synthetic.face import draw_expression
from lib.synthetic.face_parts import head_parts
from lib.synthetic.raster import Surface
from lib.synthetic.shapes import blend, tube
from lib.synthetic.subject import Subject
from lib.synthetic.wild.glasses import glasses_surfaces
from lib.synthetic.wild.headwear import draw_headwear, headwear_surfaces

_MOST_TWIST = 1.1  # rad between head and shoulders
_STANCES = ("to the camera", "turned", "away", "bent")


@dataclass(frozen=True)
class Surroundings:
    """What is the same for all people of a scene.

    Attributes:
        ambient: deg C.
        skin_shift: deg C, the skin warmer or cooler than at rest indoors.
    """

    ambient: float
    skin_shift: float


@dataclass(frozen=True)
class Odds:
    """How often somebody wears or holds something.

    Attributes:
        glasses, mask, hat, holds, wrapped, high_collar: probabilities.
        lowest_collar: height y of the widest necklines at the sides, cm below the eyes.
    """

    glasses: float
    mask: float
    hat: float
    holds: float
    wrapped: float
    high_collar: float
    lowest_collar: float


MET = Odds(glasses=0.33, mask=0.16, hat=0.22, holds=0.18, wrapped=1.0, high_collar=0.35, lowest_collar=18.0)
"""Of people who are met anywhere."""
SEATED = Odds(glasses=0.42, mask=0.05, hat=0.08, holds=0.08, wrapped=0.5, high_collar=0.1, lowest_collar=21.0)
"""Of people who sit before a camera: at a desk, at a wheel."""


def draw_seated(rng: np.random.Generator) -> Pose:
    """The pose of somebody before a camera that hangs a little above, beside or below."""
    yaw = rng.normal(0, 0.25) if rng.random() < 0.45 else rng.choice((-1, 1)) * rng.uniform(0.15, 1.0)
    pitch, roll = rng.normal(0.0, 0.2), rng.normal(0, 0.1)
    body = float(np.clip(yaw * rng.uniform(0.0, 1.0) + rng.normal(0, 0.2), yaw - _MOST_TWIST, yaw + _MOST_TWIST))
    return Pose(float(yaw), float(np.clip(pitch, -0.5, 0.65)), float(np.clip(roll, -0.4, 0.4)), body)


def draw_stance(rng: np.random.Generator, away: bool | None = None) -> Pose:
    """Yaw over the whole circle: most people look about this way, many to a side, some away from the camera.

    Args:
        rng: source of everything.
        away: True for a back of the head, False for a face that can be seen; None for either.
    """
    odds = {None: (0.36, 0.34, 0.12, 0.18), True: (0, 0, 1, 0), False: (0.4, 0.4, 0, 0.2)}[away]
    stance = rng.choice(_STANCES, p=odds)
    yaw, pitch, roll = rng.normal(0, 0.25), rng.normal(0, 0.14), rng.normal(0, 0.1)
    if stance == "turned":
        yaw = rng.choice((-1, 1)) * rng.uniform(0.4, 1.65)
    elif stance == "away":
        yaw = np.pi + rng.normal(0, 0.45)
    elif stance == "bent":
        yaw, pitch, roll = rng.uniform(-0.9, 0.9), rng.uniform(-0.6, 0.75), rng.normal(0, 0.35)
    body = yaw * rng.uniform(0.2, 1.0) + rng.normal(0, 0.25)
    body = float(np.clip(body, yaw - _MOST_TWIST, yaw + _MOST_TWIST))
    return Pose(float(yaw), float(np.clip(pitch, -0.6, 0.75)), float(np.clip(roll, -0.9, 0.9)), body)


def draw_person(
    subject: Subject,
    around: Surroundings,
    rng: np.random.Generator,
    away: bool | None = None,
    seated: bool = False,
) -> tuple[list[Surface], np.ndarray]:
    """One person in one frame, in camera coordinates.

    Args:
        subject: head, skin and hair.
        around: what the air is like.
        rng: source of pose, clothes and all else.
        away: see :func:`draw_stance`.
        seated: before a camera, see :func:`draw_seated`.

    Returns:
        The surfaces, of which the head's holds the parts of the face; and the middle of the face, cm (3,).
    """
    ambient, shift = around.ambient, around.skin_shift + rng.normal(0, 0.4)
    odds = SEATED if seated else MET
    cloth = blend(ambient, rng.uniform(0.08, 1.0), 32.5)
    glasses, mask, hat = rng.random(3) < (odds.glasses, odds.mask, odds.hat)
    clothes = draw_clothes(rng, cloth, Accessories(False, bool(mask), bool(hat), int(rng.integers(2**32))))
    collar = rng.uniform(8.5, 13.0) if rng.random() < odds.high_collar else rng.uniform(13.5, odds.lowest_collar)
    clothes = replace(clothes, collar=float(collar))
    holds = int(rng.integers(2**32)) if away is not True and rng.random() < odds.holds else None
    pose = draw_seated(rng) if seated else draw_stance(rng, away)
    state = FrameState(pose, draw_expression(rng), float(rng.uniform(-1, 1)), holds)
    surfaces, face = person_surfaces(subject, clothes, state, ambient, shift)
    # The first surface is the head; hair that hangs before the face is no face. A chin mirrors the warm neck below it,
    # so that there need be no dark line between the two.
    part = np.where(subject.hair < 0.5, head_parts(), 0).astype(np.uint8)
    surfaces[0] = replace(surfaces[0], part=part, mirrored=blend(ambient, min(rng.uniform(0.0, 1.3), 1.0)))
    extra = glasses_surfaces(ambient, rng) if glasses else []
    if rng.random() < odds.wrapped:
        extra += headwear_surfaces(draw_headwear(rng, hat=bool(hat)), ambient, rng)
    surfaces += [replace(item, points=apply_pose(item.points, pose)) for item in extra]
    surfaces += _limbs(subject, clothes.temperature, pose, ambient, shift, rng)
    middle = face[face.shape[0] * 11 // 20, face.shape[1] // 2]
    return surfaces, middle


def _limbs(
    subject: Subject, cloth: float, pose: Pose, ambient: float, shift: float, rng: np.random.Generator
) -> list[Surface]:
    """Arms that hang or are raised, bare or in sleeves, hips and legs."""
    skin = 32.0 + shift + rng.normal(0, 0.6)
    t = np.linspace(0, 1, 40)
    hips = np.array([0.0, 52.0, -4.0]) + t[:, None] * np.array([0.0, 24.0, 0.0])
    pieces = [tube(hips, np.interp(t, (0, 0.5, 1), (15.5, 17.0, 14.0)), 0.62, cloth - 0.5 + 0 * t)]
    for side in (-1.0, 1.0):
        shoulder = np.array([side * (subject.build - 1.5), 21.0, -4.5])
        raised = rng.uniform(-0.2, 0.6) if rng.random() < 0.7 else rng.uniform(0.6, 2.0)
        upper = np.array([side * np.sin(raised), np.cos(raised), rng.uniform(-0.1, 0.35)])
        bend = raised + rng.uniform(0.0, 1.8) * (1 if raised > 0.6 else rng.choice((-0.6, 1)))
        lower = np.array([side * np.sin(bend), np.cos(bend), rng.uniform(0.0, 0.7)])
        elbow, sleeve = shoulder + 27.0 * upper, rng.uniform(0.1, 1.9)
        wrist = elbow + 25.0 * lower
        bones = (
            (shoulder, elbow, (5.2, 4.2), sleeve),
            (elbow, wrist, (4.2, 3.0), sleeve - 1),
            (wrist, wrist + 17.0 * lower, (3.6, 2.2), -1.0),
        )
        for start, end, (thick, thin), reach in bones:
            path = start + t[:, None] * (end - start)
            field = np.where(t < reach, cloth, skin - 1.5 * (reach < 0) * t)
            pieces.append(tube(path, thick + t * (thin - thick), 0.85, field))
        knee = np.array([side * 10.0, 118.0, rng.uniform(-4, 10)])
        hip = np.array([side * 8.5, 72.0, -4.0])
        pieces.append(tube(hip + t[:, None] * (knee - hip), 8.5 - 2.5 * t, 0.9, cloth - 1.0 + 0 * t))
        foot = knee + np.array([side * 1.0, 46.0, -4.0])
        bare = rng.random() < 0.25
        pieces.append(
            tube(knee + t[:, None] * (foot - knee), 6.0 - 2.0 * t, 0.9, (skin if bare else cloth - 1.5) + 0 * t)
        )
    return [replace(item, points=apply_pose(item.points, pose, np.zeros(item.points.shape[:2]))) for item in pieces]
