"""Drawing surfaces: grids of points, diced finer than a pixel and scattered into a depth buffer.

This is the micropolygon way (Cook, Carpenter, Catmull 1987, *The Reyes Image Rendering Architecture*): it needs
nothing but array operations, and any surface that is a grid of points can hide any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_HIDES = 0.25  # cm: a point this much behind the nearest one at its pixel is hidden; less is the same surface
_HIDES_BESIDE = 1.5  # cm: the same for the neighbouring pixels, as surfaces may be steep
_BAND = 16  # rows of a grid that are diced alike


@dataclass(frozen=True)
class Surface:
    """A grid of points with a temperature at each.

    Attributes:
        points: float32 (h, w, 3), cm; x right, y down, z towards the camera.
        temperature: float32 (h, w), deg C, of the surface itself.
        keep: float32 (h, w) or None; what is below 0.5 is cut out.
        emissivity: of the material seen at a right angle, relative to what the camera is set to, 0 to 1.
        mirrored: deg C, what the surface reflects; None for the ambient temperature.
        closed: the surface encloses a body, columns running to the right where it faces the camera, so that its far
            side needs no drawing.
        part: uint8 (h, w), what is seen there, as a label's value; None for 0.
    """

    points: np.ndarray
    temperature: np.ndarray
    keep: np.ndarray | None = None
    emissivity: float = 1.0
    mirrored: float | None = None
    closed: bool = False
    part: np.ndarray | None = None


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


def apparent_temperature(surface: Surface, cosine: np.ndarray, ambient: float) -> np.ndarray:
    """What a thermal camera reads off a surface, float32 (h, w), deg C.

    At grazing angles a surface emits less and mirrors more of its surroundings: reflectance after Schlick 1994,
    1 - e + e (1 - cos a)^5, mixing linearly in temperature, which is accurate enough over these few degrees. Half of
    what a rough surface mirrors at grazing angles is its own neighbourhood, so that part is left out.

    Args:
        surface: what is seen.
        cosine: of the angle between normal and line of sight, (h, w).
        ambient: deg C.
    """
    grazing = 1 - np.minimum(np.abs(cosine), 1)
    reflectance = 1 - surface.emissivity + 0.5 * surface.emissivity * grazing**5
    mirrored = ambient if surface.mirrored is None else surface.mirrored
    return (surface.temperature + reflectance * (mirrored - surface.temperature)).astype(np.float32)


def facing(points: np.ndarray, distance: float) -> np.ndarray:
    """Cosine between normal and line of sight, float32 (h, w); the normal is along rows x along columns."""
    along, down = (np.gradient(points, axis=axis).astype(np.float32, copy=False) for axis in (1, 0))
    normal = np.cross(along, down)
    sight = np.array([0, 0, distance], np.float32) - points
    length = np.sqrt(np.einsum("hwc,hwc->hw", normal, normal) * np.einsum("hwc,hwc->hw", sight, sight))
    return np.einsum("hwc,hwc->hw", normal, sight) / (length + 1e-9)


def render(surfaces: Sequence[Surface], view: View, ambient: float, background: np.ndarray) -> np.ndarray:
    """Draw surfaces over a background.

    Args:
        surfaces: in camera coordinates, any order.
        view: the camera.
        ambient: deg C, what surfaces mirror.
        background: float32 (height, width), deg C.

    Returns:
        float32 (height, width), deg C.
    """
    return render_with_parts(surfaces, view, ambient, background)[0]


def render_with_parts(
    surfaces: Sequence[Surface], view: View, ambient: float, background: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`render`, with the part that is nearest at each pixel, int16 (height, width); -1 for the background."""
    height, width = view.height, view.width
    pieces = [piece for surface in surfaces for piece in _scatter(surface, view, ambient)]
    parts = np.full(height * width, -1, np.int16)
    if not pieces:
        return background.copy(), parts.reshape(height, width)
    index, depth, temperature, part = (np.concatenate(values) for values in zip(*pieces, strict=True))

    nearest = np.full(height * width, 1e6, np.float32)
    np.minimum.at(nearest, index, depth)
    front = depth == nearest[index]
    parts[index[front]] = part[front]
    grid = parts.reshape(height, width)
    # Pinholes between points are closed as those of the temperature are.
    closed = cv2.morphologyEx(grid + 1, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) - 1
    shown = np.where(grid < 0, closed, grid)
    # A point also hides what is behind its neighbouring pixels, so that nothing shines through between points.
    around = cv2.erode(nearest.reshape(height, width), np.ones((3, 3), np.uint8)).ravel()
    limit = np.minimum(nearest + _HIDES, around + _HIDES_BESIDE)
    seen = np.flatnonzero(depth < limit[index])
    index, temperature = index[seen], temperature[seen]
    count = np.bincount(index, minlength=height * width).reshape(height, width).astype(np.float32)
    total = np.bincount(index, temperature, minlength=height * width).reshape(height, width).astype(np.float32)
    return _fill(count, total, background), shown


def _fill(count: np.ndarray, total: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Average per pixel; close pinholes from their neighbours; blend the rim with the background."""
    covered = (count > 0).astype(np.float32)
    closed = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    near = cv2.blur(covered, (5, 5))
    mean = total / np.maximum(count, 1)
    filled = np.where(count > 0, mean, cv2.blur(mean * covered, (5, 5)) / np.maximum(near, 1e-3))
    return background + cv2.GaussianBlur(closed, (5, 5), 0.8) * (filled - background)


def _scatter(surface: Surface, view: View, ambient: float) -> list[tuple[np.ndarray, ...]]:
    """Dice a surface to about a pixel, in bands of rows, as some parts are larger in the image than others.

    Returns:
        of each band, the flat pixel index, the distance (cm), the temperature and the part of each point in view.
    """
    pixels = view.project(surface.points)
    cosine = facing(surface.points, view.distance)
    inside = (pixels > -8).all(-1) & (pixels[..., 0] < view.width + 8) & (pixels[..., 1] < view.height + 8)
    if surface.keep is not None:
        inside &= surface.keep > 0.02
    if surface.closed:
        inside &= cosine > -0.2
    channels = [pixels[..., 0], pixels[..., 1], view.distance - surface.points[..., 2]]
    channels += [apparent_temperature(surface, cosine, ambient)]
    limits = ([(cosine, -0.1)] if surface.closed else []) + ([(surface.keep, 0.5)] if surface.keep is not None else [])
    pieces = []
    for first in range(0, len(pixels) - 1, _BAND):
        band = slice(first, first + _BAND + 1)
        columns = np.flatnonzero(inside[band].any(0))
        if len(columns):
            window = band, slice(max(columns[0] - 1, 0), columns[-1] + 2)
            pieces.append(_dice(channels, surface.part, limits, window, inside[window], view))
    return pieces


def _dice(
    channels: list[np.ndarray],
    part: np.ndarray | None,
    limits: list[tuple[np.ndarray, float]],
    window: tuple[slice, slice],
    inside: np.ndarray,
    view: View,
) -> tuple[np.ndarray, ...]:
    """Interpolate a window of a surface's channels (x, y, distance, temperature) to steps of about a pixel.

    Points outside the view, or where a grid is not above its limit, are left out.
    """
    across, down = (_factor(channels[0][window], channels[1][window], axis, inside) for axis in (1, 0))

    def fine(channel: np.ndarray, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
        coarse = np.ascontiguousarray(channel[window])
        rows, columns = (coarse.shape[0] - 1) * down + 1, (coarse.shape[1] - 1) * across + 1
        grid = cv2.resize(coarse, None, fx=across, fy=down, interpolation=interpolation)
        top, left = down // 2, across // 2  # what resize repeats at the borders is cut
        return grid[top : top + rows, left : left + columns].ravel()

    x, y = fine(channels[0] + 1.5).astype(np.int32) - 1, fine(channels[1] + 1.5).astype(np.int32) - 1
    visible = (x >= 0) & (x < view.width) & (y >= 0) & (y < view.height)
    for grid, limit in limits:
        visible &= fine(grid) > limit
    ok = np.flatnonzero(visible)
    seen = np.zeros(len(ok), np.uint8) if part is None else fine(part, cv2.INTER_NEAREST)[ok]
    return y[ok] * np.int32(view.width) + x[ok], fine(channels[2])[ok], fine(channels[3])[ok], seen


def _factor(x: np.ndarray, y: np.ndarray, axis: int, inside: np.ndarray) -> int:
    """How many times finer the grid must be along an axis for steps of about a pixel."""
    step = np.hypot(np.diff(x, axis=axis), np.diff(y, axis=axis))
    step = step[inside[1:] & inside[:-1] if axis == 0 else inside[:, 1:] & inside[:, :-1]]
    return int(np.clip(np.ceil(np.quantile(step, 0.98) / 0.95), 1, 32)) if step.size else 1
