"""Transforms of the temperatures: blur, sensor noise, a shift. They work at the scale of the canvas they
come to.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import prod
from statistics import NormalDist

import numpy as np

from lib.datasets.transforms.state import Operation, Shape, TransformState, gaussian_blur


def sensor_noise(netd: float, seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """White Gaussian noise, float32 deg C, whose standard deviation is ``netd`` (noise-equivalent
    differential temperature); the same for the same seed. It takes one of 65,536 values, as a sensor's counts do.

    >>> sensor_noise(0.1, seed=1, shape=(240, 320)).std().round(2)
    np.float32(0.1)
    """
    size = prod(shape)
    numbers = np.random.SFC64(seed).random_raw(-(-size // 4)).view(np.uint16)[:size].reshape(shape)
    # Four pixels from each random number and no arithmetic: a fifth of the time of drawing normal deviates.
    return np.take(_normal_quantiles() * np.float32(netd), numbers, mode="clip")


@cache
def _normal_quantiles() -> np.ndarray:
    """The normal distribution in 2^16 equally likely values, float32."""
    quantile = NormalDist().inv_cdf
    lower = np.array([quantile((rank + 0.5) / 2**16) for rank in range(2**15)], np.float32)
    return np.concatenate([lower, -lower[::-1]])


def draw_seed(rng: np.random.Generator) -> int:
    """A seed for :func:`sensor_noise`, so that a record of an operation stays small."""
    return int(rng.integers(2**63))


@dataclass(frozen=True)
class Blur(Operation):
    """Gaussian blur, ``sigma`` in pixels."""

    sigma: float

    def apply(self, state: TransformState) -> TransformState:
        """Blur the image at its own scale."""
        state = state.at_own_scale()
        return replace(state, image=gaussian_blur(state.image, self.sigma))


@dataclass(frozen=True)
class Noise(Operation):
    """Sensor noise of standard deviation ``netd`` deg C."""

    netd: float
    seed: int

    def apply(self, state: TransformState) -> TransformState:
        """Add noise to the image at its own scale."""
        state = state.at_own_scale()
        image = sensor_noise(self.netd, self.seed, state.image.shape)
        image += state.image
        return replace(state, image=image)


@dataclass(frozen=True)
class Shift(Operation):
    """Add ``value``, in the image's unit, to every pixel."""

    value: float

    def apply(self, state: TransformState) -> TransformState:
        """Add the value to the image."""
        return replace(state, image=state.image + np.float32(self.value))


@dataclass(frozen=True)
class GaussianBlur:
    """Blur with a sigma drawn uniformly between two limits in pixels."""

    blur_sigma_min: float = 1.0
    blur_sigma_max: float = 1.2

    def draw(self, rng: np.random.Generator, shape: Shape) -> Blur:
        """A blur of one sigma."""
        return Blur(rng.uniform(self.blur_sigma_min, self.blur_sigma_max))


@dataclass(frozen=True)
class ThermalNoise:
    """Sensor noise with a standard deviation drawn uniformly between 0 and a limit in deg C."""

    max_noise_equivalent_differential_temperature: float = 0.1

    def draw(self, rng: np.random.Generator, shape: Shape) -> Noise:
        """Noise of one strength, and the seed of its values."""
        return Noise(rng.uniform(0, self.max_noise_equivalent_differential_temperature), draw_seed(rng))


@dataclass(frozen=True)
class RandomBrightness:
    """Shift all values by one number drawn uniformly from [-shift_value, shift_value]."""

    shift_value: float = 10.0

    def draw(self, rng: np.random.Generator, shape: Shape) -> Shift:
        """A shift by one value."""
        return Shift(rng.uniform(-self.shift_value, self.shift_value))
