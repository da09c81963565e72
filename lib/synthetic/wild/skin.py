"""Skin as cameras of any kind show it: what is warmer than what differs from person to person and from hour to hour.

Every difference is drawn with either sign, at least twice as widely as it was measured in real frames: emissivity,
moisture, blood flow, wind and the hour make lips colder or warmer than cheeks, noses the coldest or the warmest part,
sockets bright with hardly an eye in them.
"""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from lib.synthetic.annotation import annotated_landmarks
from lib.synthetic.mean_head import COLUMNS, ROWS, grid_sites, mean_head
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep
from lib.synthetic.skin import SkinTemperatures, feature_masks, skin_field
from lib.synthetic.subject import Subject, draw_subject

_CONTRAST = (0.3, 1.3)
"""Of the differences within a face: of some faces a camera shows little but an even white."""


def draw_wild_subject(rng: np.random.Generator) -> Subject:
    """A person from a generator that belongs to that person alone."""
    subject = draw_subject(rng)
    contrast = float(np.exp(rng.uniform(*np.log(_CONTRAST))))
    skin = _draw_temperatures(rng, contrast)
    bare = _draw_bare_skin(skin, subject.shape, contrast, rng)
    subject = replace(subject, skin=skin, bare_skin=bare, brow=np.zeros((ROWS, COLUMNS), np.float32))
    return _with_other_hair(subject, rng)


def _draw_bare_skin(skin: SkinTemperatures, shape: np.ndarray, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """The skin of a head with all that is neither lips nor nostrils; float32 (ROWS, COLUMNS), deg C.

    Args:
        skin: regional means.
        shape: the head (ROWS, COLUMNS, 3), cm.
        contrast: a factor of all differences within the face.
        rng: source of patches, sockets, nose, brows.
    """
    bare = skin_field(skin, shape, rng)
    bare = skin.cheek + min(1.0, 1.6 * contrast) * (bare - skin.cheek)
    more = np.zeros((ROWS, COLUMNS), np.float32)
    more += rng.uniform(0.0, 0.7) * smooth_noise(rng, (ROWS, COLUMNS), (9, 13))
    more += _sides(rng) + _patches(rng)
    more += _sockets(rng) * (rng.uniform(0.0, 4.5) if rng.random() < 0.85 else rng.uniform(-1.2, 0.0))
    more += feature_masks()["eye"] * rng.normal(-0.4, 0.7)
    more += _nose(rng) * (rng.normal(-0.8, 2.2) if rng.random() < 0.65 else rng.normal(0.2, 0.4))
    more -= _brows(rng) * (rng.uniform(-0.4, 2.2) if rng.random() < 0.8 else 0.0)
    more += _lips(rng) + _under_chin(rng) * rng.normal(0.0, 1.2)
    return (bare + contrast * more).astype(np.float32)


def _draw_temperatures(rng: np.random.Generator, contrast: float) -> SkinTemperatures:
    """Regional means of a person in some weather, deg C; ``contrast`` is a factor of the differences."""
    cheek = float(rng.normal(32.3, 0.9))

    def draw(more: float, deviation: float, most: float = 2.2) -> float:
        drawn = np.clip(rng.normal(more, deviation), more - most * deviation, more + most * deviation)
        return cheek + contrast * float(drawn)

    forehead = draw(0.9, 1.2)
    nose = draw(-0.9, 1.8) if rng.random() < 0.65 else draw(0.2, 0.4)
    return SkinTemperatures(
        forehead=forehead,
        inner_canthus=max(draw(1.4, 0.9), 0.5 * (forehead + cheek)),
        outer_canthus=draw(0.7, 0.8),
        cheek=cheek,
        nose=nose,
        lips=draw(-0.1, 1.2) if rng.random() < 0.7 else draw(0.0, 0.3),
        neck=cheek + float(np.clip(rng.normal(1.4, 1.8), -2.5, 4.5)),  # as far from the face however even that is
        eye=contrast * float(rng.normal(-0.35, 0.7)),
        eye_cover=float(rng.uniform(0.2, 0.9) if rng.random() < 0.25 else 0.0),
        mouth=contrast * float(rng.uniform(-2.6, 1.0)),
        nostril=contrast * float(rng.uniform(-2.6, 1.6)),
    )


def _with_other_hair(subject: Subject, rng: np.random.Generator) -> Subject:
    """Some have shaved heads or so little hair that it is as warm as the skin; others colder hair and beards."""
    if rng.random() < 0.22 and subject.long_hair is None:
        hair = (subject.hair * rng.uniform(0.0, 0.45)).astype(np.float32)
        subject = replace(subject, hair=hair, hair_depth=(subject.hair_depth * 0.15).astype(np.float32))
    return replace(subject, hair_warmth=float(np.clip(subject.hair_warmth + rng.normal(0.0, 0.2), 0.15, 0.98)))


@lru_cache(maxsize=1)
def _front() -> np.ndarray:
    return smoothstep(mean_head().points[..., 2], 2.0, 5.0).astype(np.float32)


def _blob(centre: tuple[float, float], size: tuple[float, float], power: float, angle: float = 0.0) -> np.ndarray:
    """1 within an ellipse of the front (cm), 0 without; a higher power has sharper edges. float32 (ROWS, COLUMNS)."""
    x, y, _ = np.moveaxis(mean_head().points, -1, 0)
    x, y = x - centre[0], y - centre[1]
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    squares = np.minimum((along / size[0]) ** 2 + (across / size[1]) ** 2, 1e3)
    return (_front() / (1 + squares**power)).astype(np.float32)


def _sides(rng: np.random.Generator) -> np.ndarray:
    """One side warmer than the other, the middle than the sides, top than bottom."""
    x, y, _ = np.moveaxis(mean_head().points, -1, 0)
    field = rng.normal(0, 0.35) * np.tanh(x / 5) + rng.normal(-0.2, 0.6) * (np.abs(x) / 7) ** 2
    return (field + rng.normal(0, 0.35) * np.tanh((y - 3) / 6)).astype(np.float32)


def _patches(rng: np.random.Generator) -> np.ndarray:
    """Large cold, at times warm, patches on the cheeks, alike on both sides or not."""
    if rng.random() < 0.2:
        return np.zeros((ROWS, COLUMNS), np.float32)
    depth = rng.uniform(-3.5, 0.6)
    centre, size, power = np.array((4.2, 3.4)), rng.uniform(0.9, 2.4, 2), rng.uniform(0.8, 2.5)
    total = np.zeros((ROWS, COLUMNS), np.float32)
    for side in (-1.0, 1.0):
        spot = centre + rng.normal(0, (0.8, 0.9))
        strength = depth * rng.uniform(0.2, 1.2)
        total += strength * _blob((side * spot[0], spot[1]), tuple(size), power, side * rng.uniform(-0.9, 0.9))
    return total


def _sockets(rng: np.random.Generator) -> np.ndarray:
    """The hollows of the eyes, from the brows to the cheek bones."""
    size, power = (rng.uniform(1.4, 2.3), rng.uniform(0.8, 1.6)), rng.uniform(1.0, 3.5)
    x, y = 2.95 + rng.normal(0, 0.2), 0.1 + rng.normal(0, 0.25)
    tilt = rng.normal(0.08, 0.15)
    return _blob((-x, y), size, power, -tilt) + _blob((x, y), size, power, tilt)


def _nose(rng: np.random.Generator) -> np.ndarray:
    """The tip and the wings of the nose, at times with the bridge and what lies beside."""
    tip = _blob((0.0, rng.uniform(3.2, 4.6)), (rng.uniform(1.0, 2.2), rng.uniform(0.9, 2.2)), rng.uniform(1.0, 3.0))
    bridge = _blob((0.0, 2.0), (rng.uniform(0.6, 1.3), 2.6), 1.5)
    return np.maximum(tip, bridge * rng.uniform(0, 0.9))


def _brows(rng: np.random.Generator) -> np.ndarray:
    """The brows' hair, above the line that annotators mark, 0..1."""
    total = np.zeros((ROWS, COLUMNS), np.uint8)
    points = annotated_landmarks()
    lift, width = rng.normal(-0.05, 0.12), int(rng.integers(4, 11))
    for brow in (range(17, 22), range(22, 27)):
        sites = grid_sites(points[brow] + (0.0, lift, 0.0))[:, ::-1]
        cv2.polylines(total, np.rint(sites * 16).astype(np.int32)[None], False, 255, width, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(total.astype(np.float32) / 255, (0, 0), rng.uniform(1.2, 3.5))
    return soft * np.clip(0.85 + 0.25 * fractal_noise(rng, (ROWS, COLUMNS), (40, 60)), 0.2, 1.4)


def _lips(rng: np.random.Generator) -> np.ndarray:
    """What surrounds the mouth: the skin above it, below it and beside it, warmer or colder."""
    above = _blob((0.0, 5.9), (rng.uniform(1.2, 2.4), rng.uniform(0.4, 0.8)), 1.5) * rng.normal(0, 0.6)
    below = _blob((0.0, rng.uniform(8.8, 10.6)), (rng.uniform(1.0, 2.4), rng.uniform(0.5, 1.4)), 1.5)
    corners = sum(_blob((side * 2.8, 7.5), (0.8, 0.9), 1.5) for side in (-1.0, 1.0)) * rng.normal(0.2, 0.5)
    return above + below * rng.normal(-0.2, 0.8) + corners


def _under_chin(rng: np.random.Generator) -> np.ndarray:
    """A crescent along the jaw and under the chin."""
    x, y, z = np.moveaxis(mean_head().points, -1, 0)
    line = 11.4 - 0.085 * x**2 + rng.normal(0, 0.4)
    return (np.exp(-0.5 * ((y - line) / rng.uniform(0.4, 1.3)) ** 2) * smoothstep(z, -1, 2)).astype(np.float32)
