"""Draws the scores on real faces, and prints their tables for the pages.

python scripts/figures/scores.py [--results scripts/drivers/results] [--images images]

Reads RESULTS/{ablation,strategies}/cells.csv, of those that are there, which scripts/drivers/run_benchmark.sh writes.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.metrics.statistics import Difference, Scores, paired_difference, summarise  # noqa: E402
from scripts.drivers.run_benchmark_plan import FOLDS, TABLES  # noqa: E402
from scripts.figures.style import IMAGES, REPO, save, styled  # noqa: E402
from scripts.thermalFaceDB.tables.plan import NETWORKS, Row  # noqa: E402
from scripts.thermalFaceDB.tables.render import LEAST_PAIRS, MINUS, MIOU, Results, picture, read_cells  # noqa: E402

PICTURES = {"ablation": "ablation.png", "strategies": "performance.png"}


def main(arguments: list[str] | None = None) -> int:
    """Read, draw and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=REPO / "scripts/drivers/results", type=Path, metavar="DIR")
    parser.add_argument("--images", default=IMAGES, type=Path, metavar="DIR")
    args = parser.parse_args(arguments)
    for name, file in PICTURES.items():
        cells = args.results / name / "cells.csv"
        if not cells.exists():
            continue
        results = read(cells, name)
        with styled():
            save(picture(results), args.images / file)
        if len(results.networks) > 1:
            print(*overview(results), "", sep="\n")
        for network in results.networks:
            print(*table(results, network), "", sep="\n")
    return 0


def read(path: Path, name: str) -> Results:
    """The results of a table of the benchmark, of those networks, strategies and runs that have scores.

    Args:
        path: of ``cells.csv``.
        name: of the table.
    """
    with open(path, newline="", encoding="utf-8") as file:
        scores = read_cells(file)
    pairs: dict[str, dict[str, None]] = {}
    for of_set in scores.values():
        for (network, _), of_cell in of_set.items():
            pairs.setdefault(network, {}).update(dict.fromkeys(map(str, of_cell[MIOU])))
    seeds = {network: sorted(pairs[network]) for network in NETWORKS if network in pairs}
    known = {strategy for of_set in scores.values() for _, strategy in of_set}
    whole = TABLES[name]
    rows = tuple(row for row in whole.rows if row.strategy in known)
    titles = {row.title for row in rows}
    rows = tuple(replace(row, compared_to=tuple(one for one in row.compared_to if one in titles)) for row in rows)
    return Results(replace(whole, rows=rows), seeds, scores, repeats="folds and seeds")


def overview(results: Results) -> Iterator[str]:
    """Markdown: mIoU of each row with each network, a number per set; then differences over networks and folds.

    Args:
        results: of :func:`read`.
    """
    yield f"| {' / '.join(results.scores)} | {' | '.join(NETWORKS[one].title for one in results.networks)} |"
    yield f"|---|{'---:|' * len(results.networks)}"
    for row in results.table.rows:
        of_networks = (
            " / ".join(_mean(_by_fold(results.of(name, network, row.title))) for name in results.scores)
            for network in results.networks
        )
        yield f"| {row.title} | {' | '.join(of_networks)} |"
    yield ""
    yield f"| mean over networks and folds | {' | '.join(results.scores)} |"
    yield f"|---|{'---:|' * len(results.scores)}"
    for row, other in results.pairs():
        of_sets = [_over_networks(results, name, row, other) for name in results.scores]
        yield f"| *{row.title}* against *{other}* | {' | '.join(map(_interval, of_sets))} |"


def _over_networks(results: Results, name: str, row: Row, other: str) -> Difference | None:
    """Of two rows; a network and a fold are one case, whatever the number of seeds."""
    cases = {
        (network, fold): difference
        for network in results.networks
        for fold, difference in _by_fold(results.differences(name, network, row, other)).items()
    }
    return paired_difference(cases, dict.fromkeys(cases, 0.0))


def _by_fold(scores: Scores) -> dict[str, float]:
    """The mean over the seeds of each fold that has scores."""
    folds = {fold: summarise({pair: one for pair, one in scores.items() if str(pair)[0] == fold}) for fold in FOLDS}
    return {fold: one.mean for fold, one in folds.items() if one is not None}


def _mean(folds: dict[str, float]) -> str:
    return f"{sum(folds.values()) / len(folds):.1f}" if len(folds) == len(FOLDS) else "-"


def _interval(difference: Difference | None) -> str:
    """``+1.2 [-0.3, +2.7]``, without an interval of fewer than three, and ``-`` without any."""
    if difference is None:
        return "-"
    known = difference.interval is not None and difference.count >= LEAST_PAIRS
    spread = " [{:+.1f}, {:+.1f}]".format(*difference.interval) if known else ""
    return f"{difference.mean:+.1f}{spread}".replace("-", MINUS)


def table(results: Results, network: str) -> Iterator[str]:
    """Markdown: mIoU of each row in each set, mean and by fold; then the differences.

    Args:
        results: of :func:`read`.
        network: a key of :data:`NETWORKS`.
    """
    runs = len(results.seeds[network])
    yield f"| {NETWORKS[network].title}, {runs} runs a row | {' | '.join(results.scores)} |"
    yield f"|---|{'---:|' * len(results.scores)}"
    for row in results.table.rows:
        yield f"| {row.title} | {' | '.join(_score(results, name, network, row) for name in results.scores)} |"
    for row, other in results.pairs():
        differences = [_difference(results, name, network, row, other) for name in results.scores]
        yield f"| *{row.title}* against *{other}* | {' | '.join(differences)} |"


def _score(results: Results, name: str, network: str, row: Row) -> str:
    """``50.3 (49.1, 51.5)``: the mean over the folds, and each fold's over its seeds."""
    folds = _by_fold(results.of(name, network, row.title))
    if not folds:
        return "-"
    each = ", ".join(f"{folds[fold]:.1f}" if fold in folds else "-" for fold in FOLDS)
    return f"{_mean(folds)} ({each})" if len(folds) == len(FOLDS) else f"({each})"


def _difference(results: Results, name: str, network: str, row: Row, other: str) -> str:
    """As :func:`_interval` over pairs of fold and seed; of two ``+1.2 (+0.4, +2.0)``, each."""
    text = _interval(results.difference(name, network, row, other))
    each = results.differences(name, network, row, other)
    if 1 < len(each) < LEAST_PAIRS:
        text += f" ({', '.join(f'{one:+.1f}' for one in each.values())})".replace("-", MINUS)
    return text


if __name__ == "__main__":
    sys.exit(main())
