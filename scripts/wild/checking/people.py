"""Frames of people in thermal infrared, drawn in flat layers, with a box about every face.

This shares no code and no technique with the synthetic frames that networks learn from (3-D meshes in
``lib.synthetic``): what a network finds here it has not learned by heart.
"""

from typing import NamedTuple

import numpy as np

from scripts.wild.checking import worn
from scripts.wild.checking.bodies import draw_body
from scripts.wild.checking.cameras import draw_sensor, record, to_grey
from scripts.wild.checking.head import (
    Person,
    Pose,
    draw_person,
    face_region,
    hair_heat,
    head_outline,
    skin_window,
    skull_hair,
)
from scripts.wild.checking.places import draw_place, draw_thing_before
from scripts.wild.checking.shapes import Patch
from scripts.wild.checking.skin import draw_ears, skin_heat

_LEAST_ROWS = 240  # smaller sensors' scenes are drawn at a multiple of their size
_LEAST_FACE = 30.0  # sensor pixels from brows to chin, of the nearest person
_LEAST_OTHER = 18.0
_LEAST_SHARE = 0.2  # of a face that must be in sight for it to get a box
_SENSORS = ("80 to 160 columns", "192 to 320 columns", "384 columns and more")
_HEAD = (-1.9, -1.6, 1.9, 2.6)
_BODY = (-6.0, -0.4, 6.0, 13.0)


class CheckFrame(NamedTuple):
    """A frame and what is known of it.

    Attributes:
        values: (H, W) float32 in deg C, or uint8 grey levels.
        boxes: (N, 4) float, x0, y0, x1, y1 in pixels of ``values``: brows to chin and ear to ear, as far as in the
            frame and not behind other people or things. What a person wears or holds before the face doesn't count
            as hiding it.
        conditions: values of ``size``, ``view``, ``wear``, ``people``, ``sensor``, ``values`` and ``place``; the first
            three are of the nearest face with a box, and missing where there is none.
    """

    values: np.ndarray
    boxes: np.ndarray
    conditions: dict[str, list[str]]


class _Face(NamedTuple):
    """A face in a scene: (H, W) bool where it is in sight, the pixels of all of it, and what it shows."""

    seen: np.ndarray
    pixels: int
    conditions: dict[str, list[str]]


def draw_frame(seed: int, number: int, black_hot: bool = False) -> CheckFrame:
    """Frame ``number`` of the endless series of ``seed``; ``black_hot``: what is warm is dark in grey levels."""
    rng = np.random.default_rng([seed, number, 2])
    sensor, outdoors = draw_sensor(rng), bool(rng.random() < 0.25)
    ambient = float(rng.uniform(-5, 30) if outdoors else rng.normal(22.5, 2.0))
    more = -(-_LEAST_ROWS // sensor[0])
    scene = draw_place((sensor[0] * more, sensor[1] * more), ambient, outdoors, rng)
    faces = _draw_people(scene, more, ambient, rng)
    values = record(scene, sensor, rng)
    grey = bool(rng.random() < 0.45)
    if grey:
        values = to_grey(values, black_hot, rng)
    scale = values.shape[0] / scene.shape[0]
    faces = [face for face in faces if face.seen.sum() >= _LEAST_SHARE * face.pixels]
    boxes = np.array([_box_of(face.seen) for face in faces], float).reshape(-1, 4) * scale
    conditions = dict(faces[-1].conditions) if faces else {"people": ["no face in sight"]}
    conditions |= {
        "sensor": [_SENSORS[int(np.searchsorted((160, 320), sensor[1]))]],
        "values": ["grey levels" if grey else "deg C"],
        "place": ["outdoors" if outdoors else "indoors"],
    }
    return CheckFrame(values, boxes, conditions)


def _draw_people(scene: np.ndarray, more: int, ambient: float, rng: np.random.Generator) -> list[_Face]:
    """Draw nobody to four people, the farthest first; their faces, the nearest last."""
    rows = scene.shape[0]
    count = int(rng.choice(5, p=[0.07, 0.62, 0.16, 0.09, 0.06]))
    least = max(_LEAST_FACE * more, 0.08 * rows)
    nearest = float(np.exp(rng.uniform(np.log(least), np.log(1.02 * rows))))
    faces: list[_Face] = []
    for number in reversed(range(count)):
        height = nearest if number == 0 else max(_LEAST_OTHER * more, nearest * rng.uniform(0.3, 0.95))
        away = bool(rng.random() < (0.08 if number == 0 else 0.3))
        pose, person = _pose(rng, away), draw_person(rng, ambient)
        origin = _place(scene.shape, height, central=number == 0, rng=rng)
        covered, face, wear = _draw_one(scene, origin, height, pose, person, ambient, rng)
        faces = [face._replace(seen=face.seen & ~covered) for face in faces]
        if face.any():
            conditions = {"size": [_size(height / rows)], "view": [_view(pose)], "wear": wear}
            conditions["people"] = ["one" if count == 1 else "several"]
            # Of a face that the frame cuts off, at least those of a narrow one.
            faces.append(_Face(face, max(int(face.sum()), round(0.4 * height**2)), conditions))
    if count and rng.random() < 0.12:
        hidden = draw_thing_before(scene, ambient, rng)
        faces = [face._replace(seen=face.seen & ~hidden) for face in faces]
    return faces


def _draw_one(
    scene: np.ndarray,
    origin: tuple[float, float],
    unit: float,
    pose: Pose,
    person: Person,
    ambient: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Draw a person; (H, W) bool where anything of them is, the same of the face, and what they wear."""
    before = scene.copy()
    draw_body(Patch(scene, origin, unit, 0.3 * pose.roll, _BODY), pose, person, ambient, rng)
    patch = Patch(scene, origin, unit, pose.roll, _HEAD)
    outline = head_outline(patch, pose, person)
    window = skin_window(patch, pose, person) if pose.shows_face else np.zeros_like(outline)
    hair = skull_hair(patch, pose, person, rng) if person.style != "bald" else np.zeros_like(outline)
    heat = hair_heat(patch, person, window * outline, ambient, rng)
    patch.paint(hair, heat)
    ears_out = person.style in ("bald", "short", "bun")
    if ears_out and not pose.shows_face:
        draw_ears(patch, pose, person, rng)
    patch.paint(outline, skin_heat(patch, pose, person, outline, rng) if pose.shows_face else person.skin - 1.0)
    patch.paint(hair * (1 - window), heat)
    if ears_out and pose.shows_face:
        draw_ears(patch, pose, person, rng)
    wear = _draw_worn(patch, pose, person, ambient, rng)
    face = np.zeros(scene.shape, bool)
    face[patch.rows, patch.columns] = face_region(patch, pose, person, outline)
    return np.abs(scene - before) > 0.02, face, wear


def _draw_worn(patch: Patch, pose: Pose, person: Person, ambient: float, rng: np.random.Generator) -> list[str]:
    """Draw what the person wears and holds, and say what that is."""
    glasses, mask, hat, hand = rng.random(4) < (0.33, 0.16, 0.26, 0.14)
    wear = ["beard"] if person.beard and pose.shows_face else []
    if mask and pose.shows_face:
        worn.draw_mask(patch, pose, person, ambient, rng)
        wear.append("mask")
    if glasses and pose.shows_face:
        worn.draw_glasses(patch, pose, ambient, rng)
        wear.append("glasses")
    if hat:
        (worn.draw_hood if rng.random() < 0.35 else worn.draw_hat)(patch, pose, person, ambient, rng)
        wear.append("hat or hood")
    if hand and pose.shows_face:
        worn.draw_hand(patch, pose, person, rng)
        wear.append("hand")
    return wear or ["nothing"]


def _pose(rng: np.random.Generator, away: bool) -> Pose:
    """Frontal, turned, in profile, bent, or away from the camera."""
    stance = "away" if away else rng.choice(["frontal", "turned", "profile", "bent"], p=[0.42, 0.28, 0.17, 0.13])
    yaw, pitch, roll = rng.normal(0, 0.17), rng.normal(0, 0.12), rng.normal(0, 0.09)
    if stance == "turned":
        yaw = rng.choice((-1, 1)) * rng.uniform(0.35, 1.05)
    elif stance == "profile":
        yaw = rng.choice((-1, 1)) * rng.uniform(1.05, 1.6)
    elif stance == "bent":
        yaw, pitch, roll = rng.uniform(-0.7, 0.7), rng.uniform(-0.45, 0.5), rng.normal(0, 0.35)
    elif stance == "away":
        yaw = rng.choice((-1, 1)) * rng.uniform(2.3, np.pi)
    mouth = rng.uniform(0.15, 1.0) if rng.random() < 0.25 else 0.0
    return Pose(float(yaw), float(np.clip(pitch, -0.45, 0.5)), float(np.clip(roll, -0.8, 0.8)), float(mouth))


def _place(shape: tuple[int, int], height: float, central: bool, rng: np.random.Generator) -> tuple[float, float]:
    """Where the middle of a face of ``height`` pixels is, most of it in the frame."""
    rows, columns = shape
    x = rng.uniform(min(0.6 * height, 0.4 * columns), max(columns - 0.6 * height, 0.6 * columns))
    y = rng.uniform(min(0.75 * height, 0.45 * rows), max(0.55 * rows, rows - 0.75 * height))
    if central:
        return 0.5 * (x + columns / 2), 0.6 * y + 0.2 * rows
    return x, min(y, 0.7 * rows)


def _box_of(seen: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 about the True pixels of (H, W)."""
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _size(share: float) -> str:
    """From brows to chin, as a share of the frame's height."""
    edges, names = (0.15, 0.3, 0.6), ("0 to 15 %", "15 to 30 %", "30 to 60 %", "60 % and more")
    return names[int(np.searchsorted(edges, share))]


def _view(pose: Pose) -> str:
    turned = abs(pose.yaw)
    if turned < 0.7 and (abs(pose.pitch) > 0.25 or abs(pose.roll) > 0.25):
        return "bent"
    return "frontal" if turned < 0.35 else "turned" if turned < 1.05 else "profile"
