"""Pieces that things are built from: sheets, tubes, points on a face; temperatures between the air's and a body's."""

import numpy as np

from lib.synthetic.mean_head import grid_sites, sample
from lib.synthetic.raster import Surface

_SKULL = np.array([0.0, -1.5, -1.0], np.float32)


def blend(ambient: float, share: float, warm: float = 33.0) -> float:
    """The temperature that lies a share of the way from ``ambient`` to ``warm``, deg C."""
    return ambient + share * (warm - ambient)


def make_surface(x: np.ndarray, y: np.ndarray, z: np.ndarray, temperature: np.ndarray, keep=None, **options) -> Surface:
    """A surface of coordinates (cm) that broadcast against each other; see :class:`Surface`."""
    points = np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float32)
    keep = None if keep is None else keep.astype(np.float32)
    field = np.broadcast_to(temperature, points.shape[:2])
    return Surface(points, np.ascontiguousarray(field, np.float32), keep, **options)


def outward_directions(head: np.ndarray) -> np.ndarray:
    """Unit vectors (ROWS, COLUMNS, 3) from the middle of the skull through the points of a head."""
    offset = head - _SKULL
    return offset / np.linalg.norm(offset, axis=-1, keepdims=True)


def point_on_head(head: np.ndarray, point: np.ndarray) -> np.ndarray:
    """The point (3,), cm, of a head in the direction of a point of the mean head."""
    return sample(head, grid_sites(point))


def tube(path: np.ndarray, radius: np.ndarray, flat: float, temperature: np.ndarray) -> Surface:
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
