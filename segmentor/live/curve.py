"""The temperature of the nostrils over the last minute, and the breathing rate in it."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from lib.metrics.breathing import BAND, Breathing, breathing

SECONDS = 60.0
"""That are kept."""
SAMPLES_PER_SECOND = 10.0
"""Of the curve; frames come unevenly, and methods for breathing want them even."""
LONGEST_GAP = 1.0
"""Seconds without a temperature up to which the curve is drawn through."""


@dataclass(frozen=True)
class Curve:
    """An evenly sampled temperature.

    Attributes:
        seconds: (T,) float64 before now, from at most :data:`SECONDS` to 0, negative.
        celsius: (T,) float64; NaN in gaps.
        found: the breathing in it.
    """

    seconds: np.ndarray
    celsius: np.ndarray
    found: Breathing


class NostrilCurve:
    """Gathers the temperature of the nostrils, frame by frame, at whatever moments frames come."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()

    def add(self, seconds: float, celsius: float | None) -> None:
        """Append a frame.

        Args:
            seconds: when it was taken; a time before the last frame's begins the curve anew.
            celsius: of the nostrils; None where they weren't measured.
        """
        if self._points and seconds < self._points[-1][0]:
            self._points.clear()
        self._points.append((seconds, np.nan if celsius is None else celsius))
        while self._points[0][0] < seconds - SECONDS:
            self._points.popleft()

    def curve(self) -> Curve:
        """The curve up to the last frame, between the moments of frames by straight lines."""
        times, celsius = np.array(self._points, np.float64).reshape(-1, 2).T
        span = times[-1] - times[0] if len(times) else 0.0
        count = int(span * SAMPLES_PER_SECOND) + 1
        grid = -np.arange(count)[::-1] / SAMPLES_PER_SECOND
        values = _resampled(times - times[-1] if len(times) else times, celsius, grid)
        if span > 1 and (frames_per_second := (len(times) - 1) / span) < 4 * BAND[1]:
            # What is between them must not be invented.
            return Curve(grid, values, breathing(celsius, frames_per_second))
        return Curve(grid, values, breathing(values, SAMPLES_PER_SECOND))


def _resampled(times: np.ndarray, values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Values at the moments of ``grid``; NaN where known ones are farther apart than :data:`LONGEST_GAP`."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(grid), np.nan)
    times, values = times[known], values[known]
    after = np.searchsorted(times, grid).clip(0, len(times) - 1)
    before = (np.searchsorted(times, grid, "right") - 1).clip(0)
    inside = (grid >= times[0] - 1e-9) & (grid <= times[-1] + 1e-9)
    near = inside & (times[after] - times[before] <= LONGEST_GAP)
    return np.where(near, np.interp(grid, times, values), np.nan)
