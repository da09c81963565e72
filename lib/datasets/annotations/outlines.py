"""From a label to shapes that a person can correct: outlines of its regions, simplified, or their masks."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from lib.datasets.annotations.shapes import Shape, Size, fill
from lib.utils.labels import IGNORE

LEAST_IOU = 0.98
"""Of each class and each region, between the label and what simplified outlines draw."""
EXACT = 0.35
"""Pixels. An outline through the middles of pixel edges stays 0.354 pixels off all pixel centres, so one that is
simplified by less encloses the same centres."""
FINER = 0.7
"""What the tolerance is multiplied with where a class or region would lose too much."""
IGNORE_LABEL = "ignore"
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
"""(rows, columns) along the top, right, bottom and left edge of a pixel, clockwise about it."""
_MIDDLES = ((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5))
"""(x, y) of the middles of these edges."""


class _Region(NamedTuple):
    """A connected area of one value.

    Attributes:
        value: in the label.
        rings: exact outlines, the outer one first.
        area: in pixels, that the outer one encloses.
    """

    value: int
    rings: list[np.ndarray]
    area: float


def shapes_of(
    label: np.ndarray, names: Sequence[str], kind: str = "polygons", tolerance: float = 1.0, nested: bool = True
) -> list[Shape]:
    """Shapes that draw a label.

    Args:
        label: (H, W) uint8 classes; 255 is ignored and called ``ignore``.
        names: of the classes, the background first.
        kind: ``masks``: one exact mask for each class. ``polygons``: outlines of the regions, so simplified that every
            class keeps an IoU of 0.98 with the label.
        tolerance: pixels that a simplified outline may lie off the exact one; less where 0.98 takes it. Below 0.35 the
            label is kept exactly.
        nested: whether shapes lie over each other: a nose is drawn over the face and leaves no hole in it. What is
            background within is a shape of the background then. Otherwise areas have holes and don't overlap.

    Returns:
        The shapes in drawing order.
    """
    called = {**dict(enumerate(names)), IGNORE: IGNORE_LABEL}
    if kind == "masks":
        return [_mask_shape(label == value, called[value]) for value in np.unique(label).tolist() if value]
    regions = sorted(_regions(label), key=lambda region: -region.area)
    size = (label.shape[0], label.shape[1])
    regions = _needed(regions, size) if nested else [region for region in regions if region.value]
    while True:
        drawn, shapes = np.zeros(size, np.uint8), []
        for region in regions:
            rings = region.rings[:1] if nested else region.rings
            simple = tuple(_simplified(ring, tolerance) for ring in rings)
            shapes.append(Shape(called[region.value], "", simple))
            drawn[fill(simple, size)] = region.value
        if tolerance < EXACT or _alike(drawn, label):
            return shapes
        tolerance *= FINER


def _alike(drawn: np.ndarray, label: np.ndarray) -> bool:
    both = np.bincount(label[drawn == label], minlength=256)
    either = np.bincount(label.ravel(), minlength=256) + np.bincount(drawn.ravel(), minlength=256) - both
    return bool((both >= LEAST_IOU * either).all())


def _mask_shape(mask: np.ndarray, name: str) -> Shape:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = int(rows[0]), int(columns[0])
    return Shape(name, "", mask=mask[top : rows[-1] + 1, left : columns[-1] + 1], corner=(top, left))


def _regions(label: np.ndarray) -> list[_Region]:
    """The areas of equal value whose pixels share edges."""
    found = []
    for value in np.unique(label).tolist():
        count, numbers, boxes, _ = cv2.connectedComponentsWithStats((label == value).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            left, top, width, height = boxes[number][:4]
            own = numbers[top : top + height, left : left + width] == number
            rings = [ring + (left, top) for ring in _outlines(own)]
            found.append(_Region(value, rings, cv2.contourArea(rings[0].astype(np.float32))))
    return found


def _needed(regions: list[_Region], size: Size) -> list[_Region]:
    """Regions, larger ones first, without those of background that nothing was drawn over."""
    drawn, needed = np.zeros(size, np.uint8), []
    for region in regions:
        area = fill(region.rings[:1], size)
        if region.value or drawn[area].any():
            drawn[area] = region.value
            needed.append(region)
    return needed


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outlines of one connected area (h, w) bool, its outer one first, through the middles of pixel edges.

    Each pixel edge with the area on one side alone is walked once, clockwise about the area; pixels that only share
    a corner aren't connected.

    Returns:
        Rings (N, 2) float64 [x, y], a point for each edge.
    """
    inside = np.pad(mask, 1)
    tops = np.argwhere(inside & ~np.roll(inside, 1, axis=0))
    # Reading a list is several times faster than reading single pixels of an array.
    pixels, rings, seen = inside.tolist(), [], set()
    for row, column in tops.tolist():
        if (row, column) in seen:
            continue
        ring, edge = [], 0
        while not (edge == 0 and (row, column) in seen):
            if edge == 0:
                seen.add((row, column))
            x, y = _MIDDLES[edge]
            ring.append((column + x - 1, row + y - 1))
            down, right = _STEPS[edge]
            ahead = (row + down, column + right)
            down, right = _STEPS[edge - 1]
            beside = (ahead[0] + down, ahead[1] + right)
            if not pixels[ahead[0]][ahead[1]]:
                edge = (edge + 1) % 4
            elif not pixels[beside[0]][beside[1]]:
                row, column = ahead
            else:
                (row, column), edge = beside, (edge - 1) % 4
        rings.append(np.array(ring))
    return rings


def _simplified(ring: np.ndarray, tolerance: float) -> np.ndarray:
    """A ring of fewer points within ``tolerance`` pixels of the given one, which encloses nearly the same pixels."""
    corner = np.floor(ring.min(0))
    near = ring - corner
    width, height = np.ceil(near.max(0)).astype(int).tolist()
    exact = fill([near], (height, width))
    while True:
        simple = cv2.approxPolyDP(near.astype(np.float32), min(tolerance, 1e4), True)[:, 0].astype(np.float64)
        drawn = fill([simple], (height, width)) if len(simple) > 2 else np.zeros_like(exact)
        if (drawn & exact).sum() >= LEAST_IOU * (drawn | exact).sum():
            return simple + corner
        tolerance *= FINER
