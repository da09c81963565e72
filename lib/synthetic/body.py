"""What belongs to a person besides the face: head with hair, ears, neck, hanging hair, shoulders in clothes.

Everything is built in head coordinates at rest (cm, see :mod:`mean_head`) and then posed: the head turns about the
top of the neck, the shoulders follow a little, the neck and long hair bend between the two.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lib.synthetic.accessories import Accessories, accessory_surfaces
from lib.synthetic.face import Expression, apply_expression
from lib.synthetic.handheld import handheld_surfaces
from lib.synthetic.mean_head import grid_sites, sample
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep
from lib.synthetic.raster import Surface
from lib.synthetic.skin import add_features
from lib.synthetic.subject import Subject

PIVOT = np.array([0.0, 7.0, -2.5], np.float32)
_SKULL = np.array([0.0, -1.5, -1.0], np.float32)


@dataclass(frozen=True)
class Pose:
    """Rotation of head and shoulders; rad.

    Attributes:
        yaw: positive turns the nose to the right of the image.
        pitch: positive nods down.
        roll: positive tilts the crown to the right of the image.
        body_yaw: of the shoulders.
    """

    yaw: float
    pitch: float
    roll: float
    body_yaw: float

    def head(self) -> np.ndarray:
        """float32 (3, 3) of the head."""
        return _turn_z(self.roll) @ _turn_x(self.pitch) @ _turn_y(self.yaw)

    def body(self) -> np.ndarray:
        """float32 (3, 3) of the shoulders."""
        return _turn_y(self.body_yaw)


def _turn_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def _turn_x(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]], np.float32)


def _turn_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32)


def apply_pose(points: np.ndarray, pose: Pose, head_share: np.ndarray | float = 1.0) -> np.ndarray:
    """Move points (..., 3) from rest to a pose, about the pivot, which becomes the origin.

    Args:
        points: cm, head coordinates at rest.
        pose: the rotations.
        head_share: (...) 1 for what moves with the head, 0 with the shoulders; between, blended linearly.
    """
    offset = points - PIVOT
    with_head = offset @ pose.head().T
    if isinstance(head_share, float) and head_share == 1.0:
        return with_head
    share = np.asarray(head_share, np.float32)[..., None]
    return (share * with_head + (1 - share) * (offset @ pose.body().T)).astype(np.float32)


@dataclass(frozen=True)
class FrameState:
    """What of a person differs from frame to frame.

    Attributes:
        pose, expression: of head and face.
        breath: -1 in to 1 out.
        holds: seed of a hand, cup or phone at the face, None for nothing.
    """

    pose: Pose
    expression: Expression
    breath: float
    holds: int | None = None


@dataclass(frozen=True)
class Clothes:
    """What a person wears in one sequence.

    Attributes:
        temperature: deg C.
        collar: height y of the neckline at the sides, cm (small is high; below 12 it is a polo neck).
        opening: cm that the neckline runs down in front.
        accessories: worn on the head.
        folds: float32 (rows, columns) irregularity of the temperature, deg C.
    """

    temperature: float
    collar: float
    opening: float
    accessories: Accessories
    folds: np.ndarray


_TORSO_SHAPE = (150, 240)


def draw_clothes(rng: np.random.Generator, temperature: float, accessories: Accessories) -> Clothes:
    """Draw clothes of about a temperature (deg C) to go with accessories."""
    bend = 2.5 * smooth_noise(rng, _TORSO_SHAPE, (5, 7))
    folds = 0.5 * np.sin(bend * 3) * smooth_noise(rng, _TORSO_SHAPE, (4, 5))
    folds += 0.45 * smooth_noise(rng, _TORSO_SHAPE, (6, 22)) + 0.25 * fractal_noise(rng, _TORSO_SHAPE, (12, 20))
    high = rng.random() < 0.12
    return Clothes(
        temperature=temperature,
        collar=float(rng.uniform(9.5, 12.0) if high else rng.uniform(14.0, 16.0)),
        opening=0.0 if high else float(rng.choice([1.0, 3.0, 8.0], p=(0.45, 0.3, 0.25)) * rng.uniform(0.7, 1.2)),
        accessories=accessories,
        folds=folds.astype(np.float32),
    )


def hair_temperature(subject: Subject, ambient: float) -> float:
    """Mean temperature of a person's hair, deg C, between the air's and the scalp's."""
    return ambient + subject.hair_warmth * (33.0 - ambient)


def head_surface(
    subject: Subject, state: FrameState, ambient: float, shift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The head in one frame.

    Args:
        subject: the person.
        state: expression and breath.
        ambient: deg C.
        shift: deg C, the whole skin warmer or cooler than at rest.

    Returns:
        face (ROWS, COLUMNS, 3) cm without hair, of which the landmarks are points; points with hair and beard; and the
        temperature (ROWS, COLUMNS), deg C.
    """
    face = apply_expression(subject.shape, state.expression)
    skin = add_features(subject.bare_skin, subject.skin, subject.brow, state.breath) + shift
    hair = hair_temperature(subject, ambient)
    near_skin = np.exp(-subject.hair_depth / 0.35)  # thin hair is nearly as warm as the scalp
    hair_field = hair + (31.5 - hair) * 0.55 * near_skin + 0.8 * subject.strands
    temperature = skin + subject.hair * (hair_field - skin)
    beard_field = skin - (0.2 + 0.5 * min(subject.beard_depth, 1.0)) * (skin - hair)
    temperature = temperature + subject.beard * (beard_field - temperature)
    outward = face - _SKULL
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    depth = subject.hair_depth + subject.beard_depth * cv2.GaussianBlur(subject.beard, (0, 0), 5)
    return face, face + outward * depth[..., None], temperature.astype(np.float32)


def ear_surfaces(subject: Subject, ambient: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Points (cm, at rest) and temperature of both ears: a cool rim, a warm hollow."""
    radius, angle = np.meshgrid(np.linspace(0.02, 1, 22), np.linspace(0, 2 * np.pi, 56))
    down, back = 3.1 * radius * np.sin(angle), 1.75 * radius * np.cos(angle)
    back = back * (1 - 0.16 * np.sin(angle)) + 0.25 * (1 - np.abs(np.sin(angle)))
    rim = np.exp(-0.5 * ((radius - 0.88) / 0.1) ** 2) * smoothstep(np.cos(angle) - 0.4 * np.sin(angle), -0.9, 0.2)
    hollow = np.exp(-((radius / 0.42) ** 2))
    fold = np.exp(-0.5 * ((radius - 0.6) / 0.1) ** 2) * smoothstep(np.cos(angle), -0.2, 0.6)
    height = 0.42 * rim - 0.55 * hollow + 0.2 * fold - 0.5 * smoothstep(radius, 0.9, 1.02) ** 2
    temperature = (
        0.55 * subject.skin.neck + 0.45 * subject.skin.cheek + 1.0 * hollow - 0.5 * fold
        - (0.14 * (subject.skin.neck - ambient) + 1.0) * smoothstep(radius, 0.35, 0.85)
    )  # fmt: skip
    ears = []
    for side in (-1.0, 1.0):
        root = sample(subject.shape, grid_sites(np.array([side * 7.1, 1.7, -0.7])))
        outward, backward = np.cos(subject.ears), np.sin(subject.ears)
        size = subject.ear_size
        x = root[0] + side * size * ((back + 1.1) * backward + height * outward - 0.15)
        z = root[2] - size * ((back + 1.1) * outward - height * backward)
        y = root[1] + size * (down - 0.25 * back)
        ears.append((np.stack([x, y, z], axis=-1).astype(np.float32), temperature.astype(np.float32)))
    return ears


def neck_surface(subject: Subject, clothes: Clothes, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (cm, at rest), temperature and head share of the neck."""
    t, angle = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-np.pi, np.pi, 120), indexing="ij")
    y = 5.0 + 15.0 * t
    girth = subject.neck
    trapezius = 2.6 * smoothstep(y, 9.5, 17.0) ** 1.5 * np.abs(np.sin(angle)) ** 2
    muscle = np.exp(-0.5 * ((np.abs(angle) - (0.95 - 0.6 * t)) / 0.22) ** 2)
    points = np.stack(
        [
            (5.7 * girth + trapezius) * np.sin(angle) * (1 + 0.04 * muscle),
            y,
            -2.0 - 2.6 * t + (5.8 * subject.neck - 0.8 * t) * np.cos(angle),
        ],
        axis=-1,
    )
    artery = np.exp(-0.5 * ((np.abs(angle) - (1.15 - 0.5 * t)) / 0.2) ** 2)
    throat = np.exp(-0.5 * (angle / 0.35) ** 2)
    creases = 0.25 * np.exp(-0.5 * ((np.mod(y + 0.3 * angle**2, 2.6) - 1.3) / 0.22) ** 2) * np.cos(angle).clip(0)
    skin = subject.skin.neck + shift - 0.2 + 0.5 * artery - 0.45 * throat - 0.15 * muscle + creases - 0.3 * t
    cloth = clothes.temperature + 1.2 + 0.4 * np.sin(8 * y / 2.0 + np.sin(3 * angle))
    high = clothes.collar if clothes.collar < 12.5 else 99.0  # a low neckline leaves the neck to the torso's opening
    covered = smoothstep(y, high - 0.15, high + 0.15)
    points[..., (0, 2)] += 0.35 * covered[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    temperature = skin + covered * (cloth - skin)
    return points.astype(np.float32), temperature.astype(np.float32), 1 - smoothstep(t, 0.05, 0.75)


def torso_surface(subject: Subject, clothes: Clothes, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (cm, at rest) and temperature of the shoulders and the chest."""
    rows, columns = _TORSO_SHAPE
    across = np.linspace(-1, 1, columns)
    spread = np.sign(across) * np.abs(across) ** 1.4  # denser in front
    y, angle = np.meshgrid(13 + 47 * np.linspace(0, 1, rows) ** 1.5, np.pi * spread, indexing="ij")
    neck, build = 5.6 * subject.neck, subject.build
    slope = np.clip((y - 13) / 7.0, 0, 1) ** 1.25 * (build - 2.5 - neck)
    arm = 2.5 * np.sqrt(1 - np.clip((27 - y) / 7.5, 0, 1) ** 2) * (y > 19.5)
    half_width = neck + slope + arm
    depth = neck + (11 - neck) * smoothstep(y, 13, 25)
    c, s = np.cos(angle), np.sin(angle)
    x, z = half_width * np.sign(s) * np.abs(s) ** 0.8, depth * np.sign(c) * np.abs(c) ** 0.9 - 4.2
    front = smoothstep(c, 0.0, 0.6)
    line = clothes.collar + clothes.opening * front * np.clip(1 - np.abs(x) / 6.0, 0, 1)
    covered = smoothstep(y, line - 0.35, line + 0.35)
    hem = np.exp(-0.5 * ((y - line - 0.6) / 0.5) ** 2)
    skin = subject.skin.neck - 0.5 + shift
    close = 1.3 * np.exp(-np.maximum(y - line, 0) / 5) + 0.7 * front * smoothstep(y, 20, 30)
    cloth = clothes.temperature + clothes.folds + close - 0.5 * hem
    outward = (0.3 + 0.25 * hem + 0.18 * clothes.folds) * covered
    points = np.stack([x + outward * s, y, z + outward * c], axis=-1)
    return points.astype(np.float32), (skin + covered * (cloth - skin)).astype(np.float32)


def hanging_hair(
    subject: Subject, length: float, ambient: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points (cm, at rest), temperature, cut-out and head share of hair that hangs ``length`` cm below the eyes."""
    rows, columns = 90, 200
    t, around = np.meshgrid(np.linspace(0, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    texture = subject.strands[: rows * 2 : 2, : columns * 2 : 2]
    y = -5.5 + (length + 5.5) * t
    opening = 1.15 + 0.25 * smoothstep(t, 0.0, 0.35) - 0.22 * smoothstep(t, 0.5, 1.0)
    angle = np.pi + around * (np.pi - opening)
    bulge = 0.4 * np.sin(np.pi * t) + 0.12 * texture - 2.5 * (1 - smoothstep(t, 0.0, 0.22))
    wide = sample(subject.shape, grid_sites(np.array([[7.4, -2.0, -1.5]])))[0, 0] + 0.75
    radius_x, radius_z = wide + bulge - 0.6 * t, 9.6 + bulge - 1.6 * t
    points = np.stack([radius_x * np.sin(angle), y, -1.6 - 0.8 * t + radius_z * np.cos(angle)], axis=-1)
    temperature = hair_temperature(subject, ambient) + 0.9 * texture - 0.8 * t
    ends = 1 - 0.09 * (1 + texture)
    keep = np.minimum(
        smoothstep(ends - t, -0.08, 0.08), smoothstep(1 - np.abs(around) - 0.05 * (1 + texture), -0.06, 0.06)
    )
    share = 1 - 0.8 * smoothstep(y, 8, 22)
    return points.astype(np.float32), temperature.astype(np.float32), keep.astype(np.float32), share


def person_surfaces(
    subject: Subject, clothes: Clothes, state: FrameState, ambient: float, shift: float
) -> tuple[list[Surface], np.ndarray]:
    """A posed person, with all that is worn and held.

    Args:
        subject: the person.
        clothes: of the sequence.
        state: pose, expression, breath.
        ambient: deg C.
        shift: deg C, the whole skin warmer or cooler than at rest.

    Returns:
        the surfaces, and the bare face (ROWS, COLUMNS, 3), cm, of which the landmarks are points; camera coordinates.
    """
    pose = state.pose
    face, head, temperature = head_surface(subject, state, ambient, shift)
    with_head = [
        Surface(head, temperature, closed=True),
        *accessory_surfaces(clothes.accessories, head, ambient, state.breath),
    ]
    with_head += [Surface(points, values + shift) for points, values in ear_surfaces(subject, ambient)]
    if state.holds is not None:
        with_head += handheld_surfaces(face, ambient, np.random.default_rng(state.holds))
    surfaces = [replace(item, points=apply_pose(item.points, pose)) for item in with_head]

    points, values, share = neck_surface(subject, clothes, shift)
    surfaces.append(Surface(apply_pose(points, pose, share), values, closed=True))
    points, values = torso_surface(subject, clothes, shift)
    surfaces.append(Surface(apply_pose(points, pose, np.zeros(points.shape[:2])), values, closed=True))
    if subject.long_hair is not None:
        points, values, keep, share = hanging_hair(subject, subject.long_hair, ambient)
        surfaces.append(Surface(apply_pose(points, pose, share), values, keep))
    return surfaces, apply_pose(face, pose)
