"""Smooth random fields, the same scene at any resolution because their lattices are fixed."""

import cv2
import numpy as np


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> np.ndarray:
    """Band-limited Gaussian noise: a lattice of normal values, interpolated by cubics.

    Args:
        rng: source of the lattice.
        shape: (rows, columns) of the result.
        cells: lattice points down and across; more are finer.

    Returns:
        float32 ``shape``, mean about 0, standard deviation about 0.7.
    """
    lattice = rng.standard_normal((max(cells[0], 2), max(cells[1], 2)), dtype=np.float32)
    return cv2.resize(lattice, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], octaves: int = 3
) -> np.ndarray:
    """Sum of :func:`smooth_noise` over ``octaves``, each twice as fine and half as strong; float32 ``shape``."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        scale = 2**octave
        total += smooth_noise(rng, shape, (cells[0] * scale, cells[1] * scale)) / scale
    return total


def smoothstep(x: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, a cubic with flat ends between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
