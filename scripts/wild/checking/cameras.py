"""Cameras: optics, sensors with their faults, and what software makes of a picture."""

import cv2
import numpy as np

from scripts.wild.checking.shapes import noise

SENSORS = ((60, 80), (120, 160), (144, 192), (192, 256), (240, 320), (288, 384), (480, 640), (512, 640))
"""Rows and columns, pixels."""
_ODDS = (0.06, 0.2, 0.06, 0.12, 0.2, 0.12, 0.12, 0.12)


def draw_sensor(rng: np.random.Generator) -> tuple[int, int]:
    """Rows and columns of some camera's sensor."""
    return SENSORS[rng.choice(len(SENSORS), p=_ODDS)]


def record(scene: np.ndarray, sensor: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """What the sensor measures of a scene.

    Args:
        scene: (H, W) float32, deg C; H and W are the sensor's, or a whole multiple of it.
        sensor: rows and columns.
        rng: source of lens, noise and faults.

    Returns:
        float32 of ``sensor``, deg C.
    """
    more = scene.shape[0] / sensor[0]
    blur = rng.uniform(0.35, 0.9) if rng.random() < 0.85 else rng.uniform(1.0, 2.2)
    image = cv2.GaussianBlur(scene, (0, 0), blur * more)
    if rng.random() < 0.06:  # the person or the camera moved
        kernel = np.zeros((15, 15), np.float32)
        cv2.line(kernel, tuple(rng.integers(0, 15, 2).tolist()), tuple(rng.integers(0, 15, 2).tolist()), 1.0)
        image = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    image = cv2.resize(image, sensor[::-1], interpolation=cv2.INTER_AREA)
    return (image + _faults(sensor, rng)).astype(np.float32)


def _faults(sensor: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(rows, columns), deg C: NETD, fixed patterns, shading by lens and housing, drift, dead pixels."""
    added = np.exp(rng.uniform(np.log(0.02), np.log(0.15))) * rng.standard_normal(sensor)
    columns = rng.uniform(0.03, 0.2) if rng.random() < 0.3 else 0.015
    added += columns * rng.standard_normal((1, sensor[1])) + 0.4 * columns * rng.standard_normal((sensor[0], 1))
    added += 0.03 * rng.standard_normal(sensor) + rng.uniform(0, 0.4) * noise(rng, sensor, (3, 4))
    y, x = np.mgrid[-1 : 1 : sensor[0] * 1j, -1 : 1 : sensor[1] * 1j]
    if rng.random() < 0.4:
        added += rng.normal(-0.3, 0.8) * (x * x + y * y)
    if rng.random() < 0.1:
        dead = rng.random(sensor) < 3e-4
        added[dead] += rng.choice((-15, 15))
    return added + rng.normal(0, 0.8)


def to_grey(image: np.ndarray, black_hot: bool, rng: np.random.Generator) -> np.ndarray:
    """Automatic gain, equalisation, sharpening and compression: (H, W) uint8, the warmest white or black."""
    low, high = np.percentile(image, (rng.uniform(0, 1.5), rng.uniform(98.5, 100)))
    grey = np.clip((image - low) / max(high - low, 2.0), 0, 1)
    method = rng.random()
    if method < 0.25:
        grey += rng.uniform(0.3, 1.0) * (_plateau(grey, rng.uniform(1.5, 8)) - grey)
    elif method < 0.4:
        tiles = int(rng.integers(2, 8))
        local = cv2.createCLAHE(rng.uniform(1, 4), (tiles, tiles)).apply((255 * grey).astype(np.uint8))
        grey = local.astype(np.float32) / 255
    if rng.random() < 0.45:  # halos
        grey += rng.uniform(0.3, 2.0) * (grey - cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.8, 3.0)))
    grey = np.clip(grey, 0, 1) ** rng.uniform(0.75, 1.3)
    if rng.random() < 0.2:  # shown larger than measured
        grey = cv2.resize(grey, None, fx=2, fy=2, interpolation=int(rng.choice((cv2.INTER_CUBIC, cv2.INTER_LINEAR))))
    picture = np.clip(255 * grey, 0, 255).astype(np.uint8)
    if black_hot:
        picture = 255 - picture
    if rng.random() < 0.15:
        _write_over(picture, rng)
    if rng.random() < 0.45:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_GRAYSCALE)
    return picture


def _plateau(grey: np.ndarray, most: float) -> np.ndarray:
    """Histogram equalisation in which no level counts more than ``most`` times the average."""
    counts = np.histogram(grey, 256, (0, 1))[0].astype(float)
    table = np.cumsum(np.minimum(counts, most * counts.mean()))
    return np.interp(grey, np.linspace(0, 1, 256), table / table[-1]).astype(np.float32)


def _write_over(picture: np.ndarray, rng: np.random.Generator) -> None:
    """A temperature and a cross, as viewers write over pictures; in place."""
    height, width = picture.shape
    text, place = f"{rng.uniform(20, 40):.1f} C", (width // 40 + 1, int(0.08 * height) + 5)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, max(height / 500, 0.25), 255, 1, cv2.LINE_AA)
    cv2.drawMarker(picture, (width // 2, height // 2), 255, cv2.MARKER_CROSS, max(height // 20, 5), 1)
