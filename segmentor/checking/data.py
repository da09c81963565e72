"""The check of a data set before it is trained on: prints a table, writes ``check.json``, and raises what is wrong."""

import json
import logging
from pathlib import Path
from textwrap import fill, indent
from typing import Any

from lib.datasets.build import contrast_in_training, reading_of
from lib.datasets.check import (
    Finding,
    Report,
    check_data,
    count_values,
    faults_of_some,
    find_parts,
    learnability,
    shared_subjects,
)
from lib.datasets.check.parts import SPLITS
from lib.datasets.labels import LabelMap
from lib.utils.config import Config
from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from lib.utils.log import show
from lib.utils.manifest import REMEDY, Manifest, refuse_sources
from lib.utils.runtime import Runtime

logger = logging.getLogger("samcl")

DEFAULT_OUT_DIR = "check"
"""Folder of ``check.json`` in the current one, unless ``test.out_dir`` names another."""
WIDTH = 110
"""Characters of a line in the table, at most."""


class Checker:
    """Checks all frames and labels of ``data.data_dir`` as a training with this config would read them.

    Args:
        config: of the run.
        runtime: its main process alone checks.

    Raises:
        DataError: ``data.data_dir`` names no folder.
        ConfigError: ``check.json`` would go into a folder that is checked.
        OutputError: there is a ``check.json`` that no check wrote.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.data.data_dir:
            raise DataError("data.data_dir: names no folder; --data_dir names the one that holds train/ and val/")
        self.config = config
        self.runtime = runtime
        self.path = Path(config.test.out_dir or DEFAULT_OUT_DIR) / "check.json"
        folders = [Path(root, split) for root in config.data.data_dir for split in ("", "train", "val")]
        folders += [folder / kind for folder in folders[:] for kind in ("image", "label")]
        refuse_sources(self.path.parent, (), folders, REMEDY)
        self._manifest = Manifest(self.path.parent, "check")
        self._manifest.refuse_others([self.path], REMEDY)

    def run(self) -> dict[str, Any] | None:
        """Print the table and write ``check.json``; returns its content, in the main process alone.

        Raises:
            DataError: the data has errors; the table lists all of them.
        """
        if not self.runtime.world.is_main:
            return None
        data = self.config.data
        leaks = "meant" if data.include_val else {"stop": "error", "warn": "warning"}[data.on_leak]
        report = check_data(
            *(data.data_dir, data.num_classes, data.remap_classes, data.names, data.num_channels),
            leaks=leaks,
            reading=reading_of(data),
            contrast=contrast_in_training(self.config),
        )
        content = {"data_dir": [str(root) for root in data.data_dir], **report.as_json()}
        with atomic_write(self.path, "w") as file:
            json.dump(content, file, indent=2)
        self._manifest.add(self.path)
        show(f"{table(report)}\n")
        if report.errors:
            count = len(report.errors)
            raise DataError(f"the data has {count} error{'s' * (count > 1)}, listed above and in {self.path}")
        show(f"\nno errors; details: {self.path}\n")
        return content


def check_before_training(config: Config) -> None:
    """The quick part of the check: subjects in both splits, the content of a few frames and labels, and of as many
    labels as it takes to see every class.

    The names and headers of all files are checked when the loaders are made.

    Raises:
        DataError: training would fail later, or its scores would be worthless. With ``data.on_leak`` ``warn`` subjects
            in both splits are warnings, and with ``data.on_bad_sample`` ``skip`` so are faults of training frames.
    """
    data = config.data
    parts, _ = find_parts(data.data_dir)
    errors: list[Finding] = []
    leaks, warnings = ([], []) if data.include_val else shared_subjects(parts)
    remedies = ["--phase check tells more"]
    if data.on_leak == "warn":
        warnings += leaks
    elif leaks:
        errors += leaks
        remedies.append("data.on_leak=warn trains all the same, and its scores will say little about other people")
    for part in parts:
        skips = part.split == "train" and data.on_bad_sample == "skip"
        found = faults_of_some(
            *(part, data.num_classes, data.remap_classes, data.num_channels),
            reading=reading_of(data),
            contrast=contrast_in_training(config),
        )
        (warnings if skips else errors).extend(found)
    if not errors:
        label_map = LabelMap(data.num_classes, data.remap_classes)
        for split in SPLITS:
            learnt = [part for part in parts if part.split == split or (split == "train" and data.include_val)]
            facts = [entry for part in learnt for entry in part.facts]
            samples = [sample for part in learnt for sample in part.samples]
            values = count_values(samples, facts, label_map, data.num_classes)
            wrong, suspicious = learnability(split, facts, values, label_map, data.names)
            errors += wrong
            warnings += suspicious
    for finding in warnings:
        logger.warning("%s: %s", finding.kind, finding)
    if errors:
        raise DataError(f"the data has errors ({'; '.join(remedies)}):\n{_listing(errors)}")


def table(report: Report) -> str:
    """The report as text: the splits side by side, then errors and warnings."""
    splits = report.splits
    rows = [["", *splits]]
    for title, cell in (
        ("frames", lambda s: f"{s['frames']}"),
        ("height x width", lambda s: _counted(s["shapes"])),
        ("type", lambda s: _counted(s["dtypes"])),
        ("unit", lambda s: _counted(s["units"])),
        ("min / median / max", lambda s: " / ".join(f"{v:.4g}" for v in (s["range"] or {}).values()) or "-"),
        ("NaN, infinite", lambda s: f"{s['nan']}, {s['inf']}"),
        ("subjects", lambda s: _subjects(list(s["subjects"].values()))),
    ):
        rows.append([title, *map(cell, splits.values())])
    rows.append(["class: pixels, frames", *("" for _ in splits)])
    for classes in zip(*(s["classes"] for s in splits.values()), strict=True):
        rows.append([f"  {classes[0]['name']}", *(f"{100 * c['share']:.2f} %, {c['frames']}" for c in classes)])
    rows.append(["  (ignored)", *(f"{100 * s['ignored']:.2f} %" for s in splits.values())])
    parts = ["\n".join(_aligned(rows))]
    for split, summary in splits.items():
        if summary["subjects"]:
            each = ", ".join(f"{name}:{count}" for name, count in summary["subjects"].items())
            parts.append(
                fill(f"frames by subject, {split}: {each}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
            )
    for title, findings in (("errors", report.errors), ("warnings", report.warnings)):
        if findings:
            parts.append(f"{title}: {len(findings)}\n{_listing(findings)}")
    return "\n\n".join(parts)


def _listing(findings: list[Finding]) -> str:
    return "\n".join(indent(f"{finding.kind}: {finding}", "  ") for finding in findings)


def _counted(counts: dict[str, int]) -> str:
    """``256x320``, or ``256x320 (12), 240x320 (1)``."""
    if len(counts) < 2:
        return next(iter(counts), "-")
    first = [f"{name} ({count})" for name, count in list(counts.items())[:3]]
    return ", ".join([*first, "..."][: len(counts)])


def _subjects(frames: list[int]) -> str:
    """The number of subjects, and the least and most frames that one has."""
    return f"{len(frames)} of {min(frames)} to {max(frames)} frames" if frames else "names don't tell"


def _aligned(rows: list[list[str]]) -> list[str]:
    """Lines of left-aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
