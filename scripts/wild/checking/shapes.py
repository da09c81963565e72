"""Drawing on thermal pictures in a figure's own coordinates: splines, strokes, blobs, textures."""

import cv2
import numpy as np

_SUBPIXEL = 4  # bits of a pixel's fraction


def spline(points: np.ndarray, closed: bool = True, steps: int = 8) -> np.ndarray:
    """The Catmull-Rom curve through ``points`` (N, 2): (M, 2) float."""
    points = np.asarray(points, float)
    before, after = (points[-1:], points[:2]) if closed else (points[:1], np.repeat(points[-1:], 2, axis=0))
    p = np.concatenate([before, points, after])
    count = len(points) if closed else len(points) - 1
    a, b, c, d = (p[k : k + count, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, 2) if closed else np.concatenate([curve.reshape(-1, 2), points[-1:]])


def ellipse(x: float, y: float, wide: float, high: float, angle: float = 0.0, power: float = 2.0) -> np.ndarray:
    """(40, 2): points of a superellipse of half axes ``wide`` and ``high``; ``power`` above 2 has corners."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    u, v = wide * np.sign(c) * np.abs(c) ** (2 / power), high * np.sign(s) * np.abs(s) ** (2 / power)
    return np.stack([x + u * np.cos(angle) - v * np.sin(angle), y + u * np.sin(angle) + v * np.cos(angle)], axis=1)


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int = 1) -> np.ndarray:
    """(H, W) float32 of about unit deviation: random values at ``cells`` (rows, columns) nodes, joined smoothly."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        nodes = [max(2, round(n * 2**octave)) for n in cells]
        grid = rng.standard_normal(nodes).astype(np.float32)
        total += 0.55**octave * cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return total


def mix(cold: float, warm: float, share: float) -> float:
    """The temperature of a thing that has ``share`` of the warmth of another."""
    return cold + share * (warm - cold)


class Patch:
    """A window of a picture with coordinates of its own; what is drawn in it changes the picture.

    Args:
        image: (H, W) float32, deg C; changed in place.
        origin: (x, y) in pixels of the figure's zero.
        unit: pixels per unit.
        roll: rad, turns x towards y.
        extent: (u0, v0, u1, v1), what of the figure's plane is drawn on, units.

    Attributes:
        image: the window, a view (h, w).
        u, v: (h, w) float32, the figure's coordinates of pixel centres.
    """

    def __init__(
        self,
        image: np.ndarray,
        origin: tuple[float, float],
        unit: float,
        roll: float = 0.0,
        extent: tuple[float, float, float, float] = (-1, -1, 1, 1),
    ) -> None:
        self.unit, self._origin = unit, np.array(origin, float)
        c, s = np.cos(roll), np.sin(roll)
        self._turn = np.array([[c, s], [-s, c]])
        u0, v0, u1, v1 = extent
        corners = self.pixels(np.array([(u0, v0), (u1, v0), (u1, v1), (u0, v1)]))
        most = np.array(image.shape[::-1])
        low = np.clip(np.floor(corners.min(0)).astype(int), 0, most - 1)
        high = np.clip(np.ceil(corners.max(0)).astype(int) + 1, low + 1, most)
        self.rows, self.columns = slice(low[1], high[1]), slice(low[0], high[0])
        self.image, self._corner = image[self.rows, self.columns], low
        y, x = np.mgrid[self.rows, self.columns]
        away = np.stack([x - origin[0], y - origin[1]], -1).astype(np.float32) / np.float32(unit)
        turned = away @ self._turn.T.astype(np.float32)
        self.u, self.v = np.ascontiguousarray(turned[..., 0]), np.ascontiguousarray(turned[..., 1])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the figure in pixels of the whole picture."""
        return self._origin + self.unit * np.asarray(points, float) @ self._turn

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.rint((self.pixels(points) - self._corner) * 2**_SUBPIXEL).astype(np.int32)

    def area(self, points: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """(h, w) float32, 1 inside the polygon ``points`` (N, 2), its edge ``soft`` units wide."""
        mask = np.zeros(self.u.shape, np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 255, cv2.LINE_AA, _SUBPIXEL)
        return self.soften(mask.astype(np.float32) / 255, soft)

    def stroke(self, points: np.ndarray, width: float, soft: float = 0.0) -> np.ndarray:
        """(h, w) float32, 1 on a line of ``width`` units through ``points`` (N, 2)."""
        mask = np.zeros(self.u.shape, np.uint8)
        pixels = max(1, round(width * self.unit))
        cv2.polylines(mask, [self._fixed(points)], False, 255, pixels, cv2.LINE_AA, _SUBPIXEL)
        return self.soften(mask.astype(np.float32) / 255 * min(1.0, width * self.unit / pixels), soft)

    def blob(self, u: float, v: float, wide: float, high: float | None = None, angle: float = 0.0) -> np.ndarray:
        """(h, w) float32, a Gaussian of peak 1 at (u, v); deviations ``wide`` and ``high`` units."""
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        x, y = self.u - np.float32(u), self.v - np.float32(v)
        along, across = (c * x + s * y) / np.float32(wide), (c * y - s * x) / np.float32(high or wide)
        return np.exp(np.float32(-0.5) * (along * along + across * across))

    def soften(self, mask: np.ndarray, soft: float) -> np.ndarray:
        """``mask`` blurred by ``soft`` units."""
        sigma = soft * self.unit
        return cv2.GaussianBlur(mask, (0, 0), sigma) if sigma > 0.3 else mask

    def depth(self, mask: np.ndarray) -> np.ndarray:
        """(h, w) float32, units from the edge of ``mask`` inwards; the picture's edge is none."""
        return cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / np.float32(self.unit)

    def texture(self, rng: np.random.Generator, wide: float, high: float | None = None, octaves: int = 1) -> np.ndarray:
        """(h, w) float32 noise of about unit deviation whose grains are ``wide`` x ``high`` units."""
        shape = self.u.shape
        cells = (shape[0] / self.unit / (high or wide), shape[1] / self.unit / wide)
        return noise(rng, shape, tuple(min(c, s) for c, s in zip(cells, shape, strict=True)), octaves)

    def paint(self, mask: np.ndarray, heat: np.ndarray | float) -> None:
        """Cover what is there with ``heat`` (deg C) where ``mask`` is 1."""
        self.image += mask * (heat - self.image)

    def warm(self, mask: np.ndarray, degrees: float) -> None:
        """Add ``degrees`` where ``mask`` is 1."""
        self.image += mask * np.float32(degrees)
