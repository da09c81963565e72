"""Cameras of every kind: small and large sensors, their faults, and what their software does to a picture."""

import cv2
import numpy as np

from lib.synthetic.noise import smooth_noise

_ROWS = (60, 96, 120, 160, 192, 240, 256, 288, 384, 480, 512)
"""Rows of usual sensors, pixels."""


def simulate_camera(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What some camera delivers of a scene, at the scene's size.

    Args:
        scene: float32 (H, W), deg C, sharp.
        rng: source of the camera.

    Returns:
        float32 (H, W), deg C; of a camera that delivers grey levels, these, spread over temperatures of a room.
    """
    height, width = scene.shape
    rows = min(int(rng.choice(_ROWS)), height)
    small = (max(round(width * rows / height), 8), rows)
    blur = rng.uniform(0.3, 0.9) if rng.random() < 0.85 else rng.uniform(0.9, 2.2)  # sensor pixels
    soft = cv2.GaussianBlur(scene, (0, 0), max(blur * height / rows, 0.3))
    if rng.random() < 0.08:
        soft = _moved(soft, rng)
    image = cv2.resize(soft, small, interpolation=cv2.INTER_AREA)
    image = _faults(image, rng)
    if rng.random() < 0.75:
        image = _display(image, rng)
    way = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST), p=(0.5, 0.35, 0.15))
    return cv2.resize(image, (width, height), interpolation=int(way)).astype(np.float32)


def _moved(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Motion blur."""
    length, angle = rng.uniform(0.005, 0.03) * image.shape[0], rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length)) + 1
    kernel = np.zeros((size, size), np.float32)
    offset = length * np.array([np.cos(angle), np.sin(angle)])
    start, end = (np.rint(size // 2 + sign * offset).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _faults(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise (NETD 20 to 250 mK), fixed patterns of rows and columns, shading, dead pixels."""
    shape = image.shape
    netd = np.exp(rng.uniform(np.log(0.02), np.log(0.25)))
    image = image + netd * rng.standard_normal(shape, dtype=np.float32)
    stripes = rng.uniform(0, 0.25) if rng.random() < 0.35 else 0.02
    image += stripes * rng.standard_normal((1, shape[1])) + 0.5 * stripes * rng.standard_normal((shape[0], 1))
    image += rng.uniform(0, 0.6) * smooth_noise(rng, shape, (3, 4))
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
        image += rng.normal(0, 1.2) * (x * x + y * y)
    if rng.random() < 0.15:
        dead = rng.random(shape) < rng.uniform(0, 6e-4)
        image[dead] = rng.choice((image.min(), image.max()))
    return image.astype(np.float32)


def _display(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Automatic gain, sharpening, eight bits, compression, marks on the picture: grey levels as 20 to 36 deg C."""
    low, high = np.quantile(image, (rng.uniform(0, 0.02), 1 - rng.uniform(0, 0.02) * (rng.random() < 0.6)))
    grey = np.clip((image - low) / max(high - low, 0.5), 0, 1)
    if rng.random() < 0.45:
        grey += rng.uniform(0.2, 1.0) * (
            equalise_with_plateau(grey, np.exp(rng.uniform(np.log(1.5), np.log(60)))) - grey
        )
    if rng.random() < 0.3:
        grey = grey ** rng.uniform(0.6, 1.6)
    if rng.random() < 0.5:
        grey += rng.uniform(0.3, 1.8) * (grey - cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.8, 3.0)))
    picture = (255 * np.clip(grey, 0, 1)).astype(np.uint8)
    if rng.random() < 0.15:
        _mark(picture, rng)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_GRAYSCALE)
    return 20 + 16 * picture.astype(np.float32) / 255


def equalise_with_plateau(grey: np.ndarray, plateau: float) -> np.ndarray:
    """Histogram equalisation that counts no level more often than ``plateau`` times the mean: what infrared cores do.

    The lower the plateau, the more nearly linear the gain; a high one equalises in full.

    Args:
        grey: float32 (H, W), 0 to 1.
        plateau: at least 1.

    Returns:
        float32 (H, W), 0 to 1.
    """
    bins = 512
    level = np.minimum((grey * bins).astype(np.int32), bins - 1)
    counts = np.minimum(np.bincount(level.ravel(), minlength=bins), plateau * grey.size / bins)
    share = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    return np.interp(grey * bins, np.arange(bins + 1), share).astype(np.float32)


def _mark(picture: np.ndarray, rng: np.random.Generator) -> None:
    """Numbers, a cross and a scale, as cameras write over their pictures; in place."""
    height, width = picture.shape
    size = height / 400
    for _ in range(int(rng.integers(1, 4))):
        place = (
            int(rng.uniform(0, 0.8) * width),
            int(rng.choice((rng.uniform(0.05, 0.12), rng.uniform(0.9, 0.98))) * height),
        )
        cv2.putText(picture, f"{rng.uniform(15, 45):.1f}", place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, 1, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.drawMarker(picture, (width // 2, height // 2), 255, cv2.MARKER_CROSS, max(int(0.05 * height), 3), 1)
    if rng.random() < 0.5:
        left = int(width * 0.95)
        bar = np.linspace(255, 0, int(0.6 * height)).astype(np.uint8)[:, None]
        picture[int(0.2 * height) : int(0.2 * height) + len(bar), left : left + max(width // 40, 1)] = bar
