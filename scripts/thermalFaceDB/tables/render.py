"""A table as Markdown, CSV and picture."""

import csv
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from lib.metrics.statistics import Difference, Scores, paired_difference, summarise
from lib.utils.files import atomic_write
from lib.vis.report.numbers import MINUS
from lib.vis.style import COLOURS
from scripts.thermalFaceDB.tables.plan import NETWORKS, Row, Table

COLUMNS = (
    *("set", "network", "strategy", "seeds", "miou", "mean", "std"),
    *("compared_to", "pairs", "difference", "interval_low", "interval_high"),
)
"""Of ``table.csv``; ``seeds`` and ``miou`` are lists with spaces; scores are in percent, differences in points."""
CELL_COLUMNS = ("set", "network", "strategy", "seed", "score", "percent")
"""Of ``cells.csv``: each cell's mIoU and IoU of every class."""
MIOU = "mIoU"
LEAST_PAIRS = 3
"""Of differences, for an interval in a picture: that of two is some ten times as wide as they are apart."""


@dataclass(frozen=True)
class Results:
    """What a table shows.

    Attributes:
        table: its rows and notes.
        seeds: that were asked for, by network, a key of :data:`NETWORKS`.
        scores: in percent, by set, network and strategy, name (``mIoU`` or a class) and seed; what is missing is not
            there.
        paces: seconds per iteration by network and strategy, a number per seed.
        remarks: how the cells came about.
        failures: messages by cell.
        synthetic: the frames are.
        repeats: what the keys of ``seeds`` and of scores are, for readers.
    """

    table: Table
    seeds: Mapping[str, Sequence[int]]
    scores: Mapping[str, Mapping[tuple[str, str], Mapping[str, Scores]]]
    paces: Mapping[tuple[str, str], Scores] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    repeats: str = "seeds"

    @property
    def networks(self) -> list[str]:
        """The table's columns."""
        return list(self.seeds)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that have a score, in their order."""
        every = (name for of_set in self.scores.values() for of_cell in of_set.values() for name in of_cell)
        return [name for name in dict.fromkeys(every) if name != MIOU]

    def of(self, name: str, network: str, title: str, score: str = MIOU) -> Scores:
        """Scores by seed of the row with this title."""
        row = next(row for row in self.table.rows if row.title == title)
        return self.scores[name].get((network, row.strategy), {}).get(score, {})

    def pairs(self) -> list[tuple[Row, str]]:
        """Rows and the titles of what they are compared to."""
        return [(row, other) for row in self.table.rows for other in row.compared_to]

    def differences(self, name: str, network: str, row: Row, other: str, score: str = MIOU) -> Scores:
        """Of a row to another in the set ``name``, by seed that both have."""
        scores, baseline = self.of(name, network, row.title, score), self.of(name, network, other, score)
        return {seed: scores[seed] - baseline[seed] for seed in scores if seed in baseline}

    def difference(self, name: str, network: str, row: Row, other: str) -> Difference | None:
        """Of a row to another in the set ``name``."""
        return paired_difference(self.of(name, network, row.title), self.of(name, network, other))


def write_table(folder: Path, results: Results, draw: bool = True) -> None:
    """Write ``table.md``, ``table.csv``, ``cells.csv`` and, where ``draw``, ``table.png``."""
    with atomic_write(folder / "table.md", "w", encoding="utf-8") as file:
        file.write("\n".join(markdown(results)) + "\n")
    with atomic_write(folder / "table.csv", "w", encoding="utf-8", newline="") as file:
        write_csv(file, results)
    with atomic_write(folder / "cells.csv", "w", encoding="utf-8", newline="") as file:
        write_cells(file, results)
    if draw:
        with atomic_write(folder / "table.png") as file:
            picture(results).savefig(file, format="png", dpi=120)


def markdown(results: Results) -> Iterator[str]:
    """The table's lines."""
    seeds = ", ".join(map(str, max(results.seeds.values(), key=len)))
    yield f"# {title_of(results)}"
    yield ""
    if results.synthetic:
        yield "**Synthetic frames**: these numbers say something about code, not about people, and can't be compared"
        yield "with scores on the real database."
        yield ""
    yield f"mIoU in percent: mean ± standard deviation over the {results.repeats} {seeds}; in brackets, how many of"
    yield "them there are if not all. Differences in points, paired by these, with their 95 % interval (Student's t)."
    yield ""
    for remark in (*results.remarks, *results.table.notes):
        yield f"- {remark}"
    headings = [NETWORKS[network].title for network in results.networks]
    for name in results.scores:
        yield from ("", f"## {name[:1].upper()}{name[1:]} set", "")
        cells = [
            [row.title, *(score_text(results, name, network, row) for network in results.networks)]
            for row in results.table.rows
        ]
        yield from grid(["learning strategy", *headings], cells)
        cells = [
            [
                f"{row.title} against {other}",
                *(difference_text(results.difference(name, n, row, other)) for n in results.networks),
            ]
            for row, other in results.pairs()
        ]
        yield from ("", *grid(["difference", *headings], cells))
    if results.classes:
        yield from _classes(results)
    if results.paces:
        yield from _paces(results, headings)
    if results.failures:
        yield from ("", "## Failed", "")
        yield from (f"- `{cell}`: {message}" for cell, message in results.failures.items())


def _classes(results: Results) -> Iterator[str]:
    yield from ("", "## IoU of each class", "", f"Percent, means over the {results.repeats}.")
    for name in results.scores:
        for network in results.networks:
            cells = [
                [row.title, *(_mean_text(results.of(name, network, row.title, one)) for one in results.classes)]
                for row in results.table.rows
            ]
            yield from ("", f"{NETWORKS[network].title}, {name} set:", "")
            yield from grid(["learning strategy", *results.classes], cells)


def _mean_text(scores: Scores) -> str:
    summary = summarise(scores)
    return "-" if summary is None else f"{summary.mean:.2f}"


def _paces(results: Results, headings: list[str]) -> Iterator[str]:
    yield from ("", "## Cost", "", "Milliseconds per iteration: median of a run's log, mean over the runs; cells that")
    yield from ("ran side by side shared the machine.", "")
    cells = []
    for row in results.table.rows:
        paces = [summarise(results.paces.get((network, row.strategy), {})) for network in results.networks]
        cells.append([row.title, *("-" if pace is None else f"{1000 * pace.mean:.0f}" for pace in paces)])
    yield from grid(["learning strategy", *headings], cells)


def title_of(results: Results) -> str:
    """The table's title, which says it where frames are synthetic."""
    return f"{results.table.title}{', synthetic frames' if results.synthetic else ''}"


def grid(headings: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a Markdown table: text to the left, then numbers to the right."""
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in cells)


def score_text(results: Results, name: str, network: str, row: Row) -> str:
    """``82.11 ± 0.30``, or ``-`` without a score."""
    summary = summarise(results.of(name, network, row.title))
    if summary is None:
        return "-"
    spread = "" if summary.std is None else f" ± {summary.std:.2f}"
    missing = "" if summary.count == max(map(len, results.seeds.values())) else f" ({summary.count})"
    return f"{summary.mean:.2f}{spread}{missing}"


def difference_text(difference: Difference | None) -> str:
    """``+0.76 [+0.20, +1.32]``, or ``-`` without a pair of scores."""
    if difference is None:
        return "-"
    interval = "" if difference.interval is None else " [{}, {}]".format(*map(_signed, difference.interval))
    return f"{_signed(difference.mean)}{interval}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", MINUS)


def write_csv(file: TextIO, results: Results) -> None:
    """One line per set, network, strategy and what it is compared to; :data:`COLUMNS`."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for name in results.scores:
        for network in results.networks:
            for row in results.table.rows:
                scores = results.of(name, network, row.title)
                summary = summarise(scores)
                about = [name, network, row.title, " ".join(map(str, sorted(scores)))]
                about += [" ".join(f"{scores[seed]:.4f}" for seed in sorted(scores))]
                about += _numbers(summary and summary.mean, summary and summary.std)
                for other in row.compared_to or ("",):
                    difference = results.difference(name, network, row, other) if other else None
                    low, high = (difference and difference.interval) or (None, None)
                    numbers = _numbers(difference and difference.mean, low, high)
                    writer.writerow([*about, other, difference.count if difference else "", *numbers])


def write_cells(file: TextIO, results: Results) -> None:
    """One line per set, cell and score; :data:`CELL_COLUMNS`."""
    writer = csv.writer(file)
    writer.writerow(CELL_COLUMNS)
    for name, of_set in results.scores.items():
        for (network, strategy), of_cell in of_set.items():
            for score, by_seed in of_cell.items():
                for seed, percent in sorted(by_seed.items()):
                    writer.writerow([name, network, strategy, seed, score, f"{percent:.4f}"])


def read_cells(file: TextIO) -> dict[str, dict[tuple[str, str], dict[str, dict[Hashable, float]]]]:
    """What :func:`write_cells` wrote, as :attr:`Results.scores`; seeds are strings."""
    scores: dict[str, dict[tuple[str, str], dict[str, dict[Hashable, float]]]] = {}
    for row in csv.DictReader(file):
        of_cell = scores.setdefault(row["set"], {}).setdefault((row["network"], row["strategy"]), {})
        of_cell.setdefault(row["score"], {})[row["seed"]] = float(row["percent"])
    return scores


def _numbers(*values: float | None) -> list[str]:
    return ["" if value is None else f"{value:.4f}" for value in values]


def picture(results: Results):
    """A matplotlib figure: scores above, differences below, a column per network, a colour per set."""
    from matplotlib.figure import Figure  # takes a second to import

    rows, pairs = results.table.rows, results.pairs()
    width, height = 3.4 + 3.2 * len(results.networks), 2.2 + 0.34 * (len(rows) + len(pairs))
    # White, not transparent: readable on light and dark pages.
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.subplots(
        2, len(results.networks), squeeze=False, sharey="row", height_ratios=[len(rows) + 1, len(pairs) + 1]
    )
    figure.suptitle(title_of(results))
    for column, network in enumerate(results.networks):
        _draw_scores(axes[0, column], results, network)
        _draw_differences(axes[1, column], results, network)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _marks(results: Results) -> Iterator[tuple[str, str, float]]:
    """Each set with its colour and its offset from the row's place."""
    count = len(results.scores)
    for index, name in enumerate(results.scores):
        yield name, COLOURS[index], 0.28 * (index - (count - 1) / 2)


def _draw_scores(axes, results: Results, network: str) -> None:
    for name, colour, offset in _marks(results):
        for place, row in enumerate(results.table.rows):
            scores = results.of(name, network, row.title)
            summary = summarise(scores)
            if summary is None:
                continue
            axes.plot(list(scores.values()), [place + offset] * len(scores), ".", color=colour, alpha=0.4)
            axes.errorbar(summary.mean, place + offset, xerr=summary.std, fmt="o", color=colour, capsize=3)
        axes.plot([], [], "o", color=colour, label=f"{name} set")
    _label(axes, [row.title for row in results.table.rows], "mIoU (%), mean ± std, each run")
    axes.set_title(NETWORKS[network].title, fontsize="medium")


def _draw_differences(axes, results: Results, network: str) -> None:
    for name, colour, offset in _marks(results):
        for place, (row, other) in enumerate(results.pairs()):
            difference = results.difference(name, network, row, other)
            if difference is None:
                continue
            each = list(results.differences(name, network, row, other).values())
            axes.plot(each, [place + offset] * len(each), ".", color=colour, alpha=0.4)
            if difference.interval is not None and difference.count >= LEAST_PAIRS:
                axes.plot(difference.interval, [place + offset] * 2, color=colour)
            axes.plot(difference.mean, place + offset, "o", color=colour)
    axes.axvline(0, color="grey", linewidth=1)
    titles = [f"{row.title} against {other}" for row, other in results.pairs()]
    _label(axes, titles, "difference (points), each pair;\nmean with 95 % interval")


def _label(axes, titles: list[str], unit: str) -> None:
    axes.set_yticks(range(len(titles)), titles, fontsize="small")
    axes.set_ylim(len(titles) - 0.5, -0.5)
    axes.set_xlabel(unit, fontsize="small")
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
