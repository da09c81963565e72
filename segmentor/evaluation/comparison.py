"""Compares the results of several tests: writes ``compare.html``, ``compare.csv`` and ``compare.json``."""

import csv
import json
import logging
import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib.metrics.statistics import paired_difference
from lib.utils.config import Config
from lib.utils.errors import ConfigError, DataError
from lib.utils.files import atomic_write
from lib.utils.manifest import REMEDY, Manifest, refuse_sources
from lib.utils.runtime import Runtime
from lib.vis.report.comparison import (
    BY_CLASS,
    OVERALL,
    ComparisonReport,
    PairedDifference,
    Run,
    Score,
    comparison_page,
    difference,
)

logger = logging.getLogger("samcl")

COLUMNS = (
    "class",
    "score",
    "run",
    "value",
    "difference",
    "frames",
    "paired_difference",
    "interval_low",
    "interval_high",
)
"""Of ``compare.csv``: scores in percent, distances in pixels; differences are to the first run."""


class Comparer:
    """Compares the result folders ``compare.runs`` of tests with the first of them.

    Args:
        config: of the command; results go to ``test.out_dir``.
        runtime: unused; every phase gets it.

    Raises:
        ConfigError: fewer than two folders, or the results would go into one of them.
        OutputError: there are files of the results' names that no comparison wrote.
        DataError: a folder isn't one of a test with labels, or there is no class that all have.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        folders = [Path(folder) for folder in config.compare.runs]
        if len(folders) < 2:
            raise ConfigError(
                f"--phase compare needs two result folders of --phase test or more, got {len(folders)}: name them with "
                f"--runs RUN RUN ..."
            )
        self.out_dir = Path(config.test.out_dir or "seg_results/comparison")
        refuse_sources(self.out_dir, (), folders, REMEDY)
        self._manifest = Manifest(self.out_dir, "compare")
        self._paths = [self.out_dir / f"compare.{ending}" for ending in ("json", "csv", "html")]
        self._manifest.refuse_others(self._paths, REMEDY)
        self.runs = [
            read_run(folder, name, self.out_dir) for folder, name in zip(folders, unique_names(folders), strict=True)
        ]
        self.classes = _common_classes(self.runs)

    def run(self) -> dict[str, Any]:
        """Write the three files; returns the content of ``compare.json``."""
        logger.info("comparing %d tests, writing to %s", len(self.runs), self.out_dir)
        warnings = comparability_warnings(self.runs)
        for warning in warnings:
            logger.warning(warning)
        first, *others = self.runs
        paired = {run.name: {score.key: compare_frames(run, first, score) for score in OVERALL} for run in others}
        report = ComparisonReport(self.runs, self.classes, paired, warnings)
        rows = [*_overall_rows(report), *_class_rows(report)]
        content = {
            "first": first.name,
            "warnings": warnings,
            "runs": {run.name: dict(run.metrics) for run in self.runs},
            "paired": {
                name: {key: value and asdict(value) for key, value in scores.items()} for name, scores in paired.items()
            },
        }
        with self._manifest.writing(*self._paths):
            self._write(content, rows, comparison_page(report))
        for row in rows:
            if row["score"] == "miou":
                change = "" if row["difference"] is None else f"  {row['difference']:+.2f}"
                logger.info("%s: mIoU %.2f %%%s", row["run"], row["value"], change)
        logger.info("comparison: %s", self.out_dir / "compare.html")
        return content

    def _write(self, content: dict[str, Any], rows: list[dict[str, Any]], page: str) -> None:
        json_path, csv_path, html_path = self._paths
        with atomic_write(json_path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        with atomic_write(csv_path, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        with atomic_write(html_path, "w", encoding="utf-8", errors="replace") as file:
            file.write(page)


def unique_names(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: the last parts of its path, as many as it takes to make them unique.

    Raises:
        ConfigError: a folder is named twice.
    """
    paths = [folder.resolve() for folder in folders]
    twice = next((str(path) for path in paths if paths.count(path) > 1), None)
    if twice:
        raise ConfigError(f"compare.runs: {twice} is named twice")
    for count in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-count:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def read_run(folder: Path, name: str, out_dir: Path) -> Run:
    """Read the results of a test.

    Args:
        folder: ``test.out_dir`` of the test.
        name: of the run among those compared.
        out_dir: of the comparison; the page links from there.

    Raises:
        DataError: there are no results, or they can't be read.
    """
    path = folder / "metrics.json"
    if not path.is_file():
        hint = "no such folder" if not folder.is_dir() else "no metrics.json in it"
        raise DataError(
            f"{folder}: {hint}; --runs takes result folders (--out_dir) of --phase test on frames with labels"
        )
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        for entry in metrics["classes"]:
            for score in BY_CLASS:
                entry.setdefault(score.key, None)
            str(entry["name"])
        for score in OVERALL[2:]:
            metrics.setdefault(score.key, None)
        missing = {"miou", "pixel_accuracy", "images", "confusion_matrix"} - metrics.keys()
        if missing:
            raise KeyError(*sorted(missing))
        frames = _read_frames(folder / "frames.csv")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not the results of --phase test ({error!r}); run that test again") from error
    address = quote(os.path.relpath(folder.resolve(), out_dir.resolve()))
    return Run(name, address, metrics, frames)


def _read_frames(path: Path) -> dict[str, dict[str, Any]]:
    """Scores by frame; empty for a test by an earlier version, which wrote no such file."""
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        return {
            row["frame"]: {key: float(row[key]) if row[key] else None for key in (score.key for score in OVERALL)}
            for row in csv.DictReader(file)
        }


def _common_classes(runs: Sequence[Run]) -> list[str]:
    names = [[entry["name"] for entry in run.metrics["classes"]] for run in runs]
    common = [name for name in names[0] if all(name in other for other in names)]
    if not common:
        raise DataError(
            "compare.runs: there is no class that all runs have; compare tests of networks for the same task"
        )
    return common


def comparability_warnings(runs: Sequence[Run]) -> list[str]:
    """Sentences on what speaks against comparing runs with the first: other classes, frames, labels or modes."""
    first, warnings = runs[0], []
    for run in runs[1:]:
        pair = f"{run.name} and {first.name}"
        if _class_names(run) != _class_names(first):
            warnings.append(f"{pair} have different classes; compared are those of the same name")
        if not (run.frames and first.frames):
            warnings.append(f"{pair}: no frames.csv beside metrics.json, so frames can't be compared")
        elif run.frames.keys() != first.frames.keys():
            common = len(run.frames.keys() & first.frames.keys())
            warnings.append(
                f"{pair} were tested on different frames: {len(run.frames)} and {len(first.frames)}, {common} of them "
                f"in both; overall scores aren't of the same set"
            )
        elif _label_pixels(run) != _label_pixels(first):
            warnings.append(f"{pair} have frames of the same names but different labels")
        for key, title in (("val_aug", "frames under different augmentation"), ("mode", "different modes of testing")):
            if run.metrics.get(key) != first.metrics.get(key):
                values = f"{run.metrics.get(key)} and {first.metrics.get(key)}"
                warnings.append(f"{pair} have {title} ({key}: {values})")
    return warnings


def _class_names(run: Run) -> list[str]:
    return [entry["name"] for entry in run.metrics["classes"]]


def _label_pixels(run: Run) -> list[int]:
    """Number of pixels of each class in the labels."""
    return [sum(row) for row in run.metrics["confusion_matrix"]]


def compare_frames(run: Run, first: Run, score: Score) -> PairedDifference | None:
    """The differences of a score to the first run over the frames that have it in both; None without any."""
    scores, baseline = _frame_scores(run, score), _frame_scores(first, score)
    found = paired_difference(scores, baseline)
    if found is None:
        return None
    changes = [value - baseline[name] for name, value in scores.items() if name in baseline]
    better = sum((change < 0) if score.smaller_is_better else (change > 0) for change in changes)
    worse = sum((change > 0) if score.smaller_is_better else (change < 0) for change in changes)
    return PairedDifference(found.count, found.mean, found.interval, better, worse)


def _frame_scores(run: Run, score: Score) -> dict[Hashable, float]:
    """The score of every frame that has it, by name and in the unit of its title."""
    return {name: score.factor * row[score.key] for name, row in run.frames.items() if row[score.key] is not None}


def _overall_rows(report: ComparisonReport) -> list[dict[str, Any]]:
    first, rows = report.runs[0], []
    for score in OVERALL:
        for run in report.runs:
            row = _row("", score, run.name, run.metrics, first.metrics)
            paired = report.paired.get(run.name, {}).get(score.key)
            if paired:
                low, high = paired.interval or (None, None)
                row |= {"frames": paired.count, "paired_difference": paired.mean}
                row |= {"interval_low": low, "interval_high": high}
            rows.append(row)
    return rows


def _class_rows(report: ComparisonReport) -> list[dict[str, Any]]:
    classes = [{entry["name"]: entry for entry in run.metrics["classes"]} for run in report.runs]
    return [
        _row(name, score, run.name, entries[name], classes[0][name])
        for name in report.classes
        for score in BY_CLASS
        for run, entries in zip(report.runs, classes, strict=True)
    ]


def _row(name: str, score: Score, run: str, values: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    value = values[score.key]
    return {
        "class": name,
        "score": score.key,
        "run": run,
        "value": None if value is None else score.factor * value,
        "difference": None if values is first else difference(value, first[score.key], score.factor),
    }
