"""Bare heads: outline, skin, features, ears and hair.

Units: the height of a face from brows to chin is 1. Points on a head are (x, y, z), x to the image's right, y down,
z to the camera when it looks there; zero is the middle of the head, half-way from brows to chin. They are turned, and
joined to flat outlines; all else is drawn in the picture's plane.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from scripts.wild.checking.shapes import Patch, ellipse, mix, spline

_JAW = np.array(
    [(0.56, -0.05, -0.02), (0.525, 0.12, 0.08), (0.45, 0.27, 0.22), (0.33, 0.4, 0.4), (0.17, 0.485, 0.54)]
)  # from the ear to beside the chin
_CHIN = np.array([(0.0, 0.505, 0.6)])
_SIDE = np.array([(0.54, -0.2, 0.28), (0.545, -0.5, 0.2), (0.42, -0.75, 0.42)])  # cheekbone, temple, forehead
_MIDLINE = np.array(
    [(-0.95, 0.5), (-0.75, 0.625), (-0.5, 0.68), (-0.38, 0.635), (0.03, 0.73), (0.11, 0.745), (0.17, 0.72)]
    + [(0.23, 0.735), (0.32, 0.67), (0.42, 0.685), (0.495, 0.62)]
)  # y and z of forehead, brows, bridge, lip, mouth, lip, chin
_NOSE = np.array([(0, -0.38, 0.635), (0, -0.2, 0.755), (0, -0.06, 0.885), (0, 0.0, 0.86), (0, 0.03, 0.73)])
_WINGS = np.array([(0.07, -0.2, 0.66), (0.13, -0.03, 0.68), (0.1, 0.02, 0.7)])
_HAIRLINE = np.array(
    [(0.0, -0.95, 0.5), (0.25, -0.92, 0.46), (0.42, -0.75, 0.4), (0.47, -0.55, 0.34), (0.52, -0.4, 0.22)]
    + [(0.535, -0.1, 0.12)]
)
_BROWS_AND_EARS = np.array([(0.0, -0.5, 0.68), (0.25, -0.56, 0.62), (0.45, -0.52, 0.4), (0.57, -0.42, -0.02)])


@dataclass(frozen=True)
class Pose:
    """Turned to the image's right by ``yaw``, down by ``pitch``, tilted by ``roll`` (rad); ``mouth`` open, 0 to 1."""

    yaw: float
    pitch: float
    roll: float
    mouth: float

    @property
    def shows_face(self) -> bool:
        """Whether it looks to the camera's side of the room."""
        return abs(self.yaw) < 1.75

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Where points (N, 3) of the head are in the picture's plane, (N, 2)."""
        x, y, z = np.moveaxis(np.asarray(points, float), -1, 0)
        right, near = x * np.cos(self.yaw) + z * np.sin(self.yaw), z * np.cos(self.yaw) - x * np.sin(self.yaw)
        return np.stack([right, y * np.cos(self.pitch) + near * np.sin(self.pitch)], -1)

    def facing(self, points: np.ndarray) -> np.ndarray:
        """(N,): 1 where the head's surface faces the camera, below 0 where it is turned away."""
        points = np.asarray(points, float)
        across, along = points[..., 0] / 0.57**2, (points[..., 2] + 0.1) / 0.8**2
        return (along * np.cos(self.yaw) - across * np.sin(self.yaw)) / np.hypot(along, across)


@dataclass(frozen=True)
class Person:
    """What stays of somebody.

    Attributes:
        skin: deg C of the forehead.
        nose, cheeks: how many deg C they are below it.
        hair: share of the skin's warmth that it has over the air.
        style: bald, short, medium, long, bun.
        fringe: units that hair falls over the forehead.
        beard: deg C that it covers; 0 for none.
        width, jaw: factors of head and jaw width.
    """

    skin: float
    nose: float
    cheeks: float
    hair: float
    style: str
    fringe: float
    beard: float
    width: float
    jaw: float


def draw_person(rng: np.random.Generator, ambient: float) -> Person:
    """Somebody in air of ``ambient`` deg C: the colder it is, the colder nose and cheeks are."""
    cold = np.clip((24 - ambient) / 20, -0.3, 1.3)
    return Person(
        skin=34.3 + rng.normal(0, 0.5) - 1.6 * cold,
        nose=max(-0.3, rng.normal(1.4 + 2.5 * cold, 1.3)),
        cheeks=max(0.0, rng.normal(0.9 + 1.0 * cold, 0.5)),
        hair=rng.uniform(0.25, 0.7),
        style=str(rng.choice(["bald", "short", "medium", "long", "bun"], p=[0.12, 0.36, 0.17, 0.23, 0.12])),
        fringe=rng.uniform(0.1, 0.36) if rng.random() < 0.25 else rng.uniform(-0.06, 0.08),
        beard=rng.uniform(0.8, 3.5) if rng.random() < 0.25 else 0.0,
        width=float(np.clip(rng.normal(1, 0.05), 0.9, 1.1)),
        jaw=float(np.clip(rng.normal(1, 0.06), 0.88, 1.12)),
    )


def both(points: np.ndarray) -> np.ndarray:
    """Points (N, 3) and their mirror images, in the order of an outline, (2N, 3)."""
    return np.concatenate([points, points[::-1] * (-1, 1, 1)])


def hull(points: np.ndarray) -> np.ndarray:
    """The convex outline (M, 2) of points (N, 2)."""
    return cv2.convexHull(points.astype(np.float32))[:, 0]


def midline(points: np.ndarray = _MIDLINE) -> np.ndarray:
    """(N, 3) of (y, z)."""
    return np.insert(points, 0, 0.0, axis=1)


def head_outline(patch: Patch, pose: Pose, person: Person) -> np.ndarray:
    """(h, w) float32, 1 on skull and face."""
    wide = np.array([person.width, 1, 1])
    skull = ellipse(-0.1 * np.sin(pose.yaw), -0.44 - 0.1 * np.sin(pose.pitch), *_skull_axes(pose, person))
    mask = patch.area(skull)
    if not pose.shows_face:
        return mask
    jaw = both(np.concatenate([_SIDE[::-1], _JAW * (person.jaw, 1, 1), _CHIN])) * wide
    mask = np.maximum(mask, np.clip((patch.area(hull(pose.seen(jaw)), 0.05) - 0.45) * 6 + 0.5, 0, 1))
    profile = np.concatenate([midline(), [(0, 0.47, 0.46), (0, 0.32, 0.2), (0, -0.9, 0.1)]])
    mask = np.maximum(mask, patch.area(spline(pose.seen(profile))))
    mask = np.clip((patch.soften(mask, 0.022) - 0.5) * 4 + 0.5, 0, 1)
    nose = pose.seen(np.concatenate([_NOSE, _WINGS[::-1] * (-np.sign(pose.yaw) or 1, 1, 1)]))
    return np.maximum(mask, patch.area(spline(nose), 0.006))


def _skull_axes(pose: Pose, person: Person) -> tuple[float, float]:
    return float(np.hypot(0.575 * person.width * np.cos(pose.yaw), 0.76 * np.sin(pose.yaw))), 0.78


def face_region(patch: Patch, pose: Pose, person: Person, outline: np.ndarray) -> np.ndarray:
    """(h, w) bool: the face from brows to chin and from ear to ear, as far as the head shows it."""
    if not pose.shows_face:
        return np.zeros(outline.shape, bool)
    wide = np.array([person.width, 1, 1])
    points = both(np.concatenate([_JAW * (person.jaw, 1, 1), _BROWS_AND_EARS])) * wide
    near = points[pose.facing(points) > -0.25]
    region = patch.area(hull(pose.seen(np.concatenate([near, midline(_MIDLINE[2:]), _NOSE]))))
    return (region > 0.5) & (outline > 0.5)


def skin_window(patch: Patch, pose: Pose, person: Person) -> np.ndarray:
    """(h, w) float32: where no hair grows over the face; what is beyond the far side's limb counts as free."""
    line = _HAIRLINE + np.outer(np.linspace(1, 0, len(_HAIRLINE)), (0, person.fringe, 0))
    low = _JAW[:0:-1] * (1.1, 1.3, 1)
    points = both(np.concatenate([low, line[::-1]])) * (person.width, 1, 1)
    seen, facing = pose.seen(points), pose.facing(points)
    far = np.clip(0.12 - facing, 0, 0.4) * (1 if pose.yaw > 0 else -1) * min(1, 2.5 * abs(np.sin(pose.yaw)))
    seen[:, 0] += 2.5 * far
    return patch.area(spline(seen), 0.018)


def skull_hair(patch: Patch, pose: Pose, person: Person, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32, 1 where hair would be if there were no face: skull, and what hangs down."""
    thick = {"bald": 0.0, "short": 0.035, "medium": 0.1, "long": 0.07, "bun": 0.04}[person.style]
    wide, high = _skull_axes(pose, person)
    back = -0.1 * np.sin(pose.yaw)
    mask = patch.area(ellipse(back, -0.46 - thick / 2, wide + thick, high + thick))
    if person.style == "bun":
        middle = pose.seen(np.array([[0.0, rng.uniform(-1.25, -0.6), -0.75]]))[0]
        mask = np.maximum(mask, patch.area(ellipse(*middle, 0.24, 0.21)))
    if person.style in ("long", "medium"):
        low = rng.uniform(0.6, 1.5) if person.style == "long" else rng.uniform(0.0, 0.35)
        side = (wide + thick) * np.array([(-1, -0.5), (-1.06, 0.1), (-1, low)]) / (1, wide + thick)
        fall = np.concatenate([side, [(0, low + 0.1)], side[::-1] * (-1, 1)])
        # None before a face in profile.
        fall[fall[:, 0] * pose.yaw > 0, 0] *= 1 - 0.4 * abs(np.sin(pose.yaw))
        mask = np.maximum(mask, patch.area(spline(fall + (back, 0))))
    if pose.shows_face:
        # Hair that hangs falls behind neck and throat.
        throat = 0.38 * np.sin(pose.yaw) + np.array([-0.4, 0.4, 0.5, -0.5])
        mask *= 1 - patch.area(np.stack([throat, (0.2, 0.2, 1.8, 1.8)], 1), 0.02)
    ragged = 0.25 * patch.texture(rng, 0.06, 0.14) if person.style != "bald" else 0.0
    return np.clip((patch.soften(mask, 0.03) - 0.5 + 0.3 * ragged) * 4 + 0.5, 0, 1)


def hair_heat(patch: Patch, person: Person, window: np.ndarray, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32, deg C: strands, warmer where they are thin about the face."""
    heat = (
        mix(ambient, person.skin, person.hair) + 0.5 * patch.texture(rng, 0.05, 0.22) + 0.5 * patch.texture(rng, 0.35)
    )
    heat += 0.22 * (person.skin - ambient) * patch.soften(window, 0.09)
    return np.minimum(heat, person.skin + 0.3)
