"""The breathing rate in the temperature of the nostrils: air warmed in the lungs passes them, then air of the room.

Method: gaps are filled, slow drift is taken off, and the rate is where the power spectrum (Welch) is greatest between
6 and 30 breaths a minute (e.g. Pereira et al., *Remote monitoring of breathing dynamics using infrared thermography*,
Biomed. Opt. Express 2015).
"""

from dataclasses import dataclass

import numpy as np

BAND = (0.1, 0.5)
"""Hz of breathing at rest: 6 to 30 breaths a minute."""
MIN_SECONDS = 30.0
MIN_MEASURED = 0.5
"""Share of the frames that must have a temperature."""
MIN_CHANGE = 1e-3
"""K; far below any camera's noise, so nothing was measured, and rounding has rhythms of its own."""
SEGMENT_SECONDS = 60.0
"""Longer sequences are averaged over segments of this length, half overlapping."""
GRID_HZ = 0.002
"""Spectra are sampled at least this densely; a parabola through the greatest three values does the rest."""


@dataclass(frozen=True)
class Breathing:
    """What a sequence says about breathing.

    Attributes:
        filtered: (T,) float64, the temperature within :data:`BAND` in K, gaps filled; None where there is no rate.
        frequencies: (F,) float64 Hz within :data:`BAND`, and ``power`` there, (F,) float64 in K^2/Hz; None likewise.
        power: see ``frequencies``.
        rate: breaths a minute; None where none can be told, as ``note`` says.
        clear: whether one peak stands out as noise and drift hardly ever make one; see :func:`breathing`.
        note: a sentence for people.
    """

    filtered: np.ndarray | None
    frequencies: np.ndarray | None
    power: np.ndarray | None
    rate: float | None
    clear: bool
    note: str


def breathing(temperature: np.ndarray, fps: float) -> Breathing:
    """Find the breathing rate in the mean temperature of the nostrils.

    A rate is *clear* if the power around the peak makes up more than 0.4 + 12 s / duration (of 60 s at most) of the
    band's, both in the spectrum of the temperature and in that of its rate of change. In the first a drift has its own
    peak at the low end, in the second noise has one at the high end; only an oscillation stands out in both. Of
    simulated white noise, 1/f noise and random walks at most one in fifty sequences of 30 s exceeds that, and of
    longer ones fewer than one in a hundred.

    Args:
        temperature: (T,) float, deg C, of consecutive frames; NaN where there is none.
        fps: frames per second.

    >>> seconds = np.arange(0, 60, 0.1)
    >>> found = breathing(33 + 0.3 * np.sin(2 * np.pi * seconds * 15 / 60), fps=10)
    >>> found.note
    '15.0 breaths a minute'
    """
    temperature = np.asarray(temperature, np.float64)
    seconds, measured = len(temperature) / fps, np.isfinite(temperature)
    problem = _problem(seconds, fps, temperature[measured], len(temperature))
    if problem:
        return Breathing(None, None, None, None, False, f"no breathing rate: {problem}")
    from scipy import signal

    index = np.arange(len(temperature))
    filled = np.interp(index, index[measured], temperature[measured])
    sections = signal.butter(2, BAND, btype="bandpass", fs=fps, output="sos")
    filtered = signal.sosfiltfilt(sections, filled, padlen=min(len(filled) - 1, int(10 * fps)))
    length = min(len(filled), round(SEGMENT_SECONDS * fps))
    frequencies, power = signal.welch(
        filled, fps, nperseg=length, nfft=max(length, round(fps / GRID_HZ)), detrend="linear"
    )
    inside = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    frequencies, power = frequencies[inside], power[inside]
    peak = _peak(frequencies, power)
    if peak is None:
        note = "no breathing rate: the spectrum has no peak between 6 and 30 breaths a minute"
        return Breathing(filtered, frequencies, power, None, False, note)
    duration = length / fps
    share = min(_share(frequencies, spectrum, peak, duration) for spectrum in (power, power * frequencies**2))
    clear = share > 0.4 + 12 / duration
    found = f"{60 * peak:.1f} breaths a minute"
    note = found if clear else f"no clear breathing rate (the strongest rhythm has {found}, {share:.0%} of the power)"
    return Breathing(filtered, frequencies, power, 60 * peak, clear, note)


def _problem(seconds: float, fps: float, measured: np.ndarray, frames: int) -> str:
    """What rules out a rate, or nothing; ``measured`` are the temperatures that there are, of so many frames."""
    if fps < 4 * BAND[1]:
        return f"it takes at least {4 * BAND[1]:g} frames a second, and there are {fps:g}"
    if seconds < MIN_SECONDS:
        return f"it takes at least {MIN_SECONDS:g} s, and there are {seconds:.1f} s"
    share = len(measured) / frames
    if share < MIN_MEASURED:
        return f"the nostrils were measured in {share:.0%} of the frames, and it takes {MIN_MEASURED:.0%}"
    if np.ptp(measured) < MIN_CHANGE:
        return f"the temperature of the nostrils changes by less than {MIN_CHANGE:g} K"
    return ""


def _peak(frequencies: np.ndarray, power: np.ndarray) -> float | None:
    """Hz of the highest local maximum; None where there is none."""
    middle = power[1:-1]
    tops = 1 + np.flatnonzero((middle > power[:-2]) & (middle >= power[2:]))
    if not len(tops):
        return None
    top = tops[np.argmax(power[tops])]
    before, here, after = power[top - 1 : top + 2]
    shift = (before - after) / (2 * (before - 2 * here + after))
    return float(frequencies[top] + shift * (frequencies[1] - frequencies[0]))


def _share(frequencies: np.ndarray, power: np.ndarray, peak: float, duration: float) -> float:
    """Of the power, what lies within the main lobe of the Hann window, 2 / ``duration`` either side of the peak.

    What lies so near to twice the peak speaks neither for nor against it: breaths aren't sine waves.
    """
    near, harmonic = (np.abs(frequencies - centre) <= 2 / duration for centre in (peak, 2 * peak))
    return float(power[near].sum() / power[near | ~harmonic].sum())
