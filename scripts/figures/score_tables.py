"""Tables of the scores on real faces, in Markdown, and the places of pages that hold them.

A page has ``<!-- scores: NAME -->`` before and ``<!-- end of scores -->`` after each table; NAME is a key of
:func:`tables`.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from lib.metrics.statistics import Difference, Scores, paired_difference, summarise
from lib.utils.files import atomic_write
from scripts.drivers.run_benchmark_plan import FOLDS, TABLES, planned_runs
from scripts.thermalFaceDB.tables.plan import NETWORKS, Row
from scripts.thermalFaceDB.tables.render import LEAST_PAIRS, MINUS, MIOU, Results, read_cells

_BEGIN, _END = r"<!-- scores: (\w+) -->\n", "<!-- end of scores -->\n"


def tables(results: Path) -> dict[str, str]:
    """All tables, by name.

    Args:
        results: folder with ``{ablation,strategies}/cells.csv`` and ``curves.csv``, which run_benchmark.sh writes.

    Raises:
        OSError: one of them can't be read.
    """
    ablation, strategies = (read(results / name / "cells.csv", name) for name in ("ablation", "strategies"))
    networks = (line for network in ablation.networks for line in ("", *by_fold(ablation, network)))
    made = {
        "progress": progress(ablation, strategies),
        "overview": overview(ablation),
        "differences": differences(ablation),
        "networks": list(networks)[1:],
        "strategies": by_fold(strategies, "U"),
        "classes": classes(ablation, "U"),
        "curves": curves(results / "curves.csv"),
    }
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def update(page: Path, made: dict[str, str]) -> None:
    """Put tables where a page has their names.

    Args:
        page: a Markdown file.
        made: of :func:`tables`.

    Raises:
        ValueError: it names an unknown table, or one has no end.
    """
    text = page.read_text(encoding="utf-8")
    names = re.findall(_BEGIN, text)
    if unknown := sorted(set(names) - set(made)):
        raise ValueError(f"{page}: expected tables of scores named {', '.join(made)}, got {', '.join(unknown)}")
    new, found = re.subn(f"{_BEGIN}((?!<!-- scores: ).*\n)*?{_END}", _filled(made), text)
    if found != len(names) or text.count(_END) != found:
        raise ValueError(f"{page}: expected {_END.strip()!r} after each table of scores, and nowhere else")
    with atomic_write(page, "w", encoding="utf-8") as file:
        file.write(new)


def _filled(made: dict[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda place: f"<!-- scores: {place[1]} -->\n{made[place[1]]}{_END}"


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


def progress(*of_tables: Results) -> Iterator[str]:
    """How many of the planned runs have scores."""
    done = {
        (network, strategy, pair)
        for results in of_tables
        for of_set in results.scores.values()
        for (network, strategy), of_cell in of_set.items()
        for pair in of_cell[MIOU]
    }
    yield f"{len(done)} of the {len(planned_runs())} planned runs are complete."


def overview(results: Results) -> Iterator[str]:
    """MIoU of each row with each network, the mean of the folds, a number per set."""
    yield from _head([" / ".join(results.scores), *(NETWORKS[one].title for one in results.networks)])
    for row in results.table.rows:
        of_networks = (
            " / ".join(_mean(of_folds(results.of(name, network, row.title))) for name in results.scores)
            for network in results.networks
        )
        yield f"| {row.title} | {' | '.join(of_networks)} |"


def differences(results: Results) -> Iterator[str]:
    """Of the rows, over networks and folds; a network and a fold are one case, whatever the number of seeds."""
    yield from _head(["mean over networks and folds", *results.scores, "cases"])
    for row, other in results.pairs():
        of_sets = [over_networks(results, name, row, other) for name in results.scores]
        cases = max(0 if one is None else one.count for one in of_sets)
        yield f"| *{row.title}* against *{other}* | {' | '.join(map(_interval, of_sets))} | {cases} |"


def by_fold(results: Results, network: str) -> Iterator[str]:
    """MIoU of each row in each set, mean and by fold; then the differences.

    Args:
        results: of :func:`read`.
        network: a key of :data:`NETWORKS`.
    """
    yield from _head([f"{NETWORKS[network].title}, {len(results.seeds[network])} runs a row", *results.scores])
    for row in results.table.rows:
        yield f"| {row.title} | {' | '.join(_score(results, name, network, row) for name in results.scores)} |"
    for row, other in results.pairs():
        of_sets = [_difference(results, name, network, row, other) for name in results.scores]
        yield f"| *{row.title}* against *{other}* | {' | '.join(of_sets)} |"


def classes(results: Results, network: str) -> Iterator[str]:
    """IoU of each class with a network, by set and row, the mean of the folds."""
    yield from _head([f"IoU of each class, {NETWORKS[network].title}", *results.classes])
    for name in results.scores:
        for row in results.table.rows:
            each = (_mean(of_folds(results.of(name, network, row.title, one))) for one in results.classes)
            yield f"| {name}: {row.title} | {' | '.join(each)} |"


def curves(path: Path) -> Iterator[str]:
    """MIoU in the course of the runs that are complete, by fold, the mean of the seeds.

    Args:
        path: of ``curves.csv``.
    """
    points: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            of_run = points.setdefault((line["network"], line["strategy"]), {})
            pair = f"{line['trained_on']}:{line['seed']}"
            of_run.setdefault(int(line["iteration"]), {})[pair] = float(line["percent"])
    titles: dict[str, str] = {}
    for row in (row for table in TABLES.values() for row in table.rows):
        titles.setdefault(row.strategy, row.title)
    iterations = sorted({iteration for of_run in points.values() for iteration in of_run})
    yield from _head([f"trained on number {' / '.join(FOLDS)}", *map(str, iterations)])
    for network in NETWORKS:
        for strategy, title in titles.items():
            of_run = {at: of_folds(scores) for at, scores in points.get((network, strategy), {}).items()}
            if of_run.get(iterations[-1]):
                each = (_each(of_run.get(iteration, {}), " / ") for iteration in iterations)
                yield f"| {NETWORKS[network].title}: {title} | {' | '.join(each)} |"


def _head(titles: list[str]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|---|{'---:|' * (len(titles) - 1)}"


def over_networks(results: Results, name: str, row: Row, other: str) -> Difference | None:
    """The mean difference of a row to another in the set ``name``, over networks and folds; None without one."""
    cases = {
        (network, fold): difference
        for network in results.networks
        for fold, difference in of_folds(results.differences(name, network, row, other)).items()
    }
    return paired_difference(cases, dict.fromkeys(cases, 0.0))


def of_folds(scores: Scores) -> dict[str, float]:
    """The mean over the seeds of each fold that has scores."""
    folds = {fold: summarise({pair: one for pair, one in scores.items() if str(pair)[0] == fold}) for fold in FOLDS}
    return {fold: one.mean for fold, one in folds.items() if one is not None}


def _mean(folds: dict[str, float]) -> str:
    return f"{sum(folds.values()) / len(folds):.1f}" if len(folds) == len(FOLDS) else "-"


def _each(folds: dict[str, float], between: str) -> str:
    return between.join(f"{folds[fold]:.1f}" if fold in folds else "-" for fold in FOLDS)


def _interval(difference: Difference | None) -> str:
    """``+1.2 [-0.3, +2.7]``, without an interval of fewer than three, and ``-`` without any."""
    if difference is None:
        return "-"
    known = difference.interval is not None and difference.count >= LEAST_PAIRS
    spread = " [{:+.1f}, {:+.1f}]".format(*difference.interval) if known else ""
    return f"{difference.mean:+.1f}{spread}".replace("-", MINUS)


def _score(results: Results, name: str, network: str, row: Row) -> str:
    """``50.3 (49.1, 51.5)``: the mean over the folds, and each fold's over its seeds."""
    folds = of_folds(results.of(name, network, row.title))
    if not folds:
        return "-"
    return f"{_mean(folds)} ({_each(folds, ', ')})" if len(folds) == len(FOLDS) else f"({_each(folds, ', ')})"


def _difference(results: Results, name: str, network: str, row: Row, other: str) -> str:
    """As :func:`_interval` over pairs of fold and seed; of two ``+1.2 (+0.4, +2.0)``, each."""
    text = _interval(results.difference(name, network, row, other))
    each = results.differences(name, network, row, other)
    if 1 < len(each) < LEAST_PAIRS:
        text += f" ({', '.join(f'{one:+.1f}' for one in each.values())})".replace("-", MINUS)
    return text
