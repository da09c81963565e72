"""The plot of costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.utils.files import atomic_write
from scripts.benchmarks.measure import Samples


def draw_costs(path: Path, series: Mapping[str, Sequence[Any]], costs: Mapping[Any, Mapping[str, Samples]]) -> None:
    """Milliseconds against what varies in each series, both logarithmic, with dotted lines where cost is linear.

    Args:
        path: a PNG file.
        series: cases by the name of the attribute that varies in them; their ``work`` is what costs grow with.
        costs: of each case, by part.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4), layout="constrained")
    for axes, (name, cases) in zip(figure.subplots(1, len(series)), series.items(), strict=True):
        at = [getattr(case, name) for case in cases]
        for part in costs[cases[0]]:
            medians = [costs[case][part].median for case in cases]
            (line,) = axes.plot(at, medians, "o-", label=part)
            middle = len(at) // 2
            unit = medians[middle] / cases[middle].work(part)
            linear = [unit * case.work(part) for case in cases]
            axes.plot(at, linear, ":", color=line.get_color(), linewidth=1)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(at, labels=map(str, at))
        axes.minorticks_off()
        axes.set_xlabel({"height": "height of the frames, pixels", "batch": "images in a batch"}.get(name, name))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("ms for a batch (dotted: linear)")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper")
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=100)
