"""What heads wear: glasses, masks, hats, hoods, head scarves; and hands that come near."""

import numpy as np

from scripts.wild.checking.head import Person, Pose, both, hull
from scripts.wild.checking.shapes import Patch, ellipse, mix, noise, spline


def draw_glasses(patch: Patch, pose: Pose, ambient: float, rng: np.random.Generator) -> None:
    """Opaque and colder than skin: two lenses, a bridge, rims and temples."""
    cold = mix(ambient, 33.0, rng.uniform(0.15, 0.65))
    wide, high, power = rng.uniform(0.15, 0.22), rng.uniform(0.09, 0.17), rng.uniform(2, 4.5)
    rim, frame = rng.uniform(0.008, 0.035), cold + rng.normal(0.3, 1.0)
    slope, mirrored = rng.normal(0, 2.5), rng.uniform(0, 0.5) * noise(rng, patch.u.shape, (6, 6))
    for side in (-1, 1):
        flat = ellipse(side * 0.25, -0.33 + 0.1 * (high - 0.1), wide, high, 0, power)
        lens = np.column_stack([flat, 0.74 - 1.1 * flat[:, 0] ** 2])
        if -side * np.sin(pose.yaw) > -0.25:
            temple = pose.seen([(side * 0.45, -0.36, 0.52), (side * 0.57, -0.3, 0.1), (side * 0.58, -0.25, -0.12)])
            patch.paint(patch.stroke(temple, max(rim, 0.02), 0.006), frame)
        if pose.facing((side * 0.25, -0.33, 0.6)) < -0.1:
            continue
        seen = pose.seen(lens)
        mask = patch.area(seen, 0.008)
        patch.paint(mask, cold + slope * (patch.v - seen[:, 1].mean()) + mirrored)
        patch.paint(patch.stroke(np.concatenate([seen, seen[:1]]), rim, 0.005), frame)
    patch.paint(
        patch.stroke(pose.seen([(-0.1, -0.36, 0.72), (0, -0.38, 0.73), (0.1, -0.36, 0.72)]), 0.025, 0.006), frame
    )


def draw_mask(patch: Patch, pose: Pose, person: Person, ambient: float, rng: np.random.Generator) -> None:
    """Cloth over nose, mouth and chin; warm or cool where breath passes, with folds and loops about the ears."""
    top = -0.06 if rng.random() < 0.15 else rng.uniform(-0.26, -0.16)
    bulge = rng.uniform(0.0, 0.14)
    half = [(0.0, top, 0.8 + bulge), (0.2, top + 0.07, 0.68), (0.36, top + 0.14, 0.5), (0.47, 0.08, 0.3)]
    half += [(0.44, 0.28, 0.3), (0.3, 0.45, 0.48), (0.0, 0.56, 0.62 + 0.5 * bulge)]
    front = [(0, -0.02, 0.9 + bulge), (0, 0.2, 0.86 + bulge), (0, 0.4, 0.76 + bulge)]
    points = np.concatenate([both(np.array(half) * (person.width, 1, 1)), front])
    near = pose.facing(points) > -0.3
    loop = mix(ambient, person.skin, 0.6)
    for side in (-1, 1):
        if -side * np.sin(pose.yaw) > -0.3:
            ear = (side * 0.58 * person.width, -0.2, -0.05)
            for start in ((side * 0.45, top + 0.15, 0.33), (side * 0.43, 0.3, 0.3)):
                patch.paint(patch.stroke(pose.seen([start, ear]), 0.018, 0.006), loop)
    mask = patch.area(hull(pose.seen(points[near])), 0.012)
    heat = mix(ambient, person.skin, rng.uniform(0.4, 0.85)) + 0.25 * patch.texture(rng, 0.2)
    u, v = pose.seen((0, 0.08, 0.85))
    heat = heat + rng.uniform(-2.0, 3.0) * patch.blob(u, v, 0.16, 0.13)
    heat += rng.uniform(-0.5, 2.0) * patch.blob(*pose.seen((0, top + 0.03, 0.75)), 0.16, 0.05)
    if rng.random() < 0.5:
        heat += 0.35 * np.sin(patch.v * rng.uniform(35, 60) + 3 * patch.u**2) * np.exp(-((patch.v - 0.15) ** 2) / 0.03)
    elif rng.random() < 0.5:
        heat += 0.6 * np.exp(-(((patch.u - u) / 0.02) ** 2))
    patch.paint(mask, heat)


def draw_hat(patch: Patch, pose: Pose, person: Person, ambient: float, rng: np.random.Generator) -> None:
    """A cap with a visor, a woollen cap, a helmet or a hat with a brim."""
    kind = rng.choice(["cap", "wool", "helmet", "brim"])
    heat = mix(ambient, person.skin, rng.uniform(0.15, 0.65)) + 0.35 * patch.texture(rng, 0.3)
    wide, deep = np.hypot(0.66 * person.width * np.cos(pose.yaw), 0.8 * np.sin(pose.yaw)), rng.uniform(-0.74, -0.58)
    back, tip = -0.1 * np.sin(pose.yaw), 0.25 * np.sin(pose.pitch)
    top = rng.uniform(-1.38, -1.3)
    dome = [(-wide, deep), (-wide * 1.02, -0.9), (-0.62 * wide, top + 0.1), (0, top), (0.62 * wide, top + 0.1)]
    dome += [(wide * 1.02, -0.9), (wide, deep), (0, deep + tip + 0.05)]
    mask = patch.area(spline(np.array(dome) + (back, 0)), 0.01)
    seams = 0.5 * np.exp(-(((patch.u - back) % (wide / 1.5)) ** 2) / 0.0006) if kind == "cap" else 0.0
    ribs = 0.4 * np.sin(patch.u * 70) if kind == "wool" else 0.0
    patch.paint(mask, heat - seams + ribs - 1.0 * np.exp(-patch.depth(mask) / 0.08))
    band = mix(ambient, person.skin, rng.uniform(0.3, 0.8))
    if kind == "wool":
        cuff = [(back - wide * 1.04, deep - 0.16), (back, deep + tip - 0.12), (back + wide * 1.04, deep - 0.16)]
        patch.paint(patch.stroke(spline(np.array(cuff), closed=False), 0.22, 0.012), band + ribs)
    elif kind == "brim":
        patch.paint(patch.area(ellipse(back, deep + 0.5 * tip, wide * 1.55, 0.13), 0.01), heat - 0.8)
    elif kind == "cap" and pose.shows_face:
        visor = pose.seen(
            [(-0.5, deep, 0.45), (-0.36, deep + 0.05, 0.95), (0, deep + 0.08, 1.15), (0.36, deep + 0.05, 0.95)]
            + [(0.5, deep, 0.45), (0, deep - 0.06, 0.7)]
        )
        edge = patch.stroke(visor[:5], 0.05, 0.01)
        patch.paint(np.maximum(patch.area(spline(visor), 0.01), edge), band - 0.5)


def draw_hood(patch: Patch, pose: Pose, person: Person, ambient: float, rng: np.random.Generator) -> None:
    """A hood, or a scarf wound about the head: cloth all around an opening for the face."""
    close = rng.random() < 0.5
    wide = np.hypot(0.63 * np.cos(pose.yaw), 0.74 * np.sin(pose.yaw)) + (0.06 if close else rng.uniform(0.14, 0.3))
    back = -0.22 * np.sin(pose.yaw)
    outer = [(0, -1.32), (0.75 * wide, -1.1), (wide, -0.5), (wide * 1.02, 0.2), (0.95 * wide, 0.75), (0, 1.0)]
    outer += [(-x, y) for x, y in outer[4:0:-1]]
    mask = patch.area(spline(np.array(outer) + (back, 0)), 0.012)
    if pose.shows_face:
        high, low = (-0.8, 0.5) if close else (-0.92, 0.6)
        side = 0.5 if close else 0.56
        rim = both(np.array([(0.0, high, 0.6), (0.36, high + 0.12, 0.5), (side, -0.4, 0.3), (side, 0.05, 0.2)]))
        rim = np.concatenate(
            [rim[:4], [(0.36, low - 0.14, 0.42), (0.0, low, 0.6), (-0.36, low - 0.14, 0.42)], rim[4:-1]]
        )
        seen = pose.seen(rim)
        far = np.clip(0.15 - pose.facing(rim), 0, 0.4) * min(1, 2.5 * abs(np.sin(pose.yaw)))
        seen[:, 0] += np.sign(pose.yaw) * 2.0 * far
        mask = mask * (1 - patch.area(spline(seen), 0.012))
    heat = mix(ambient, person.skin, rng.uniform(0.15, 0.6)) + 0.4 * patch.texture(rng, 0.12, 0.5, 2)
    patch.paint(mask, heat + 1.2 * np.exp(-patch.depth(mask) / 0.05) - 0.6)


def draw_hand(patch: Patch, pose: Pose, person: Person, rng: np.random.Generator) -> None:
    """A hand at chin, cheek, mouth, temple or beside the head, on a forearm from below."""
    side = rng.choice((-1, 1))
    place = np.array(
        [(side * 0.15, 0.45), (side * 0.42, 0.15), (side * 0.05, 0.2), (side * 0.5, -0.4), (side * 0.8, 0.0)][
            rng.integers(5)
        ]
    ) + (0.5 * np.sin(pose.yaw), 0)
    up = rng.uniform(-0.7, 0.7) - side * 0.25  # direction of the fingers, from upright
    along, across = np.array([np.sin(up), -np.cos(up)]), np.array([np.cos(up), np.sin(up)])
    palm = place - 0.3 * along
    elbow = palm - 2.2 * along + (side * rng.uniform(0, 0.8), 0.6)
    skin = person.skin - rng.uniform(-0.3, 3.5)
    arm = patch.stroke(np.stack([palm - 0.2 * along, elbow]), 0.36, 0.01)
    patch.paint(arm, skin + 0.4 - 0.8 * np.exp(-patch.depth(arm) / 0.05))
    mask = patch.area(ellipse(*palm, 0.25, 0.3, up, 2.6), 0.01)
    spread, curl = rng.uniform(0.08, 0.3), rng.uniform(0.5, 1.0)
    for finger, reach in enumerate((0.36, 0.44, 0.42, 0.32)):
        turn = up + spread * (finger - 1.5)
        root = palm + (finger - 1.5) * 0.125 * across + 0.2 * along
        tip = root + curl * reach * np.array([np.sin(turn), -np.cos(turn)])
        mask = np.maximum(mask, patch.stroke(np.stack([root, tip]), 0.105, 0.006))
    thumb = palm + np.stack([0.12 * side * across, 0.36 * side * across + 0.18 * along])
    mask = np.maximum(mask, patch.stroke(thumb, 0.12, 0.006))
    reach = (patch.u - palm[0]) * along[0] + (patch.v - palm[1]) * along[1]
    heat = skin - rng.uniform(-0.5, 3.0) * np.clip(reach / 0.5, 0, 1) - 0.9 * np.exp(-patch.depth(mask) / 0.03)
    patch.paint(mask, heat + 0.25 * patch.texture(rng, 0.15))
