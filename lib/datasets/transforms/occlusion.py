"""Thermal occlusion of TiAug: objects of one temperature each in front of the face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lib.datasets.transforms.state import Operation, Shape, TransformState
from lib.datasets.transforms.thermal import draw_seed, sensor_noise
from lib.utils.errors import ConfigError
from lib.utils.labels import IGNORE

BACKGROUND = 0
LABEL_MODES = ("keep", "ignore", "background")
KINDS = ("single", "joined", "apart")


@dataclass(frozen=True, eq=False)
class Occluder:
    """One object: polygons of one temperature.

    Args:
        polygons: each (N, 2) float64 corners (x, y) in pixels of the canvas; together they are the object.
        warmth: in [0, 1], its temperature's place in [min - range, max + range] of the frame.
        netd: standard deviation of the sensor noise on it, deg C.
        seed: of that noise.
    """

    polygons: tuple[np.ndarray, ...]
    warmth: float
    netd: float
    seed: int


@dataclass(frozen=True, eq=False)
class Occlusion(Operation):
    """Put occluders into the frame, shaped on the canvas; ``label`` as of :class:`RandomThermalOcclusion`."""

    kind: str
    occluders: tuple[Occluder, ...]
    label: str = "keep"

    def apply(self, state: TransformState) -> TransformState:
        """Paint the occluders over image and, unless ``label`` is ``keep``, label."""
        state = state.at_own_scale()
        image = state.image.copy()
        coldest, warmest = float(image.min()), float(image.max())
        covered = np.zeros(image.shape[:2], np.uint8)
        for occluder in self.occluders:
            corners = [_to_frame(polygon, state.warp.matrix) for polygon in occluder.polygons]
            temperature = coldest + (warmest - coldest) * (3 * occluder.warmth - 1)
            _paint(image, covered, corners, temperature, occluder)
        if self.label == "keep":
            return replace(state, image=image)
        # What is ignored already stays ignored, whatever covers it.
        under = (covered > 0) & (state.label != IGNORE)
        label = np.where(under, np.uint8(IGNORE if self.label == "ignore" else BACKGROUND), state.label)
        return replace(state, image=image, label=label)


def _to_frame(polygon: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return polygon @ matrix[:2, :2].T + matrix[:2, 2]


def _paint(
    image: np.ndarray, covered: np.ndarray, corners: list[np.ndarray], temperature: float, occluder: Occluder
) -> None:
    """Write the occluder into ``image`` (H, W[, C]) and mark it in ``covered`` (H, W), both in place."""
    points = np.concatenate(corners)
    left, top = np.maximum(np.floor(points.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(points.max(0)).astype(int) + 1, image.shape[1::-1])
    if left >= right or top >= bottom:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for polygon in corners:
        # Four bits after the point. One call each: polygons filled together cancel where they overlap.
        cv2.fillPoly(mask, [np.rint((polygon - (left, top)) * 16).astype(np.int32)], 1, shift=4)
    covered[top:bottom, left:right] |= mask
    part = image[top:bottom, left:right]
    patch = sensor_noise(occluder.netd, occluder.seed, part.shape)
    patch += np.float32(temperature)
    np.copyto(part, patch, where=(mask > 0).reshape(mask.shape + (1,) * (image.ndim - 2)))


@dataclass(frozen=True)
class RandomThermalOcclusion:
    """One of three kinds, equally likely: a polygon or bar; two of them joined by a bar; two apart.

    A centre lies within 10-90 % of the canvas's shorter side on both axes. Each object has one temperature,
    uniform in [min - range, max + range] of the frame, plus sensor noise.

    Args:
        max_noise_equivalent_differential_temperature: upper limit of that noise's standard deviation, deg C.
        label: what the label under an occluder becomes: ``keep`` (as published), ``ignore`` or
            ``background``.
        radius_range: limits of a polygon's mean radius, pixels.
        max_vertices: a polygon has 2 (a bar) to 9 vertices, or in half of the cases up to this many.

    Raises:
        ConfigError: an unknown ``label``.
    """

    max_noise_equivalent_differential_temperature: float = 0.1
    label: str = "keep"
    radius_range: Sequence[float] = (10.0, 25.0)
    max_vertices: int = 99

    def __post_init__(self) -> None:
        if self.label not in LABEL_MODES:
            raise ConfigError(
                f"random_thermal_occlusion.label: expected one of {', '.join(LABEL_MODES)}, got {self.label!r}"
            )

    def draw(self, rng: np.random.Generator, shape: Shape) -> Occlusion:
        """One or two occluders for a canvas of ``shape`` (H, W)."""
        kind = KINDS[rng.integers(len(KINDS))]
        centres = rng.uniform(0.1, 0.9, (1 if kind == "single" else 2, 2)) * min(shape)
        polygons = [centre + self._draw_polygon(rng) for centre in centres]
        if kind == "joined":
            bar = _bar(centres[0], centres[1], thickness=rng.uniform(0.1, 0.5) * self.radius_range[0])
            objects = [(*polygons, bar)]
        else:
            objects = [(polygon,) for polygon in polygons]
        return Occlusion(kind, tuple(self._draw_occluder(rng, each) for each in objects), self.label)

    def _draw_occluder(self, rng: np.random.Generator, polygons: tuple[np.ndarray, ...]) -> Occluder:
        netd = rng.uniform(0, self.max_noise_equivalent_differential_temperature)
        return Occluder(polygons, rng.uniform(), netd, draw_seed(rng))

    def _draw_polygon(self, rng: np.random.Generator) -> np.ndarray:
        """(N, 2) corners around (0, 0)."""
        smallest, largest = self.radius_range
        radius = rng.uniform(smallest, largest)
        vertices = int(rng.integers(2, (9 if rng.random() < 0.5 else self.max_vertices) + 1))
        turn = rng.uniform(0, 2 * math.pi)
        if vertices == 2:
            end = radius * np.array([math.cos(turn), math.sin(turn)])
            return _bar(-end, end, thickness=rng.uniform(0.2, 0.6) * radius)
        irregularity, spikiness = rng.uniform(size=2)
        steps = rng.uniform(1 - irregularity, 1 + irregularity, vertices)
        angles = turn + 2 * math.pi * np.cumsum(steps) / steps.sum()
        radii = np.clip(rng.normal(radius, spikiness * radius, vertices), 0, 2 * radius)
        return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)


def _bar(start: np.ndarray, end: np.ndarray, thickness: float) -> np.ndarray:
    """(4, 2) corners of the rectangle from ``start`` to ``end`` (x, y)."""
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    side = thickness / 2 * np.array([-along[1], along[0]])
    return np.stack([start + side, end + side, end - side, start - side])
