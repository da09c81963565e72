"""Handheld things before a face: hands, cups, phones.

Everything is built in head coordinates at rest (cm, see :mod:`mean_head`) and moves with the head.
"""

from dataclasses import replace

import numpy as np

from lib.synthetic.noise import smoothstep
from lib.synthetic.raster import Surface
from lib.synthetic.shapes import blend, make_surface, point_on_head, tube

_HELD = ("hand", "cup", "phone")


def handheld_surfaces(head: np.ndarray, ambient: float, rng: np.random.Generator) -> list[Surface]:
    """A hand on the face, a cup at the mouth, or a phone at the ear, each with its hand."""
    kind, side = rng.choice(_HELD, p=(0.5, 0.25, 0.25)), float(rng.choice((-1.0, 1.0)))
    warmth = float(rng.uniform(29, 33.5) + 0.2 * min(ambient - 18, 0) + 0.2 * max(ambient - 26, 0))
    if kind == "hand":
        spot = np.array(
            [(0, 7.3, 9.5), (side * 3, 9, 7), (side * 4, 4, 7), (side * 3, 0, 7.5), (0, 4, 11), (side * 3, -5, 9)]
        )
        tips = point_on_head(head, spot[rng.integers(len(spot))] + rng.normal(0, 0.7, 3))
        return _hand(tips, side, warmth, float(rng.uniform(-0.3, 1.2)), rng)
    if kind == "cup":
        mouth = point_on_head(head, np.array([0.0, 7.4, 9.5]))
        heat = float(rng.uniform(36, 48) if rng.random() < 0.75 else rng.uniform(8, 15))
        centre = mouth + np.array([rng.normal(0, 0.8), rng.uniform(2.5, 6.0), 4.5])
        return _cup(centre, heat, ambient, rng) + _hand(
            centre + (-side * 2.5, 0.5, 3.2), side, warmth, float(rng.uniform(0.9, 1.4)), rng
        )
    ear = point_on_head(head, np.array([side * 7.1, 1.7, -0.7])) + np.array([side * 2.0, 0.0, 1.0])
    return _phone(ear, side, float(blend(ambient, 0.5) + rng.uniform(0, 6)), rng) + _hand(
        ear + np.array([side * 1.2, 0.5, 3.0]), side, warmth, float(rng.uniform(0.0, 0.3)), rng
    )


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
        fingers.append(tube(path, (0.95 - 0.22 * t) * cap, 0.9, warmth - tip_cooler * t**1.5))
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
        tube(palm, width, 0.38, warmth + 0.5 * np.sin(np.pi * t)),
        tube(thumb, (1.3 - 0.45 * t) * cap, 0.9, warmth - 0.7 * tip_cooler * t**1.5),
        tube(arm, 2.7 + 1.6 * t + 0.5 * (t > sleeve), 0.8, np.where(t > sleeve, warmth - 3.0, warmth + 0.3)),
    ]


def _cup(centre: np.ndarray, heat: float, ambient: float, rng: np.random.Generator) -> list[Surface]:
    """A cup, filled to some level, tilted or upright, without a handle."""
    t, angle = np.meshgrid(np.linspace(0, 1, 60), np.linspace(-np.pi, np.pi, 90), indexing="ij")
    radius, level = rng.uniform(3.3, 4.2) * (1 - 0.18 * t), rng.uniform(0.05, 0.5)
    wall = blend(ambient, rng.uniform(0.6, 0.9), heat)
    field = wall + (blend(ambient, 0.3, heat) - wall) * smoothstep(t, level + 0.06, level - 0.06)
    x, y, z = radius * np.sin(angle), 9.5 * (t - 0.5), radius * np.cos(angle)
    tilt = rng.uniform(0.0, 0.6)
    y, z = y * np.cos(tilt) - z * np.sin(tilt), z * np.cos(tilt) + y * np.sin(tilt)
    body = make_surface(centre[0] + x, centre[1] + y, centre[2] + z, field, closed=True)
    return [replace(body, emissivity=0.94)]


def _phone(ear: np.ndarray, side: float, heat: float, rng: np.random.Generator) -> list[Surface]:
    """A flat telephone beside the ear, seen from outside and on its edge."""
    v, around = np.meshgrid(np.linspace(-1, 1, 70), np.linspace(-np.pi, np.pi, 80), indexing="ij")
    c, s = np.cos(around), np.sin(around)
    deep, thick = 3.6 * np.sign(c) * np.abs(c) ** 0.35, 0.5 * np.sign(s) * np.abs(s) ** 0.35
    tilt = rng.uniform(0.1, 0.4)
    y, z = 7.4 * v * np.cos(tilt) + deep * np.sin(tilt), deep * np.cos(tilt) + 7.4 * v * np.sin(tilt) + 1.5
    warm = 2.0 * np.exp(-(((v + 0.5) / 0.4) ** 2))
    return [
        make_surface(ear[0] + thick + side * 0.25 * (y + 7), ear[1] + y + 2.0, ear[2] + z, heat + warm, emissivity=0.9)
    ]
