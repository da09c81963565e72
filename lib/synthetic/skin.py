"""The temperature of the skin of a head: regions, vessels, features, hair; deg C on the head's grid.

Regional means and spreads are those of resting adults in a room of 18 to 26 deg C: forehead 33.4 +- 0.8, inner
canthus 34.3 +- 0.7, outer canthus 32.8 +- 0.7, cheek about 32, nose tip 28 to 33, lips 33 to 35.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lib.synthetic.mean_head import COLUMNS, ROWS, mean_head
from lib.synthetic.noise import fractal_noise, smooth_noise, smoothstep


@dataclass(frozen=True)
class SkinTemperatures:
    """What one person's skin measures at rest, deg C.

    Attributes:
        forehead, inner_canthus, outer_canthus, cheek, nose, lips, neck: of the regions.
        eye: of the eye between its lids, relative to the mean of the canthi.
        eye_cover: how much of the eye is of that temperature, 0..1; of the rest, what surrounds it is.
        mouth: of the opening between the lips, relative to them; breath adds up to 0.9 either way.
        nostril: relative to the nose; breath adds up to 1.6 either way.
    """

    forehead: float
    inner_canthus: float
    outer_canthus: float
    cheek: float
    nose: float
    lips: float
    neck: float
    eye: float = -0.95
    eye_cover: float = 0.9
    mouth: float = 0.5
    nostril: float = 1.0


def draw_skin(rng: np.random.Generator) -> SkinTemperatures:
    """Draw a person; a shared part makes warm people warm all over, the totals keep the stated spreads."""
    shared = rng.normal(0, 0.45)

    def draw(mean: float, deviation: float) -> float:
        own = np.sqrt(max(deviation**2 - 0.45**2, 0.0))
        return float(mean + np.clip(shared + rng.normal(0, own), -2 * deviation, 2 * deviation))

    forehead, cheek = draw(33.4, 0.75), draw(32.0, 0.6)
    return SkinTemperatures(
        forehead=forehead,
        inner_canthus=max(draw(34.3, 0.6), forehead + 0.2),
        outer_canthus=draw(32.8, 0.65),
        cheek=cheek,
        nose=float(rng.uniform(28.4, 32.7)),
        lips=float(np.clip(draw(34.0, 0.5), 33.0, 35.0)),
        neck=draw(34.0, 0.6),
    )


# A site pulls the skin near it (cm, Gaussian of the size) to a mix of the person's temperatures plus an offset.
# Sites with x < 0 are mirrored.
_SITES: tuple[tuple[tuple[float, float, float], float, dict[str, float], float], ...] = (
    ((0, -5.0, 9.4), 2.0, {"forehead": 1}, 0.05),
    ((-3.6, -4.8, 8.3), 1.7, {"forehead": 1}, 0.0),
    ((0, -8.6, 7.2), 2.2, {"forehead": 1}, -0.2),
    ((-5.0, -8.0, 4.0), 3.0, {"forehead": 1}, -0.3),
    ((-6.4, -2.6, 4.2), 1.4, {"forehead": 1}, 0.3),
    ((0, -2.5, 9.4), 0.9, {"forehead": 1}, 0.25),
    ((-1.75, 0.1, 7.5), 0.42, {"inner_canthus": 1}, 0.25),
    ((-1.3, -0.8, 8.0), 0.6, {"inner_canthus": 1}, -0.3),
    ((-3.1, -1.3, 7.8), 0.7, {"inner_canthus": 0.6, "outer_canthus": 0.4}, 0.0),
    ((-4.75, 0.1, 6.4), 0.6, {"outer_canthus": 1}, 0.3),
    ((-3.1, 1.1, 7.5), 0.6, {"outer_canthus": 0.5, "cheek": 0.5}, 0.5),
    ((0, 0.6, 9.2), 0.7, {"forehead": 0.7, "nose": 0.3}, 0.0),
    ((0, 2.0, 10.2), 0.8, {"nose": 0.5, "cheek": 0.5}, 0.0),
    ((0, 3.7, 11.2), 1.0, {"nose": 1}, -0.2),
    ((-1.6, 4.1, 9.6), 0.6, {"nose": 0.8, "cheek": 0.2}, 0.2),
    ((-1.7, 2.4, 8.4), 0.6, {"cheek": 1}, 0.7),
    ((-2.5, 4.9, 8.3), 0.7, {"cheek": 1}, 0.6),
    ((-4.5, 3.2, 6.7), 1.5, {"cheek": 1}, -0.15),
    ((-4.8, 6.2, 5.3), 1.5, {"cheek": 1}, 0.1),
    ((-6.2, 4.6, 3.0), 1.4, {"cheek": 1}, 0.4),
    ((-6.9, 1.5, 0.3), 1.3, {"cheek": 0.5, "neck": 0.5}, 0.3),
    ((0, 5.9, 9.7), 0.7, {"lips": 0.5, "cheek": 0.5}, 0.0),
    ((-2.8, 7.4, 7.8), 0.7, {"lips": 0.5, "cheek": 0.5}, 0.3),
    ((0, 9.1, 8.6), 0.6, {"lips": 0.4, "cheek": 0.6}, 0.2),
    ((0, 10.4, 8.8), 1.1, {"cheek": 1}, 0.1),
    ((-3.4, 9.7, 6.3), 1.4, {"cheek": 1}, 0.3),
    ((-5.6, 8.2, 2.5), 1.4, {"cheek": 0.6, "neck": 0.4}, 0.0),
    ((0, 12.2, 5.0), 1.8, {"neck": 1}, 0.2),
    ((-4.6, 10.6, 1.5), 1.8, {"neck": 1}, 0.1),
    ((-6.4, 7.0, -1.0), 1.6, {"neck": 1}, 0.2),
    ((0, 0.0, -10), 7.0, {"neck": 1}, -0.3),
)
_HALF = (ROWS // 2, COLUMNS // 2)


@lru_cache(maxsize=1)
def _site_weights() -> np.ndarray:
    """Normalised influence of each site, float32 (sites, ROWS / 2, COLUMNS / 2); a kernel regression."""
    points = cv2.resize(mean_head().points, _HALF[::-1], interpolation=cv2.INTER_AREA)
    weights = np.zeros((len(_SITES), *_HALF), np.float32)
    for weight, (centre, size, _, _) in zip(weights, _SITES, strict=True):
        for side in (-1.0, 1.0) if centre[0] else (1.0,):
            squares = ((points - np.array(centre, np.float32) * np.array((side, 1, 1), np.float32)) ** 2).sum(-1)
            weight += np.exp(-0.5 * squares / size**2) / size
    weights += 1e-12
    return weights / weights.sum(0)


@lru_cache(maxsize=1)
def feature_masks() -> dict[str, np.ndarray]:
    """Soft masks of brows, eyes, lips, mouth and nostrils on the grid; float32 (ROWS, COLUMNS) in 0..1."""
    head = mean_head()
    x, y, z = np.moveaxis(head.points, -1, 0)
    front = smoothstep(z, 3.0, 5.0)
    brow = np.maximum(_drawn([17, 18, 19, 20, 21], width=9), _drawn([22, 23, 24, 25, 26], width=9))
    lips, mouth = _drawn(list(range(48, 60))), _drawn(list(range(60, 68)))
    nostril = np.exp(-0.5 * (((np.abs(x) - 0.8) / 0.32) ** 2 + ((y - 4.85) / 0.22) ** 2))
    return {
        "brow": cv2.GaussianBlur(brow, (0, 0), 2.0),
        "eye": cv2.GaussianBlur(np.maximum(_drawn(range(36, 42)), _drawn(range(42, 48))), (0, 0), 1.2),
        "lips": cv2.GaussianBlur(lips, (0, 0), 2.5),
        "mouth": cv2.GaussianBlur(mouth, (0, 0), 0.7),
        "nostril": (nostril * front).astype(np.float32),
    }


def _drawn(indices: list[int] | range, width: int = 0) -> np.ndarray:
    """A polygon of landmarks on the grid, or with ``width`` a line of that many rows; float32 0..1."""
    sites = mean_head().landmark_sites[list(indices)][:, ::-1]
    corners = np.rint(sites * 16).astype(np.int32)[None]
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    if width:
        cv2.polylines(mask, corners, False, 255, width, cv2.LINE_AA, 4)
    else:
        cv2.fillPoly(mask, corners, 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def skin_field(skin: SkinTemperatures, shape: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A person's bare skin, without eyes, brows and lips: float32 (ROWS, COLUMNS), deg C.

    Args:
        skin: the regional temperatures.
        shape: the person's head at rest (ROWS, COLUMNS, 3), cm; hollows are warmer than ridges.
        rng: source of vessels and irregularities.
    """
    values = [sum(getattr(skin, key) * part for key, part in mix.items()) + more for _, _, mix, more in _SITES]
    coarse = np.einsum("k,krc->rc", np.array(values, np.float32), _site_weights())
    field = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR)

    radius = np.linalg.norm(shape, axis=-1)
    for scale, strength in ((12, 0.8), (4, 2.2)):
        hollow = strength * (cv2.GaussianBlur(radius, (0, 0), scale) - radius)
        field += 0.4 * np.tanh(hollow / 0.4)

    field += 0.28 * smooth_noise(rng, (ROWS, COLUMNS), (10, 14)) + 0.12 * fractal_noise(rng, (ROWS, COLUMNS), (28, 40))
    field += rng.uniform(0.3, 0.8) * _vessels(rng)
    return field


def _vessels(rng: np.random.Generator) -> np.ndarray:
    """Winding warm lines under the skin of forehead, temples and cheeks, 0..1, faint in most places."""
    bend = smooth_noise(rng, (ROWS, COLUMNS), (9, 12))
    ridge = 1 - np.abs(smooth_noise(rng, (ROWS, COLUMNS), (11, 16)) + 0.5 * bend) / 0.16
    where = np.clip(0.5 + smooth_noise(rng, (ROWS, COLUMNS), (6, 8)), 0, 1)
    return cv2.GaussianBlur(np.clip(ridge, 0, 1) * where, (0, 0), 2.0).astype(np.float32)


def add_features(field: np.ndarray, skin: SkinTemperatures, brow: np.ndarray, breath: float) -> np.ndarray:
    """Put eyes, brows, lips, mouth and nostrils on bare skin.

    Args:
        field: bare skin (ROWS, COLUMNS), deg C.
        skin: the regional temperatures.
        brow: how much cooler than the skin the brows' hair is (ROWS, COLUMNS), deg C.
        breath: -1 breathing in (cool nostrils) to 1 breathing out (warm).
    """
    masks = feature_masks()
    field = field - masks["brow"] * brow
    eye = 0.55 * skin.inner_canthus + 0.45 * skin.outer_canthus + skin.eye
    field += skin.eye_cover * masks["eye"] * (eye - field)
    field += 0.85 * masks["lips"] * (skin.lips - field)
    field += 0.9 * masks["mouth"] * (skin.lips + skin.mouth + 0.9 * breath - field)
    nostril = skin.nose + skin.nostril + 1.6 * breath
    return field + 0.75 * masks["nostril"] * (nostril - field)
