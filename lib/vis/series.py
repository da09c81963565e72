"""Figures of what was measured over a sequence: temperatures of regions, and breathing."""

import os
from collections.abc import Mapping

import numpy as np

from lib.utils.files import atomic_write
from lib.vis.style import BACKGROUND, COLOURS, FAINT, INK

STYLES = ("-", "--", ":", "-.")
"""Of lines, once all colours are used; lines also carry their names."""
LABEL_HEIGHT = 0.05
"""Of the axes, which a line's name takes."""
MARKED = 60
"""Up to so many frames are marked one by one; single ones between gaps would show no line."""


def load_figures() -> None:
    """Import what draws figures: a third of a second, which a thread can spend before they are wanted."""
    import matplotlib.figure  # noqa: F401


def save_region_series(path: str | os.PathLike, x: np.ndarray, x_label: str, series: Mapping[str, np.ndarray]) -> None:
    """Write a figure of the mean temperature of each region over a sequence as a PNG.

    Args:
        path: the file.
        x: (T,) time in s or frame number.
        x_label: what that is.
        series: (T,) deg C by region; NaN leaves a gap, and regions of nothing else are left out.
    """
    figure, (axes,) = _figure(1, (9, 4.8))
    series = {name: values for name, values in series.items() if np.isfinite(values).any()}
    for index, (name, values) in enumerate(series.items()):
        colour, style = COLOURS[index % len(COLOURS)], STYLES[index // len(COLOURS) % len(STYLES)]
        marker = "." if len(x) <= MARKED else None
        axes.plot(x, values, color=colour, linestyle=style, linewidth=1.2, marker=marker, label=name.replace("_", " "))
    axes.set(xlabel=x_label, ylabel="mean temperature (°C)")
    axes.set_title("Temperature of the regions", loc="left", fontsize=12)
    axes.margins(x=0)
    axes.xaxis.get_major_locator().set_params(integer=x_label == "frame")
    _name_lines(axes)
    _save(figure, path)


def save_breathing(
    path: str | os.PathLike,
    time: np.ndarray,
    temperature: np.ndarray,
    filtered: np.ndarray,
    frequencies: np.ndarray,
    power: np.ndarray,
    rate: float | None,
    title: str,
) -> None:
    """Write a figure of the nostrils' temperature, its part in the band of breathing, and that part's spectrum.

    Args:
        path: the file, a PNG.
        time: (T,) s.
        temperature: (T,) deg C, NaN where there is none.
        filtered: (T,) K.
        frequencies: (F,) Hz.
        power: (F,) K^2/Hz.
        rate: breaths a minute, marked in the spectrum; None for none.
        title: what was found.
    """
    figure, (raw, band, spectrum) = _figure(3, (9, 7.5))
    raw.plot(time, temperature, color=INK, linewidth=1)
    raw.set(xlabel="time (s)", ylabel="nostrils (°C)")
    raw.set_title(title.replace(" (", "\n(", 1), loc="left", fontsize=12)  # long ones would be cut off
    band.plot(time, filtered, color=COLOURS[0], linewidth=1.2)
    band.axhline(0, color=FAINT, linewidth=0.8)
    band.set(xlabel="time (s)", ylabel="band-passed (K)")
    spectrum.plot(60 * frequencies, power / max(power.max(), np.finfo(float).tiny), color=COLOURS[0], linewidth=1.2)
    if rate is not None:
        spectrum.axvline(rate, color=COLOURS[1], linestyle="--", linewidth=1.2)
        spectrum.annotate(
            f" {rate:.1f}", (rate, 1), xycoords=("data", "axes fraction"), va="top", color=COLOURS[1], fontsize=11
        )
    spectrum.set(xlabel="breaths per minute", ylabel="power (greatest = 1)", ylim=(0, None))
    for axes in (raw, band, spectrum):
        axes.margins(x=0)
    _save(figure, path)


def _figure(rows: int, size: tuple[float, float]):
    """A figure of ``rows`` axes, one above the other."""
    from matplotlib.figure import Figure

    figure = Figure(size, facecolor=BACKGROUND, layout="constrained")
    every = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for axes in every:
        axes.set_facecolor(BACKGROUND)
        axes.tick_params(colors=INK)
        axes.grid(color=FAINT, alpha=0.3, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.title.set_color(INK)
        axes.xaxis.label.set_color(INK)
        axes.yaxis.label.set_color(INK)
    return figure, every


def _name_lines(axes) -> None:
    """Write each line's name to the right of it, apart from each other."""
    ends = []
    for line in axes.get_lines():
        values = np.asarray(line.get_ydata(), float)
        values = values[np.isfinite(values)]
        ends.append((float(np.median(values[-max(1, len(values) // 20) :])), line))
    low, high = axes.get_ylim()
    heights = [(value - low) / (high - low) for value, _ in sorted(ends, key=lambda end: end[0])]
    for height, (_, line) in zip(_spread(heights), sorted(ends, key=lambda end: end[0]), strict=True):
        axes.annotate(
            line.get_label(),
            (1.01, height),
            xycoords="axes fraction",
            color=line.get_color(),
            va="center",
            fontsize=10,
        )


def _spread(heights: list[float]) -> list[float]:
    """Ascending heights moved to be :data:`LABEL_HEIGHT` apart and, if they fit, within 0 to 1."""
    if not heights:
        return []
    places = np.array(heights)
    steps = LABEL_HEIGHT * np.arange(len(places))
    # Up and down passes; the mean of the two is apart as well, and biased neither way.
    upward = np.maximum.accumulate(places - steps) + steps
    downward = np.minimum.accumulate((places - steps)[::-1])[::-1] + steps
    places = np.maximum((upward + downward) / 2, steps)
    return np.minimum(places, 1 - steps[::-1]).tolist()


def _save(figure, path: str | os.PathLike) -> None:
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=130)
