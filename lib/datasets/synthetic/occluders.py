"""What hides a face: glasses, masks, hats, hands, cups, phones. Labels ignore all of them, as in the real database.

Everything is built in head coordinates at rest (cm, see :mod:`mean_face`) and moves with the head.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from lib.datasets.synthetic.mean_face import COLUMNS, ROWS, mean_head, sample, sites_of
from lib.datasets.synthetic.noise import fractal_noise, smooth_noise, smoothstep
from lib.datasets.synthetic.raster import Surface

_SKULL = np.array([0.0, -1.5, -1.0], np.float32)


@dataclass(frozen=True)
class Accessories:
    """What a person wears on the head during a sequence.

    Attributes:
        glasses, mask, hat: whether.
        seed: of their form and temperature.
    """

    glasses: bool = False
    mask: bool = False
    hat: bool = False
    seed: int = 0


def draw_accessories(rng: np.random.Generator) -> Accessories:
    """Draw what is worn in unconstrained surroundings, often nothing."""
    glasses, mask, hat = rng.random(3) < (0.35, 0.15, 0.2)
    return Accessories(bool(glasses), bool(mask), bool(hat), int(rng.integers(2**32)))


def worn(accessories: Accessories, head: np.ndarray, ambient: float, breath: float) -> list[Surface]:
    """Surfaces of glasses, mask and hat.

    Args:
        accessories: which.
        head: the head in its expression, with hair, (ROWS, COLUMNS, 3), cm.
        ambient: deg C.
        breath: -1 in (cools a mask) to 1 out (warms it).
    """
    surfaces = []
    for number, (wanted, build) in enumerate(
        ((accessories.glasses, _glasses), (accessories.mask, _mask), (accessories.hat, _hat))
    ):
        if wanted:
            surfaces += build(head, ambient, breath, np.random.default_rng([accessories.seed, number]))
    return surfaces


def _between(ambient: float, share: float, warm: float = 33.0) -> float:
    return ambient + share * (warm - ambient)


def _glasses(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """Two opaque lenses in a frame, and arms to the ears."""
    lens, rim = _between(ambient, rng.uniform(0.25, 0.5)), _between(ambient, rng.uniform(0.4, 0.65))
    half_width, half_height, power = rng.uniform(2.3, 2.9), rng.uniform(1.6, 2.4), rng.uniform(2.2, 5.0)
    bridge = sample(head, sites_of(np.array([0.0, -0.3, 8.8])))
    u, v = np.meshgrid(np.linspace(-1.1, 1.1, 70), np.linspace(-1.1, 1.1, 60))
    radius = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    surfaces = []
    for side in (-1.0, 1.0):
        x = side * (half_width + 0.85 + half_width * u)
        y = bridge[1] + 0.55 + half_height * v
        z = bridge[2] + 0.55 - 0.035 * x**2
        field = lens + 0.6 * v + 0.4 * u * side + (rim - lens) * smoothstep(radius, 0.88, 0.93)
        surfaces.append(_surface(x, y, z, field, 0.5 + 1.02 - radius, mirrored=ambient))
        t, across = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-0.25, 0.25, 6), indexing="ij")
        hinge = np.array([side * (2 * half_width + 0.8), bridge[1] - 0.3, z[30, -1 if side > 0 else 0]])
        ear = np.array([side * 7.7, bridge[1] + 0.2, -1.2])
        arm = hinge + t[..., None] * (ear - hinge)
        arm[..., 0] += side * 0.9 * np.sin(np.pi * t) ** 0.7
        surfaces.append(_surface(arm[..., 0], arm[..., 1] + across, arm[..., 2], rim + 0 * t))
    t, across = np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-0.2, 0.2, 6), indexing="ij")
    surfaces.append(
        _surface(1.1 * t, bridge[1] - 0.2 + across - 0.25 * (1 - t**2), bridge[2] + 0.65 + 0 * t, rim + 0 * t)
    )
    return surfaces


def _surface(x: np.ndarray, y: np.ndarray, z: np.ndarray, temperature: np.ndarray, keep=None, **options) -> Surface:
    points = np.stack([x, y, z], axis=-1).astype(np.float32)
    keep = None if keep is None else keep.astype(np.float32)
    return Surface(points, temperature.astype(np.float32), keep, **options)


def _mask(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """A face mask from the bridge of the nose, or from below the nose, to the chin; it warms with the breath."""
    x, y, z = np.moveaxis(mean_head().points, -1, 0)
    top = rng.choice([rng.uniform(1.2, 2.6), 5.2], p=(0.8, 0.2)) + 0.05 * x**2
    side = np.abs(x) - rng.uniform(5.0, 6.2)
    sheet = (z > 0) * np.minimum(smoothstep(y - top, -0.3, 0.3), smoothstep(side, 0.3, -0.3))
    strap = np.minimum(np.abs(y - 2.6), np.abs(y - 7.6 + 0.25 * np.maximum(side, 0))) - 0.02 * np.abs(x)
    strap = smoothstep(strap, 0.25, 0.1) * (side > -0.5) * (z > -1.0)
    cloth = cv2.GaussianBlur(head, (0, 0), 9, borderType=cv2.BORDER_REPLICATE)
    outward = _outward(head)
    cloth = outward * np.maximum((cloth * outward).sum(-1), (head * outward).sum(-1))[..., None] + outward * 0.5
    cloth += head - outward * (head * outward).sum(-1, keepdims=True)
    pleats = 0.35 * np.cos(y * rng.uniform(2.0, 4.0)) * (np.abs(x) < 5)
    wet = np.exp(-0.5 * ((x / 2.6) ** 2 + ((y - 5.8) / 2.2) ** 2))
    field = _between(ambient, rng.uniform(0.5, 0.75)) + pleats + 0.3 * smooth_noise(rng, (ROWS, COLUMNS), (20, 30))
    field = field + (0.6 + 1.6 * breath) * wet
    keep = np.maximum(sheet, strap)
    return [Surface(cloth.astype(np.float32), field.astype(np.float32), keep.astype(np.float32), closed=True)]


def _outward(head: np.ndarray) -> np.ndarray:
    offset = head - _SKULL
    return offset / np.linalg.norm(offset, axis=-1, keepdims=True)


def _hat(head: np.ndarray, ambient: float, breath: float, rng: np.random.Generator) -> list[Surface]:
    """A woollen hat, or a cap with its peak."""
    wool = rng.random() < 0.5
    points, azimuth = mean_head().points, mean_head().azimuth
    line = rng.uniform(-6.2, -4.2) + (rng.uniform(2.5, 5.0) if wool else 1.5) * smoothstep(np.abs(azimuth), 0.5, 1.9)
    cover = smoothstep(line - points[..., 1], -0.15, 0.15)
    knit = 0.25 * np.cos(COLUMNS * azimuth / 8) if wool else np.zeros(COLUMNS)
    field = _between(ambient, rng.uniform(0.3, 0.55)) + knit + 0.5 * fractal_noise(rng, (ROWS, COLUMNS), (8, 12))
    field += 1.2 * np.exp(-np.maximum(line - points[..., 1], 0) / 1.5)
    shell = cv2.GaussianBlur(head, (0, 0), 6, borderType=cv2.BORDER_REPLICATE) + _outward(head) * (1.1 if wool else 0.7)
    surfaces = [Surface(shell.astype(np.float32), field.astype(np.float32), cover.astype(np.float32), closed=True)]
    if not wool:
        surfaces.append(_peak(head, float(line[COLUMNS // 2]), _between(ambient, rng.uniform(0.2, 0.4)), rng))
    return surfaces


def _peak(head: np.ndarray, line: float, temperature: float, rng: np.random.Generator) -> Surface:
    """The peak of a cap over the forehead at height ``line`` (cm)."""
    out, angle = np.meshgrid(np.linspace(0, 1, 40), np.linspace(-1.05, 1.05, 90), indexing="ij")
    front = sample(head, sites_of(np.array([0.0, line, 9.4])))
    reach = rng.uniform(5.0, 7.0) * out * np.cos(angle * 1.3)
    x, z = 7.6 * np.sin(angle) * (1 + 0.08 * out), front[2] - 8.6 * (1 - np.cos(angle)) + 0.4 + reach
    y = front[1] - 0.2 + rng.uniform(0.15, 0.45) * reach + 0.9 * np.sin(angle) ** 2
    return _surface(x, y, z, temperature + 0.8 * (1 - out))


_HELD = ("hand", "cup", "phone")


def held(head: np.ndarray, ambient: float, rng: np.random.Generator) -> list[Surface]:
    """A hand on the face, a cup at the mouth, or a phone at the ear, each with its hand."""
    kind, side = rng.choice(_HELD, p=(0.5, 0.25, 0.25)), float(rng.choice((-1.0, 1.0)))
    warmth = float(rng.uniform(29, 33.5) + 0.2 * min(ambient - 18, 0) + 0.2 * max(ambient - 26, 0))
    if kind == "hand":
        spot = np.array(
            [(0, 7.3, 9.5), (side * 3, 9, 7), (side * 4, 4, 7), (side * 3, 0, 7.5), (0, 4, 11), (side * 3, -5, 9)]
        )
        tips = _on_face(head, spot[rng.integers(len(spot))] + rng.normal(0, 0.7, 3))
        return _hand(tips, side, warmth, float(rng.uniform(-0.3, 1.2)), rng)
    if kind == "cup":
        mouth = _on_face(head, np.array([0.0, 7.4, 9.5]))
        heat = float(rng.uniform(36, 48) if rng.random() < 0.75 else rng.uniform(8, 15))
        centre = mouth + np.array([rng.normal(0, 0.8), rng.uniform(2.5, 6.0), 4.5])
        return _cup(centre, heat, ambient, rng) + _hand(
            centre + (-side * 2.5, 0.5, 3.2), side, warmth, float(rng.uniform(0.9, 1.4)), rng
        )
    ear = _on_face(head, np.array([side * 7.1, 1.7, -0.7])) + np.array([side * 2.0, 0.0, 1.0])
    return _phone(ear, side, float(_between(ambient, 0.5) + rng.uniform(0, 6)), rng) + _hand(
        ear + np.array([side * 1.2, 0.5, 3.0]), side, warmth, float(rng.uniform(0.0, 0.3)), rng
    )


def _on_face(head: np.ndarray, point: np.ndarray) -> np.ndarray:
    return sample(head, sites_of(point))


def _tube(path: np.ndarray, radius: np.ndarray, flat: float, temperature: np.ndarray) -> Surface:
    """A round tube along a path (k, 3) of radii (k,), ``flat`` times as deep as wide; closed by radii near 0."""
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    side = np.cross(tangent, (0.0, 0.0, 1.0))
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    up = np.cross(side, tangent)
    angle = np.linspace(-np.pi, np.pi, 28)
    ring = np.sin(angle)[:, None] * side[:, None] + flat * np.cos(angle)[:, None] * up[:, None]
    points = path[:, None] + radius[:, None, None] * ring
    field = np.broadcast_to(temperature[:, None], points.shape[:2])
    return Surface(points.astype(np.float32), np.ascontiguousarray(field, dtype=np.float32))


def _hand(tips: np.ndarray, side: float, warmth: float, lean: float, rng: np.random.Generator) -> list[Surface]:
    """A hand whose middle fingertip is near ``tips``, with its forearm.

    Args:
        tips: cm.
        side: -1 or 1, the side that it comes from.
        warmth: of the palm, deg C; fingertips are often cooler.
        lean: rad from upright towards the other side.
        rng: source of the fingers' positions.
    """
    along = np.array([-side * np.sin(lean), -np.cos(lean), 0.12])
    across = np.array([np.cos(lean), -side * np.sin(lean), 0.0])
    t = np.linspace(0, 1, 40)
    cap = np.sqrt(np.clip(1 - ((np.abs(t - 0.5) - 0.4) / 0.1).clip(0) ** 2, 0, 1))
    palm_end = tips - 8.0 * along + (0.0, 0.0, 1.3)
    tip_cooler = rng.uniform(0, 3.0)
    fingers = []
    for finger, length in enumerate((7.0, 8.0, 7.6, 6.0)):
        offset = (finger - 1.5) * rng.uniform(1.7, 2.1)
        start = palm_end + across * offset * 0.95
        end = start + along * length + across * offset * rng.uniform(-0.1, 0.25)
        path = start + t[:, None] * (end - start)
        path[:, 2] += 0.9 * np.sin(np.pi * t) - 0.5 * t
        fingers.append(_tube(path, (0.95 - 0.22 * t) * cap, 0.9, warmth - tip_cooler * t**1.5))
    wrist = palm_end - 8.5 * along
    palm = palm_end + along * 1.0 + t[:, None] * (wrist - palm_end - along)
    width = np.interp(t, (0, 0.15, 0.6, 1), (3.6, 4.2, 4.0, 2.7)) * np.sqrt(
        np.clip(1 - ((0.12 - t) / 0.12).clip(0) ** 2, 0, 1)
    )
    thumb_start, thumb_end = palm[28] - side * across * 2.5, palm[6] - side * across * rng.uniform(4.5, 6.5)
    thumb = thumb_start + t[:, None] * (thumb_end - thumb_start) + np.outer(np.sin(np.pi * t), (0, 0, 0.8))
    elbow = wrist + np.array([side * rng.uniform(3, 12), 20.0, rng.uniform(-2, 4)])
    arm = wrist + t[:, None] * (elbow - wrist)
    sleeve = rng.uniform(0.15, 0.9)
    return [
        *fingers,
        _tube(palm, width, 0.38, warmth + 0.5 * np.sin(np.pi * t)),
        _tube(thumb, (1.3 - 0.45 * t) * cap, 0.9, warmth - 0.7 * tip_cooler * t**1.5),
        _tube(arm, 2.7 + 1.6 * t + 0.5 * (t > sleeve), 0.8, np.where(t > sleeve, warmth - 3.0, warmth + 0.3)),
    ]


def _cup(centre: np.ndarray, heat: float, ambient: float, rng: np.random.Generator) -> list[Surface]:
    """A cup, filled to some level, tilted or upright, without a handle."""
    t, angle = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-np.pi, np.pi, 90), indexing="ij")
    radius, level = rng.uniform(3.3, 4.2) * (1 - 0.18 * t), rng.uniform(0.05, 0.5)
    wall = _between(ambient, rng.uniform(0.6, 0.9), heat)
    field = wall + (_between(ambient, 0.3, heat) - wall) * smoothstep(t, level + 0.06, level - 0.06)
    x, y, z = radius * np.sin(angle), 9.5 * (t - 0.5), radius * np.cos(angle)
    tilt = rng.uniform(0.0, 0.6)
    y, z = y * np.cos(tilt) - z * np.sin(tilt), z * np.cos(tilt) + y * np.sin(tilt)
    body = _surface(centre[0] + x, centre[1] + y, centre[2] + z, field, closed=True)
    return [replace(body, emissivity=0.94)]


def _phone(ear: np.ndarray, side: float, heat: float, rng: np.random.Generator) -> list[Surface]:
    """A flat telephone beside the ear, seen from outside and on its edge."""
    v, around = np.meshgrid(np.linspace(-1, 1, 70), np.linspace(-np.pi, np.pi, 80), indexing="ij")
    c, s = np.cos(around), np.sin(around)
    deep, thick = 3.6 * np.sign(c) * np.abs(c) ** 0.35, 0.5 * np.sign(s) * np.abs(s) ** 0.35
    tilt = rng.uniform(0.1, 0.4)
    y, z = 7.4 * v * np.cos(tilt) + deep * np.sin(tilt), deep * np.cos(tilt) + 7.4 * v * np.sin(tilt) + 1.5
    warm = 2.0 * np.exp(-(((v + 0.5) / 0.4) ** 2))
    return [_surface(ear[0] + thick + side * 0.25 * (y + 7), ear[1] + y + 2.0, ear[2] + z, heat + warm, emissivity=0.9)]
