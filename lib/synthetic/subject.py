"""A person: the head's shape, skin, hair and beard, all drawn once and kept over all frames."""

from dataclasses import dataclass

import cv2
import numpy as np

from lib.synthetic.face import draw_identity, head_shape
from lib.synthetic.mean_head import COLUMNS, ROWS, mean_head
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep
from lib.synthetic.skin import SkinTemperatures, draw_skin, feature_masks, skin_field


@dataclass(frozen=True)
class Subject:
    """One person. Grids are float32 (ROWS, COLUMNS) over the head (see :mod:`mean_head`).

    Attributes:
        shape: the head at rest (ROWS, COLUMNS, 3), cm.
        skin: regional temperatures, deg C.
        bare_skin: the skin's temperature without features, deg C.
        brow: how much the brows cool the skin, deg C.
        hair: cover of the head by hair, 0..1, and ``hair_depth``, its thickness, cm.
        beard: cover by beard, 0..1, and ``beard_depth``, cm, its thickness where it is full.
        strands: irregularity of the hair's temperature, about -1..1.
        hair_warmth: where hair lies between the air's (0) and the scalp's (1) temperature.
        long_hair: cm that the hair hangs below the eyes, None for short hair.
        build: half the width of the shoulders, cm.
        neck: the neck's girth relative to the mean.
        ears: how far the ears stand out, rad, and ``ear_size``, relative to the mean.
    """

    shape: np.ndarray
    skin: SkinTemperatures
    bare_skin: np.ndarray
    brow: np.ndarray
    hair: np.ndarray
    hair_depth: np.ndarray
    beard: np.ndarray
    beard_depth: float
    strands: np.ndarray
    hair_warmth: float
    long_hair: float | None
    build: float
    neck: float
    ears: float
    ear_size: float


def draw_subject(rng: np.random.Generator) -> Subject:
    """Draw a person from a generator that belongs to that person alone."""
    skin = draw_skin(rng)
    shape = head_shape(draw_identity(rng), rng)
    bare_skin = skin_field(skin, shape, rng)
    woman = rng.random() < 0.45
    style = rng.choice(
        ["bald", "cropped", "short", "long"], p=(0.02, 0.06, 0.32, 0.6) if woman else (0.12, 0.3, 0.5, 0.08)
    )
    hair, depth = _hair(rng, style, receding=not woman)
    beard, beard_depth = (np.zeros((ROWS, COLUMNS), np.float32), 0.0) if woman else _beard(rng)
    brow = rng.uniform(0.8, 2.0) * np.clip(0.85 + 0.25 * fractal_noise(rng, (ROWS, COLUMNS), (40, 60)), 0.2, 1.4)
    return Subject(
        shape=shape,
        skin=skin,
        bare_skin=bare_skin,
        brow=brow.astype(np.float32),
        hair=hair,
        hair_depth=depth,
        beard=beard,
        beard_depth=beard_depth,
        strands=_strands(rng),
        hair_warmth=float(rng.uniform(0.68, 0.8) if style == "cropped" else rng.uniform(0.4, 0.62)),
        long_hair=float(rng.uniform(8, 24)) if style == "long" else None,
        build=float(rng.normal(18.5, 1.2) if woman else rng.normal(21, 1.5)),
        neck=float(np.clip(rng.normal(0.92 if woman else 1.03, 0.05), 0.8, 1.2)),
        ears=float(rng.uniform(0.3, 0.75)),
        ear_size=float(np.clip(rng.normal(1.0, 0.07), 0.85, 1.2)),
    )


# The hairline of the mean head: azimuth (degrees) from the nose to the nape, and its height y, cm.
_HAIRLINE_AZIMUTH = (0, 20, 33, 44, 52, 60, 70, 80, 88, 98, 108, 130, 180)
_HAIRLINE_Y = (-7.3, -7.2, -7.5, -6.6, -5.0, -3.2, -1.2, 0.8, 1.4, -1.0, 1.5, 6.0, 7.5)


def _hair(rng: np.random.Generator, style: str, receding: bool) -> tuple[np.ndarray, np.ndarray]:
    """Cover (0..1) and thickness (cm) of the hair on the head's grid."""
    head = mean_head()
    azimuth = np.degrees(head.azimuth)
    line = np.interp(np.abs(azimuth), _HAIRLINE_AZIMUTH, _HAIRLINE_Y) + rng.normal(0, 0.35)
    if receding:
        temples = np.exp(-0.5 * ((np.abs(azimuth) - 33) / 9) ** 2)
        line -= rng.choice([0.0, 1.0, 2.2], p=(0.5, 0.3, 0.2)) * (0.5 * np.exp(-0.5 * (azimuth / 45) ** 2) + temples)
    if style in ("short", "long") and rng.random() < (0.55 if style == "long" else 0.35):
        line += _fringe(rng, azimuth)
    line = cv2.GaussianBlur(line[None].astype(np.float32), (0, 0), 3)[0]

    ragged = 0.45 * smooth_noise(rng, (ROWS, COLUMNS), (5, 28)) + 0.3 * smooth_noise(rng, (ROWS, COLUMNS), (12, 130))
    within = line - head.points[..., 1] + ragged
    cover = smoothstep(within, -0.5, 0.7).astype(np.float32)
    if style == "bald":
        cover *= smoothstep(np.abs(azimuth), 55, 85) * smoothstep(head.points[..., 1], -8, -4) * rng.uniform(0, 0.7)
    full = {"bald": 0.15, "cropped": 0.35, "short": rng.uniform(0.8, 2.0), "long": rng.uniform(0.8, 1.6)}[style]
    tufts = 1 + 0.25 * _off_crown() * fractal_noise(rng, (ROWS, COLUMNS), (8, 12))
    crown = 0.7 + 0.5 * smoothstep(-head.points[..., 1], 4, 11)
    depth = full * tufts * crown * (1 - np.exp(-np.maximum(within, 0) / 1.2)) * cover
    return cover, depth.astype(np.float32)


def _fringe(rng: np.random.Generator, azimuth: np.ndarray) -> np.ndarray:
    """How far hair falls over the forehead, cm per column."""
    drop, parting = rng.uniform(1.2, 3.6), rng.uniform(-25, 25)
    fall = drop * np.exp(-0.5 * (np.maximum(np.abs(azimuth) - 35, 0) / 9) ** 2)
    if rng.random() < 0.5:  # parted: open at the parting
        fall *= 1 - 0.9 * np.exp(-0.5 * ((azimuth - parting) / 10) ** 2)
    return fall


def _beard(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Cover (0..1) and full thickness (cm) of a beard, often none or stubble."""
    kind = rng.choice(["none", "stubble", "full"], p=(0.45, 0.3, 0.25))
    if kind == "none":
        return np.zeros((ROWS, COLUMNS), np.float32), 0.0
    x, y, z = np.moveaxis(mean_head().points, -1, 0)
    line = np.interp(np.abs(x), (0, 1.5, 3, 5, 6.5, 7.2), (5.6, 5.7, 6.2, 6.0, 4.0, 1.5))
    cover = smoothstep(y - line + 0.3 * smooth_noise(rng, (ROWS, COLUMNS), (20, 30)), -0.3, 0.8) * smoothstep(
        z, -1.5, 0.5
    )
    cover *= 1 - feature_masks()["lips"]
    thick = rng.uniform(0.4, 0.75) if kind == "stubble" else rng.uniform(0.85, 1.0)
    texture = np.clip(0.85 + 0.25 * fractal_noise(rng, (ROWS, COLUMNS), (45, 70)), 0, 1)
    return (thick * cover * texture).astype(np.float32), 0.05 if kind == "stubble" else float(rng.uniform(0.3, 1.2))


def _strands(rng: np.random.Generator) -> np.ndarray:
    """Streaks along the hair, float32 (ROWS, COLUMNS)."""
    fine = smooth_noise(rng, (ROWS, COLUMNS), (8, 150)) + 0.7 * smooth_noise(rng, (ROWS, COLUMNS), (16, 70))
    return (_off_crown() * (0.6 * fine + 0.7 * smooth_noise(rng, (ROWS, COLUMNS), (7, 9)))).astype(np.float32)


def _off_crown() -> np.ndarray:
    """0 at the grid's poles, where all columns meet, 1 elsewhere; float32 (ROWS, 1)."""
    return smoothstep(np.cos(mean_head().elevation), 0.04, 0.4)[:, None].astype(np.float32)
