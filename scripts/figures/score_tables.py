"""Tables of the scores on real faces, in Markdown, and the places of pages that hold them.

A page has ``<!-- scores: NAME -->`` before and ``<!-- end of scores -->`` after each table; NAME is a key of
:func:`tables`.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from lib.metrics.statistics import Difference, Scores, paired_difference, summarise
from lib.utils.files import atomic_write
from scripts.drivers.run_benchmark_plan import FOLDS, ITERATIONS, TABLES, planned_runs
from scripts.thermalFaceDB.tables.plan import NETWORKS, Row
from scripts.thermalFaceDB.tables.render import LEAST_PAIRS, MINUS, MIOU, Results, grid, read_cells

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
        "class_differences": class_differences(ablation),
        "curves": curves(results / "curves.csv"),
    }
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def update(page: Path, made: dict[str, str]) -> None:
    """Put tables where a page has their names.

    Args:
        page: a Markdown file.
        made: of :func:`tables`.

    Raises:
        ValueError: it names no table or an unknown one, or a place has no end.
    """
    text = page.read_text(encoding="utf-8")
    names = re.findall(_BEGIN, text)
    if not names or set(names) - set(made):
        raise ValueError(
            f"{page}: expected lines <!-- scores: NAME --> with a NAME of {', '.join(made)}, "
            f"got {', '.join(names) or 'none'}: correct them"
        )
    new, found = re.subn(f"{_BEGIN}((?!<!-- scores: ).*\n)*?{_END}", _filled(made), text)
    marks = len(re.findall(r"<!--.*scores", text))
    if not len(names) == found == marks / 2:
        raise ValueError(
            f"{page}: expected each <!-- scores: NAME --> and its {_END.strip()} on lines of their own, in turn; "
            f"got {marks} lines about scores, with {found} whole places: correct them"
        )
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
    """How many of the planned runs have scores, and how many of which network have none."""
    done = {
        (network, strategy, pair)
        for results in of_tables
        for of_set in results.scores.values()
        for (network, strategy), of_cell in of_set.items()
        for pair in of_cell[MIOU]
    }
    planned = planned_runs()
    missing = Counter(
        run.cell.network for run in planned if (run.cell.network, run.cell.strategy, run.pair) not in done
    )
    text = f"{len(planned) - missing.total()} of the {len(planned)} planned runs are complete"
    if missing:
        text += f"; missing are {', '.join(f'{count} of {NETWORKS[one].title}' for one, count in missing.items())}"
    yield f"{text}."


def overview(results: Results) -> Iterator[str]:
    """MIoU of each row with each network, the mean of the folds, a number per set."""
    yield from grid(
        ["; ".join(results.scores), *(NETWORKS[one].title for one in results.networks)],
        (
            [
                row.title,
                *(
                    " / ".join(_mean(of_folds(results.of(name, network, row.title))) for name in results.scores)
                    for network in results.networks
                ),
            ]
            for row in results.table.rows
        ),
    )


def differences(results: Results) -> Iterator[str]:
    """Of the rows, over networks and folds; a network and a fold are one case, whatever the number of seeds."""
    cells = []
    for row, other in results.pairs():
        of_sets = [over_networks(results, name, row, other) for name in results.scores]
        cases = max(0 if one is None else one.count for one in of_sets)
        cells.append([_against(row, other), *map(_interval, of_sets), str(cases)])
    yield from grid(["mean over networks and folds", *results.scores, "cases"], cells)


def class_differences(results: Results) -> Iterator[str]:
    """As :func:`differences`, of the IoU of each class, by set."""
    cells = [
        [
            f"{name}: {_against(row, other)}",
            *(_interval(over_networks(results, name, row, other, one), bare=True) for one in results.classes),
        ]
        for name in results.scores
        for row, other in results.pairs()
    ]
    yield from grid(["mean over networks and folds", *results.classes], cells)


def by_fold(results: Results, network: str) -> Iterator[str]:
    """MIoU of each row in each set, mean and by fold; then the differences.

    Args:
        results: of :func:`read`.
        network: a key of :data:`NETWORKS`.
    """
    runs = len(results.seeds[network])
    cells = [
        [row.title, *(_score(results, name, network, row) for name in results.scores)] for row in results.table.rows
    ]
    cells += [
        [_against(row, other), *(_difference(results, name, network, row, other) for name in results.scores)]
        for row, other in results.pairs()
    ]
    yield from grid([f"{NETWORKS[network].title}, up to {runs} runs a row", *results.scores], cells)


def classes(results: Results, network: str) -> Iterator[str]:
    """IoU of each class with a network, by set and row, the mean of the folds."""
    cells = [
        [
            f"{name}: {row.title}",
            *(_mean(of_folds(results.of(name, network, row.title, one))) for one in results.classes),
        ]
        for name in results.scores
        for row in results.table.rows
    ]
    yield from grid([f"IoU of each class, {NETWORKS[network].title}", *results.classes], cells)


def curves(path: Path) -> Iterator[str]:
    """MIoU in the course of the runs that are complete, by fold, the mean of the seeds.

    Args:
        path: of ``curves.csv``.
    """
    runs: dict[tuple[str, str, str], dict[int, float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            run = (line["network"], line["strategy"], f"{line['trained_on']}:{line['seed']}")
            runs.setdefault(run, {})[int(line["iteration"])] = float(line["percent"])
    runs = {run: points for run, points in runs.items() if ITERATIONS in points}
    titles: dict[str, str] = {}
    for row in (row for table in TABLES.values() for row in table.rows):
        titles.setdefault(row.strategy, row.title)
    iterations = sorted({iteration for points in runs.values() for iteration in points})
    cells = []
    for network, strategy in product(NETWORKS, titles):
        of_row = {pair: points for (*about, pair), points in runs.items() if about == [network, strategy]}
        each = ({pair: points[at] for pair, points in of_row.items() if at in points} for at in iterations)
        if of_row:
            texts = (_each(of_folds(scores), " / ") for scores in each)
            cells.append([f"{NETWORKS[network].title}: {titles[strategy]}", *texts])
    yield from grid([f"trained on number {' / '.join(FOLDS)}", *map(str, iterations)], cells)


def over_networks(results: Results, name: str, row: Row, other: str, score: str = MIOU) -> Difference | None:
    """The mean difference of a row to another in the set ``name``, over networks and folds; None without one."""
    cases = {
        (network, fold): difference
        for network in results.networks
        for fold, difference in of_folds(results.differences(name, network, row, other, score)).items()
    }
    return paired_difference(cases, dict.fromkeys(cases, 0.0))


def of_folds(scores: Scores) -> dict[str, float]:
    """The mean over the seeds of each fold that has scores."""
    folds = {fold: summarise({pair: one for pair, one in scores.items() if str(pair)[0] == fold}) for fold in FOLDS}
    return {fold: one.mean for fold, one in folds.items() if one is not None}


def _against(row: Row, other: str) -> str:
    return f"*{row.title}* against *{other}*"


def _mean(folds: dict[str, float], form: str = ".1f") -> str:
    return _number(sum(folds.values()) / len(folds), form) if len(folds) == len(FOLDS) else "-"


def _each(folds: dict[str, float], between: str, form: str = ".1f") -> str:
    return between.join(_number(folds[fold], form) if fold in folds else "-" for fold in FOLDS)


def _number(value: float, form: str) -> str:
    return f"{value:{form}}".replace("-", MINUS)


def _interval(difference: Difference | None, bare: bool = False) -> str:
    """``+1.2 [-0.3, +2.7]``, without an interval of fewer than three or if ``bare``, and ``-`` without any."""
    if difference is None:
        return "-"
    return _number(difference.mean, "+.1f") + ("" if bare else _spread(difference))


def _spread(difference: Difference) -> str:
    if difference.interval is None or difference.count < LEAST_PAIRS:
        return ""
    return f" [{', '.join(_number(end, '+.1f') for end in difference.interval)}]"


def _score(results: Results, name: str, network: str, row: Row) -> str:
    """``50.3 (49.1, 51.5)``: the mean over the folds, and each fold's over its seeds."""
    folds = of_folds(results.of(name, network, row.title))
    if not folds:
        return "-"
    return f"{_mean(folds)} ({_each(folds, ', ')})" if len(folds) == len(FOLDS) else f"({_each(folds, ', ')})"


def _difference(results: Results, name: str, network: str, row: Row, other: str) -> str:
    """As :func:`_score`, with an interval over pairs of fold and seed where each fold has as many."""
    each = results.differences(name, network, row, other)
    folds = of_folds(each)
    if not folds:
        return "-"
    if len(folds) < len(FOLDS):
        return f"({_each(folds, ', ', '+.1f')})"
    difference = results.difference(name, network, row, other)
    as_many = len(set(Counter(str(pair)[0] for pair in each).values())) == 1
    spread = _spread(difference) if difference is not None and as_many else ""
    return f"{_mean(folds, '+.1f')}{spread} ({_each(folds, ', ', '+.1f')})"
