"""The mean head: 68 landmarks in 3-D, and a smooth closed surface through them.

Head coordinates are centimetres: x to the right of the image (the person's left), y down from the line of the eyes,
z towards the camera, z = 0 about a centimetre in front of the ear canals. Distances follow published mean adult
anthropometry (Farkas 1994, *Anthropometry of the Head and Face*): interpupillary distance 6.2, intercanthal 3.3,
palpebral fissure 3.0, nose width 3.4, mouth width 5.1, nasion to chin 11.8, face width 13.7, head width 15.3,
head length 19.5.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import RBFInterpolator

ROWS, COLUMNS = 352, 544
"""Vertices of the head's grid: rows from the crown down, columns around it, -180 to 180 degrees, 0 the nose."""

CENTRE = np.array([0.0, 2.0, 0.0])
"""The surface is a distance from this point (cm) as a function of direction."""

_LEFT_AND_MIDDLE = {
    0: (-7.05, 0.2, 0.3), 1: (-6.95, 2.3, 0.5), 2: (-6.70, 4.3, 0.9), 3: (-6.25, 6.2, 1.6),
    4: (-5.45, 7.9, 2.8), 5: (-4.45, 9.3, 4.4), 6: (-3.20, 10.5, 6.0), 7: (-1.70, 11.3, 7.2), 8: (0.0, 11.6, 7.6),
    17: (-5.75, -1.45, 6.0), 18: (-4.9, -2.3, 7.2), 19: (-3.8, -2.6, 8.15), 20: (-2.6, -2.4, 8.8),
    21: (-1.45, -1.95, 9.1),
    27: (0.0, -0.3, 8.8), 28: (0.0, 1.1, 9.6), 29: (0.0, 2.5, 10.5), 30: (0.0, 3.8, 11.3),
    31: (-1.6, 4.7, 9.2), 32: (-0.85, 5.0, 9.75), 33: (0.0, 5.15, 10.0),
    36: (-4.6, 0.05, 6.6), 37: (-3.75, -0.5, 7.4), 38: (-2.65, -0.5, 7.65), 39: (-1.65, 0.15, 7.4),
    40: (-2.65, 0.5, 7.5), 41: (-3.7, 0.5, 7.25),
    48: (-2.55, 7.35, 7.9), 49: (-1.6, 6.75, 8.9), 50: (-0.6, 6.42, 9.5), 51: (0.0, 6.55, 9.6),
    57: (0.0, 8.45, 9.3), 58: (-0.8, 8.4, 9.15), 59: (-1.7, 8.05, 8.7),
    60: (-2.2, 7.35, 8.1), 61: (-0.8, 7.2, 9.25), 62: (0.0, 7.2, 9.45), 66: (0.0, 7.5, 9.3), 67: (-0.8, 7.5, 9.15),
}  # fmt: skip

_MIRROR = {
    **{i: 16 - i for i in range(8)}, **{i: 43 - i for i in range(17, 22)}, 31: 35, 32: 34,
    36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46,
    48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65,
}  # fmt: skip

_BETWEEN_MIDDLE = [  # glabella, forehead, nose, philtrum, chin, under the chin, crown, nape
    (0.0, -2.2, 9.35), (0.0, -3.6, 9.5), (0.0, -5.2, 9.35), (0.0, -7.2, 8.5), (0.0, 4.5, 10.9), (0.0, 5.8, 9.6),
    (0.0, 9.15, 8.55), (0.0, 10.3, 8.85), (0.0, 12.0, 6.3), (0.0, 12.2, 4.0), (0.0, 12.2, 0.0),
    (0.0, -9.3, 6.6), (0.0, 3.5, -9.6), (0.0, 8.0, -6.8),
]  # fmt: skip

_BETWEEN_LEFT = [  # forehead and temple, orbit, cheek, nose, mouth and jaw
    (-2.5, -5.0, 9.0), (-2.7, -7.1, 8.0), (-4.8, -4.3, 7.2), (-5.0, -6.6, 6.0), (-6.3, -2.5, 4.4), (-6.5, -5.0, 3.6),
    (-3.15, 0.0, 8.0), (-3.15, -1.25, 7.85), (-1.45, -0.75, 7.75), (-4.8, -0.9, 6.7), (-3.1, 1.15, 7.5),
    (-5.8, 0.3, 5.2), (-6.65, 1.6, 2.6), (-5.75, 2.0, 5.4), (-4.6, 2.3, 6.85), (-3.0, 2.1, 7.7), (-2.1, 2.7, 8.05),
    (-0.85, 1.2, 8.8), (-0.6, 0.0, 8.45), (-1.1, 2.8, 9.2), (-1.65, 4.1, 9.5), (-0.75, 3.85, 10.75),
    (-0.75, 4.75, 10.2), (-2.6, 4.9, 8.2), (-4.3, 4.6, 6.6), (-5.6, 4.4, 4.5), (-4.6, 6.8, 5.6), (-3.3, 7.3, 7.1),
    (-1.6, 6.0, 8.95), (-1.7, 10.2, 8.1), (-3.2, 9.0, 7.0), (-2.6, 11.6, 4.8), (-4.2, 10.9, 2.6), (-5.3, 9.4, 0.6),
    (-6.2, 7.2, -0.6), (-7.0, 3.0, -1.5), (-7.3, -0.5, -1.6), (-6.2, 2.5, -5.0), (-4.8, 6.5, -4.6), (-3.8, 3.0, -8.6),
]  # fmt: skip

_SKULL_CENTRE, _SKULL_AXES = np.array([0.0, -2.6, -1.2]), np.array([7.6, 9.3, 9.7])


def _mirrored(points: np.ndarray) -> np.ndarray:
    return points * np.array([-1.0, 1.0, 1.0])


def mean_landmarks() -> np.ndarray:
    """The mean face: float64 (68, 3), cm, in the order of the 68-point scheme, symmetric about x = 0."""
    points = np.zeros((68, 3))
    for index, point in _LEFT_AND_MIDDLE.items():
        points[index] = point
    for left, right in _MIRROR.items():
        points[right] = _mirrored(points[left])
    return points


def _skull_points() -> np.ndarray:
    """Points of an ellipsoid for the crown and the back of the head, where there are no landmarks."""
    azimuth, elevation = np.meshgrid(np.radians(np.arange(-180, 180, 24)), np.radians(np.arange(-84, 40, 20)))
    directions = np.stack(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], axis=-1
    ).reshape(-1, 3)
    points = _SKULL_CENTRE + directions * _SKULL_AXES
    behind = (points[:, 2] < 1.5) & (points[:, 1] < -1.0)
    above = (points[:, 1] < -8.2) & (points[:, 2] < 5.5)
    return points[behind | above]


def azimuth_of(s: np.ndarray) -> np.ndarray:
    """Azimuth (rad) of the relative column s in [-1, 1]; columns are densest at the nose."""
    return np.pi * (0.5 * s + 0.5 * s**3)


def elevation_of(t: np.ndarray) -> np.ndarray:
    """Elevation (rad, positive down) of the relative row t in [-1, 1]."""
    return np.radians(87.0) * (0.8 * t + 0.2 * t**3)


def _relative_centres(count: int) -> np.ndarray:
    return (2.0 * np.arange(count) + 1.0) / count - 1.0


@dataclass(frozen=True)
class MeanHead:
    """The mean head on its grid.

    Attributes:
        points: float32 (ROWS, COLUMNS, 3), cm.
        landmark_sites: float64 (68, 2), fractional (row, column) of each landmark on the grid.
        azimuth: float32 (COLUMNS,), rad.
        elevation: float32 (ROWS,), rad.
    """

    points: np.ndarray
    landmark_sites: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray


@lru_cache(maxsize=1)
def mean_head() -> MeanHead:
    """Interpolate the landmarks and the points between them by a thin-plate spline over directions."""
    landmarks = mean_landmarks()
    left = np.array(_BETWEEN_LEFT)
    controls = np.concatenate([landmarks, _BETWEEN_MIDDLE, left, _mirrored(left), _skull_points()]) - CENTRE
    distance = np.linalg.norm(controls, axis=1)
    spline = RBFInterpolator(controls / distance[:, None], distance, kernel="thin_plate_spline")

    azimuth = azimuth_of(_relative_centres(COLUMNS))
    elevation = elevation_of(_relative_centres(ROWS))
    half = azimuth[COLUMNS // 2 :]  # the mean head is symmetric
    directions = np.stack(
        np.broadcast_arrays(
            np.cos(elevation)[:, None] * np.sin(half),
            np.sin(elevation)[:, None],
            np.cos(elevation)[:, None] * np.cos(half),
        ),
        axis=-1,
    )
    radius = spline(directions.reshape(-1, 3)).reshape(ROWS, -1, 1)
    right = CENTRE + radius * directions
    points = np.concatenate([_mirrored(right[:, ::-1]), right], axis=1).astype(np.float32)
    return MeanHead(points, grid_sites(landmarks), azimuth.astype(np.float32), elevation.astype(np.float32))


def grid_sites(points: np.ndarray) -> np.ndarray:
    """Fractional (row, column) on the grid of the directions of ``points`` (..., 3), cm."""
    x, y, z = np.moveaxis(np.asarray(points) - CENTRE, -1, 0)
    dense = np.linspace(-1.0, 1.0, 4001)
    s = np.interp(np.arctan2(x, z), azimuth_of(dense), dense)
    t = np.interp(np.arctan2(y, np.hypot(x, z)), elevation_of(dense), dense)
    return np.stack([(t + 1.0) * ROWS / 2.0 - 0.5, (s + 1.0) * COLUMNS / 2.0 - 0.5], axis=-1)


def sample(grid: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Bilinear values of ``grid`` (ROWS, COLUMNS, ...) at fractional sites (..., 2)."""
    row = np.clip(sites[..., 0], 0, grid.shape[0] - 1.001)
    column = np.clip(sites[..., 1], 0, grid.shape[1] - 1.001)
    i, j = row.astype(int), column.astype(int)
    shape = row.shape + (1,) * (grid.ndim - 2)
    a, b = (row - i).reshape(shape), (column - j).reshape(shape)
    top = grid[i, j] * (1 - b) + grid[i, j + 1] * b
    bottom = grid[i + 1, j] * (1 - b) + grid[i + 1, j + 1] * b
    return top * (1 - a) + bottom * a
