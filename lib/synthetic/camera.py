"""The thermal camera: optical blur, gain, drift and noise."""

from dataclasses import dataclass

import cv2
import numpy as np

from lib.synthetic.noise import smooth_noise


@dataclass(frozen=True)
class Camera:
    """One camera in one sequence.

    Attributes:
        blur: standard deviation of the optical blur, frame heights.
        netd: noise equivalent temperature difference, the standard deviation of a pixel's noise, K (0.02 to 0.1).
        gain: relative error of temperature differences, about 1.
        offset: deg C.
        drift: deg C, size of slow changes over the image and between frames.
    """

    blur: float
    netd: float
    gain: float
    offset: float
    drift: float


def draw_camera(rng: np.random.Generator, defocus: bool = False) -> Camera:
    """Draw a camera; ``defocus`` has it badly focused."""
    return Camera(
        blur=float(rng.uniform(2.5, 6.0) if defocus else rng.uniform(0.8, 1.7)) / 768,
        netd=float(rng.uniform(0.02, 0.1)),
        gain=float(rng.normal(1.0, 0.01)),
        offset=float(rng.normal(0, 0.1)),
        drift=float(rng.uniform(0.03, 0.15)),
    )


def apply_optics(scene: np.ndarray, camera: Camera) -> np.ndarray:
    """The scene through the optics; float32 (H, W), deg C."""
    sigma = max(camera.blur * scene.shape[0], 0.3)
    return cv2.GaussianBlur(scene, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


def read_sensor(image: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """What the sensor reads of the image on it: drift, gain and noise; float32 (H, W), deg C."""
    drift = camera.drift * (smooth_noise(rng, image.shape, (3, 4)) + rng.standard_normal())
    middle = 28.0
    reading = middle + camera.gain * (image - middle) + camera.offset + drift
    return (reading + camera.netd * rng.standard_normal(image.shape, dtype=np.float32)).astype(np.float32)
