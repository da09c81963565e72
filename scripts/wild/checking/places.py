"""Where people are: rooms and streets, warm and cold things, animals. Everything is drawn flat, far things first."""

import numpy as np

from scripts.wild.checking.shapes import Patch, ellipse, mix, noise, spline


def draw_place(shape: tuple[int, int], ambient: float, outdoors: bool, rng: np.random.Generator) -> np.ndarray:
    """What is behind all people: (H, W) float32, deg C."""
    image = np.full(shape, ambient, np.float32)
    height, width = shape
    patch = Patch(image, (width / 2, height / 2), height, extent=(-width / height, -0.6, width / height, 0.6))
    if outdoors:
        _street(patch, ambient, rng)
    else:
        _room(patch, ambient, rng)
    things = (
        (_cup, _lamp, _animal, _machine, _pipe) if outdoors else (_radiator, _screen, _lamp, _cup, _animal, _machine)
    )
    for _ in range(int(rng.choice(5, p=[0.3, 0.3, 0.2, 0.12, 0.08]))):
        thing = things[rng.integers(len(things))]
        reach = width / height / 2
        size = float(np.exp(rng.uniform(np.log(0.04), np.log(0.22))))
        x, y = rng.uniform(-0.95, 0.95) * reach, rng.uniform(-0.35, 0.45)
        near = Patch(image, (width * (0.5 + x / reach / 2), height * (0.5 + y)), size * height, extent=(-2, -2, 2, 2.5))
        thing(near, ambient, rng)
    return image


def draw_thing_before(image: np.ndarray, ambient: float, rng: np.random.Generator) -> np.ndarray:
    """Put a table, a screen's back, a post or a counter before everybody; (H, W) bool, where it is."""
    height, width = image.shape
    patch = Patch(image, (width / 2, height / 2), height, extent=(-width / height, -0.6, width / height, 0.6))
    if rng.random() < 0.7:
        top, slope = rng.uniform(0.25, 0.45), rng.normal(0, 0.03)
        mask = patch.area(np.array([(-2, top - slope), (2, top + slope), (2, 2), (-2, 2)]), 0.003)
    else:
        x, wide = rng.uniform(-0.6, 0.6), rng.uniform(0.02, 0.08)
        mask = patch.area(np.array([(x, -1), (x + wide, -1), (x + wide, 1), (x, 1)]), 0.003)
    patch.paint(mask, ambient + rng.normal(0.3, 1.0) + 0.25 * patch.texture(rng, 0.3))
    whole = np.zeros(image.shape, bool)
    whole[patch.rows, patch.columns] = mask > 0.5
    return whole


def _box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _room(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    """Walls that are warmer near the ceiling, a corner, a door, a window, shelves, pictures, lights."""
    patch.image += rng.uniform(-0.5, 1.8) * -patch.v + rng.normal(0, 0.7) * patch.u + 0.2 * patch.texture(rng, 0.5)
    if rng.random() < 0.5:  # a corner: another wall
        x, lean = rng.uniform(-0.6, 0.6), rng.normal(0, 0.02)
        wall = patch.area(np.array([(x, -1), (2, -1), (2, 1), (x + lean, 1)]), 0.004)
        patch.warm(wall, rng.normal(0, 0.6))
        patch.warm(np.exp(-(((patch.u - x) / 0.02) ** 2)), -0.3)
    if rng.random() < 0.4:
        x, y, w, h = rng.uniform(-0.7, 0.4), rng.uniform(-0.5, -0.2), rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.6)
        frame, pane = ambient - rng.uniform(0, 2), ambient - rng.uniform(-2, 9)
        patch.paint(patch.area(_box(x, y, x + w, y + h), 0.003), frame)
        for column in range(n := int(rng.integers(1, 4))):
            left = x + 0.02 + column * w / n
            glass = patch.area(_box(left, y + 0.02, left + w / n - 0.035, y + h - 0.02), 0.003)
            patch.paint(glass, pane + 0.7 * patch.texture(rng, 0.25))
    for _ in range(int(rng.integers(0, 6))):  # furniture, pictures, doors
        x, y = rng.uniform(-0.8, 0.7), rng.uniform(-0.5, 0.4)
        w, h = rng.uniform(0.05, 0.5), rng.uniform(0.03, 0.5)
        mask = patch.area(_box(x, y, x + w, y + h), rng.uniform(0.002, 0.006))
        patch.paint(mask, ambient + rng.normal(0, 0.9) + 0.15 * patch.texture(rng, 0.2))
    for _ in range(int(rng.choice(4, p=[0.7, 0.1, 0.1, 0.1]))):  # ceiling lights
        x, y = rng.uniform(-0.7, 0.7), rng.uniform(-0.5, -0.35)
        patch.paint(patch.stroke(np.array([(x, y), (x + 0.2, y + rng.normal(0, 0.04))]), 0.02, 0.004), ambient + 9)


def _street(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    """Cold sky, ground, houses with windows, trees, parked cars with warm bonnets."""
    horizon, sky = rng.uniform(-0.3, 0.15), ambient - rng.uniform(4, 28)
    cloud = rng.uniform(0, 4) * patch.texture(rng, 0.6, 0.12, 3)
    patch.image[:] = sky + cloud + 8 * np.exp(-np.abs(patch.v - horizon) / 0.15)
    ground = np.clip((patch.v - horizon) * 200, 0, 1)
    sun = rng.uniform(-1, 6)
    patch.paint(ground, ambient + sun + 0.8 * patch.texture(rng, 0.2, 0.04, 3))
    for _ in range(int(rng.integers(0, 4))):
        x, w, h = rng.uniform(-0.9, 0.6), rng.uniform(0.2, 0.7), rng.uniform(0.15, 0.6)
        wall = ambient + rng.uniform(-1, 0.7 * sun + 2)
        patch.paint(
            patch.area(_box(x, horizon - h, x + w, horizon + 0.02), 0.002), wall + 0.3 * patch.texture(rng, 0.1)
        )
        size, panes = rng.uniform(0.03, 0.07), ambient + rng.uniform(-6, 3)
        for row in np.arange(horizon - h + size, horizon - size, 2 * size):
            for column in np.arange(x + size, x + w - size, 2 * size):
                patch.paint(patch.area(_box(column, row, column + size, row + size)), panes)
    for _ in range(int(rng.integers(0, 4))):
        x, y, r = rng.uniform(-0.8, 0.8), horizon - rng.uniform(0.0, 0.25), rng.uniform(0.06, 0.28)
        patch.paint(patch.stroke(np.array([(x, y), (x, horizon + 0.05)]), 0.15 * r), ambient - 0.5)
        crown = patch.blob(x, y, 0.6 * r)
        leaves = np.clip(4 * (crown * (1.1 + 0.45 * patch.texture(rng, 0.03, octaves=2)) - 0.45), 0, 1)
        patch.paint(leaves, ambient - 1 + 0.7 * patch.texture(rng, 0.04, octaves=2))
    if rng.random() < 0.35:
        x, y, s = rng.uniform(-0.7, 0.7), horizon + rng.uniform(0.05, 0.2), rng.uniform(0.08, 0.2)
        car = np.array(
            [(-2, 0.3), (-1.9, -0.3), (-1, -0.4), (-0.6, -0.9), (0.8, -0.9), (1.3, -0.3), (2, -0.2), (2, 0.3)]
        )
        patch.paint(patch.area(car * s * 0.7 + (x, y), 0.003), ambient + rng.uniform(-4, 3))
        patch.warm(patch.blob(x - 1.0 * s, y - 0.1 * s, 0.4 * s, 0.15 * s), rng.uniform(2, 22))


def _radiator(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    wide, heat, ribs = rng.uniform(0.8, 2), rng.uniform(30, 52), rng.uniform(12, 40)
    mask = patch.area(_box(-wide, -0.7, wide, 0.7), 0.02)
    patch.paint(mask, heat + 1.8 * np.sin(patch.u * ribs) - 2.5 * patch.v)
    patch.warm(patch.blob(0, -1.1, wide, 0.4), mix(0, 1, (heat - ambient) / 20))


def _screen(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    heat = rng.uniform(27, 39)
    patch.paint(patch.area(_box(-0.12, 0.6, 0.12, 1.1), 0.02), mix(ambient, heat, 0.2))
    patch.paint(patch.area(_box(-1.2, -0.72, 1.2, 0.72), 0.02), mix(ambient, heat, 0.5))
    mask = patch.area(_box(-1.12, -0.65, 1.12, 0.65), 0.015)
    patch.paint(mask, heat + 0.9 * patch.texture(rng, 0.7) + rng.uniform(-2, 2) * patch.v)


def _lamp(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    heat = rng.uniform(34, 75)
    patch.paint(patch.stroke(np.array([(0, 0), (0.1, 2.4)]), 0.09, 0.02), ambient + 0.7)
    shade = np.array([(-0.35, -0.5), (0.35, -0.5), (0.7, 0.45), (-0.7, 0.45)])
    patch.paint(patch.area(shade if rng.random() < 0.5 else ellipse(0, 0, 0.55, 0.55), 0.02), mix(ambient, heat, 0.45))
    patch.warm(patch.blob(0, 0.05, 0.28, 0.3), 0.55 * (heat - ambient))


def _cup(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    heat = rng.uniform(28, 58) if rng.random() < 0.8 else rng.uniform(4, 14)
    handle = ellipse(0.62, 0.05, 0.26, 0.34)
    patch.paint(patch.stroke(np.concatenate([handle, handle[:1]]), 0.12, 0.01), mix(ambient, heat, 0.45))
    level = rng.uniform(-0.6, 0.3)
    side = patch.area(np.array([(-0.6, -0.75), (0.6, -0.75), (0.52, 0.75), (-0.52, 0.75)]), 0.015)
    filled = np.clip((patch.v - level) * 8, 0, 1)
    patch.paint(side, mix(ambient, heat, 0.35) + 0.55 * (heat - ambient) * filled)
    patch.paint(patch.area(ellipse(0, -0.75, 0.6, 0.14), 0.01), mix(ambient, heat, rng.uniform(0.5, 1.0)))


def _pipe(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    line = np.array([(-2, rng.uniform(-1, 1)), (0, 0), (rng.uniform(-1, 2), 2.5)])
    mask = patch.stroke(line, rng.uniform(0.1, 0.3), 0.02)
    patch.paint(mask, rng.uniform(24, 46) - 2 * np.exp(-patch.depth(mask) / 0.05))


def _machine(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    """A case with warm vents and lights, as a printer, a charger, a coffee machine."""
    heat = rng.uniform(26, 40)
    mask = patch.area(ellipse(0, 0, rng.uniform(0.5, 1.2), rng.uniform(0.4, 1.0), rng.normal(0, 0.1), 6), 0.02)
    patch.paint(mask, mix(ambient, heat, rng.uniform(0.3, 0.9)) + 0.5 * noise(rng, patch.u.shape, (6, 6)))
    for _ in range(int(rng.integers(1, 6))):
        x, y = rng.uniform(-0.5, 0.5), rng.uniform(-0.4, 0.4)
        spot = patch.area(_box(x, y, x + rng.uniform(0.05, 0.5), y + rng.uniform(0.04, 0.2)), 0.02)
        patch.paint(spot * mask, heat + rng.normal(0, 5))


def _animal(patch: Patch, ambient: float, rng: np.random.Generator) -> None:
    """A dog or a cat that sits: furry and lukewarm, with warm eyes and ears and a cold nose."""
    fur, warm = mix(ambient, 34, rng.uniform(0.3, 0.8)), rng.uniform(33, 36.5)
    body = spline(np.array([(-0.5, 0.3), (0.5, 0.3), (0.95, 1.4), (0.7, 2.4), (-0.7, 2.4), (-0.95, 1.4)]))
    hairs = 0.7 * patch.texture(rng, 0.06, 0.15) + 0.6 * patch.texture(rng, 0.5)
    patch.paint(patch.area(body, 0.05), fur + hairs)
    turn = rng.normal(0, 0.2)
    for side in (-1, 1):
        long = rng.uniform(0.6, 1.0)
        ear = np.array([(side * 0.2, -0.45), (side * 0.62, -0.2), (side * (0.45 + 0.2 * turn), -0.3 - long)])
        patch.paint(patch.area(ear, 0.02), fur + 2.0)
    face = patch.area(spline(ellipse(turn, 0, 0.66, 0.56)[::5]), 0.04)
    patch.paint(face, fur + 0.8 + hairs - 1.2 * np.exp(-patch.depth(face) / 0.1))
    patch.paint(patch.area(ellipse(1.4 * turn, 0.25, 0.3, 0.24), 0.04), fur + 1.8 + 0.3 * hairs)
    for side in (-1, 1):
        patch.paint(patch.area(ellipse(1.1 * turn + side * 0.26, -0.08, 0.1, 0.07), 0.02), warm)
    patch.paint(patch.area(ellipse(1.6 * turn, 0.14, 0.1, 0.07), 0.015), mix(ambient, 30, 0.5))
