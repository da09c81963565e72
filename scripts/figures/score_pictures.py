"""The picture of scores on real faces with several networks."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.vis.style import COLOURS, INK
from scripts.drivers.run_benchmark_plan import FOLDS
from scripts.figures.score_tables import of_folds, over_networks
from scripts.thermalFaceDB.tables.plan import NETWORKS
from scripts.thermalFaceDB.tables.render import LEAST_PAIRS, Results, title_of

_MARKERS = "osD^vP"


def overview_picture(results: Results) -> Figure:
    """Scores above, differences below, a column per set, a colour and a marker per network.

    Args:
        results: of :func:`scripts.figures.score_tables.read`.
    """
    rows, pairs = results.table.rows, results.pairs()
    figure = Figure(figsize=(3.4 + 3 * len(results.scores), 2 + 0.5 * (len(rows) + len(pairs))), layout="constrained")
    axes = figure.subplots(
        2, len(results.scores), squeeze=False, sharex="row", sharey="row", height_ratios=[len(rows) + 1, len(pairs) + 1]
    )
    for column, name in enumerate(results.scores):
        _draw_scores(axes[0, column], results, name)
        _draw_differences(axes[1, column], results, name)
        axes[0, column].set_title(name)
    _name(axes[0, 0], [row.title for row in rows])
    _name(axes[1, 0], [f"{row.title}\nagainst {other}" for row, other in pairs])
    figure.suptitle(title_of(results))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _marks(results: Results) -> Iterator[tuple[str, float, dict]]:
    """Each network with its offset from the row's place, and how it is drawn."""
    count = len(results.networks)
    for index, network in enumerate(results.networks):
        style = {"marker": _MARKERS[index], "color": COLOURS[index], "linestyle": "none"}
        yield network, 0.13 * (index - (count - 1) / 2), style


def _draw_scores(axes: Axes, results: Results, name: str) -> None:
    for network, offset, style in _marks(results):
        for place, row in enumerate(results.table.rows):
            folds = of_folds(results.of(name, network, row.title)).values()
            axes.plot(list(folds), [place + offset] * len(folds), markersize=3, alpha=0.5, **style)
            if len(folds) == len(FOLDS):
                axes.plot(sum(folds) / len(folds), place + offset, markersize=6, **style)
        axes.plot([], [], label=NETWORKS[network].title, **style)
    _finish(axes, len(results.table.rows), "mIoU (%), mean of the folds, and each")


def _draw_differences(axes: Axes, results: Results, name: str) -> None:
    axes.axvline(0, color="grey", linewidth=1)
    for place, (row, other) in enumerate(results.pairs()):
        for network, offset, style in _marks(results):
            folds = of_folds(results.differences(name, network, row, other)).values()
            axes.plot(list(folds), [place + offset] * len(folds), markersize=4, alpha=0.7, zorder=3, **style)
        mean = over_networks(results, name, row, other)
        if mean is None:
            continue
        if mean.interval is not None and mean.count >= LEAST_PAIRS:
            axes.plot(mean.interval, [place] * 2, color=INK, linewidth=2)
        axes.plot(mean.mean, place, "|", color=INK, markersize=18, markeredgewidth=3)
    _finish(axes, len(results.pairs()), "difference (points) of each network and fold;\nblack: mean, 95 % interval")


def _name(axes: Axes, titles: list[str]) -> None:
    axes.set_yticks(range(len(titles)), titles, fontsize="small")


def _finish(axes: Axes, count: int, unit: str) -> None:
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_xlabel(unit, fontsize="small")
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    for between in range(1, count):
        axes.axhline(between - 0.5, color="#eeeeee", linewidth=0.5)
