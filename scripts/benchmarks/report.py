"""The benchmark's results as files: the table of goals, the sections below it, rows as JSON."""

import json
import platform
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from lib.utils.device import choose_autocast
from lib.utils.files import atomic_write
from lib.utils.machine import available_cores, processor_name
from scripts.benchmarks.measure import Row, Section, number, table
from scripts.benchmarks.setup import Setup


def write_report(setup: Setup, sections: Sequence[Section]) -> None:
    """Write ``benchmark.md`` and ``benchmark.json`` into the setup's folder, each whole or not at all."""
    rows = [row for section in sections for row in section.rows]
    with atomic_write(setup.folder / "benchmark.json", "w") as file:
        file.write(json.dumps([row.as_json() for row in rows], indent=2) + "\n")
    with atomic_write(setup.folder / "benchmark.md", "w") as file:
        file.write(markdown(setup, sections))


def markdown(setup: Setup, sections: Sequence[Section]) -> str:
    """All of ``benchmark.md``."""
    rows = [row for section in sections for row in section.rows]
    parts = ["# Benchmark", machine(setup), goals_table(rows)] if rows else ["# Benchmark", machine(setup)]
    for section in sections:
        parts += [f"## {section.title}", *section.text]
    return "\n\n".join(parts) + "\n"


def goals_table(rows: Sequence[Row]) -> str:
    """The rows with medians, and the least and the greatest value of all repeats."""
    lines = [
        [row.name, f"{row.ours} {row.unit}", f"{row.baseline} {row.unit}", number(row.ratio), str(row.goal), _met(row)]
        for row in rows
    ]
    return table(["what", "ours", "baseline", "ratio", "goal", "met"], lines)


def _met(row: Row) -> str:
    return "yes" if row.met else f"no: {row.otherwise}" if row.otherwise else "no"


def machine(setup: Setup) -> str:
    """What measured, and how."""
    dtype = choose_autocast(torch.device("cpu"))
    return (
        f"{processor_name()}, {available_cores()} cores; {setup.threads} computing thread{'s' * (setup.threads > 1)} "
        f"of PyTorch and OpenCV where nothing else is said; autocast of a CPU run {str(dtype or torch.float32)}. "
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"OpenCV {cv2.__version__}, NumPy {np.__version__}. "
        f"{'Quick: fewer repeats and smaller cases, see the sections.' if setup.quick else 'The whole benchmark.'} "
        "One process at a time; the sides of a comparison take turns. Numbers are medians, with the least and the "
        "greatest value in brackets. Ratio: baseline / ours where a goal is a speed-up (>=), else ours / baseline."
    )
