"""Drawing surfaces: grids of points, diced finer than a pixel and scattered into a depth buffer.

This is the micropolygon way (Cook, Carpenter, Catmull 1987, *The Reyes Image Rendering Architecture*): it needs
nothing but array operations, and any surface that is a grid of points can hide any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_HIDES = 0.45  # cm: a point this much behind the nearest one at its pixel is hidden; less is the same surface


@dataclass(frozen=True)
class Surface:
    """A grid of points with a temperature at each.

    Attributes:
        points: float32 (h, w, 3), cm; x right, y down, z towards the camera.
        temperature: float32 (h, w), deg C, of the surface itself.
        keep: float32 (h, w) or None; what is below 0.5 is cut out.
        emissivity: of the material seen at a right angle, 0 to 1.
        mirrored: float, deg C, what the surface reflects; None for the ambient temperature.
    """

    points: np.ndarray
    temperature: np.ndarray
    keep: np.ndarray | None = None
    emissivity: float = 0.98
    mirrored: float | None = None


@dataclass(frozen=True)
class View:
    """A pinhole camera in front of the scene, looking along -z.

    Attributes:
        height, width: of the image, pixels.
        centre: (x, y) of the image of the point (0, 0, 0), in frame heights from the frame's middle.
        magnification: frame heights per cm at z = 0.
        distance: cm from the camera to z = 0.
    """

    height: int
    width: int
    centre: tuple[float, float]
    magnification: float
    distance: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixel coordinates float32 (..., 2) as x, y (pixel centres are integers) of points (..., 3), cm."""
        scale = self.height * self.magnification * self.distance / (self.distance - points[..., 2])
        x = points[..., 0] * scale + self.width / 2 + self.centre[0] * self.height - 0.5
        y = points[..., 1] * scale + self.height / 2 + self.centre[1] * self.height - 0.5
        return np.stack([x, y], axis=-1)


def apparent_temperature(surface: Surface, view: View, ambient: float) -> np.ndarray:
    """What a thermal camera reads off a surface, float32 (h, w), deg C.

    At grazing angles a surface emits less and mirrors more of its surroundings: reflectance after Schlick 1994,
    1 - e + e (1 - cos a)^5, mixing linearly in temperature, which is accurate enough over these few degrees.
    """
    along = _differences(surface.points, axis=1)
    down = _differences(surface.points, axis=0)
    normal = np.cross(along, down)
    sight = np.array([0, 0, view.distance], np.float32) - surface.points
    length = np.sqrt((normal**2).sum(-1) * (sight**2).sum(-1)) + 1e-9
    cosine = np.minimum(np.abs((normal * sight).sum(-1)) / length, 1.0)
    reflectance = 1 - surface.emissivity + surface.emissivity * (1 - cosine) ** 5
    mirrored = ambient if surface.mirrored is None else surface.mirrored
    return (surface.temperature + reflectance * (mirrored - surface.temperature)).astype(np.float32)


def _differences(points: np.ndarray, axis: int) -> np.ndarray:
    return np.gradient(points, axis=axis).astype(np.float32, copy=False)


def draw(surfaces: Sequence[Surface], view: View, ambient: float, background: np.ndarray) -> np.ndarray:
    """Draw surfaces over a background.

    Args:
        surfaces: in camera coordinates, any order.
        view: the camera.
        ambient: deg C, what surfaces mirror.
        background: float32 (height, width), deg C.

    Returns:
        float32 (height, width), deg C.
    """
    height, width = view.height, view.width
    pieces = [_scatter(surface, view, ambient) for surface in surfaces]
    pieces = [piece for piece in pieces if piece is not None]
    if not pieces:
        return background.copy()
    index, depth, temperature = (np.concatenate(parts) for parts in zip(*pieces, strict=True))

    nearest = np.full(height * width, 1e6, np.float32)
    np.minimum.at(nearest, index, depth)
    # A point also hides what is behind its neighbouring pixels, so that nothing shines through between points.
    nearest = cv2.erode(nearest.reshape(height, width), np.ones((3, 3), np.uint8)).ravel()
    seen = depth < nearest[index] + _HIDES
    index, temperature = index[seen], temperature[seen]
    count = np.bincount(index, minlength=height * width).reshape(height, width).astype(np.float32)
    total = np.bincount(index, temperature, minlength=height * width).reshape(height, width).astype(np.float32)
    return _fill(count, total, background)


def _fill(count: np.ndarray, total: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Average per pixel; close pinholes from their neighbours; blend the rim with the background."""
    covered = (count > 0).astype(np.float32)
    closed = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    near = cv2.blur(covered, (3, 3))
    mean = total / np.maximum(count, 1)
    filled = np.where(count > 0, mean, cv2.blur(mean * covered, (3, 3)) / np.maximum(near, 1e-3))
    return np.where(closed > 0, filled, background).astype(np.float32)


def _scatter(surface: Surface, view: View, ambient: float) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Dice a surface to about a pixel; the flat pixel index, distance (cm) and temperature of each point in view."""
    pixels = view.project(surface.points)
    inside = (pixels > -8).all(-1) & (pixels[..., 0] < view.width + 8) & (pixels[..., 1] < view.height + 8)
    if surface.keep is not None:
        inside &= surface.keep > 0.02
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if len(rows) < 2 or len(columns) < 2:
        return None
    window = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
    channels = [
        pixels[window],
        view.distance - surface.points[window][..., 2:],
        apparent_temperature(surface, view, ambient)[window][..., None],
    ]
    if surface.keep is not None:
        channels.append(surface.keep[window][..., None])
    packed = np.concatenate(channels, axis=-1)
    down, across = (_dice(packed[..., :2], axis, inside[window]) for axis in (0, 1))
    size = (packed.shape[1] * across, packed.shape[0] * down)
    fine = cv2.resize(packed, size, interpolation=cv2.INTER_LINEAR).reshape(-1, packed.shape[-1])

    x, y = np.rint(fine[:, 0]).astype(np.int32), np.rint(fine[:, 1]).astype(np.int32)
    ok = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
    if surface.keep is not None:
        ok &= fine[:, 4] > 0.5
    return (y[ok] * view.width + x[ok]), fine[ok, 2], fine[ok, 3]


def _dice(pixels: np.ndarray, axis: int, inside: np.ndarray) -> int:
    """How many times finer the grid must be along an axis for steps of about a pixel."""
    step = np.linalg.norm(np.diff(pixels, axis=axis), axis=-1)
    step = step[inside[1:] if axis == 0 else inside[:, 1:]]
    return int(np.clip(np.ceil(np.quantile(step, 0.97) / 0.95), 1, 24)) if step.size else 1
