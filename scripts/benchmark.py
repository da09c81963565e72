"""Command line of the benchmark; run it through benchmark.sh, whose --help says what it does."""

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.utils.errors import Interrupted  # noqa: E402
from scripts.arguments import positive  # noqa: E402

# Nothing heavy is imported here: worker processes that prepare frames import this file, too.
PARTS = {
    "tiaug": "augmentation:measure_tiaug",
    "rmi": "losses:measure_rmi",
    "samcl": "losses:measure_samcl",
    "step": "steps:measure_step",
    "networks": "networks:measure_networks",
    "val": "validation:measure_val",
    "start": "startup:measure_start",
    "memory": "memory:measure_memory",
    "prepare": "preparing:measure_prepare",
    "check": "checking:measure_check",
    "predict": "predicting:measure_predict",
    "live": "live:measure_live",
    "costs": "costs:measure_costs",
}
"""Module and function of each part, in the order of the table."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; returns the exit status: 1 where a part failed, 130 where the run was interrupted."""
    args = _parser().parse_args(arguments)
    from lib.utils.machine import available_cores
    from scripts.benchmarks.report import machine
    from scripts.benchmarks.setup import Setup, threads

    setup = Setup(args.out.resolve(), args.quick, args.threads or available_cores())
    print(machine(setup), flush=True)
    try:
        with threads(setup.threads):
            failed = _measure(setup, args.only)
    except (KeyboardInterrupt, Interrupted):
        print("benchmark.sh: interrupted", file=sys.stderr)
        return 130
    print(f"{setup.folder / 'benchmark.md'}\n{setup.folder / 'benchmark.json'}")
    if failed:
        print(f"benchmark.sh: error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _measure(setup: Any, names: list[str]) -> list[str]:
    """Measure these parts, writing the report after each; returns those that failed."""
    from scripts.benchmarks.measure import Section
    from scripts.benchmarks.report import goals_table, write_report

    sections, failed = [], []
    for name in names:
        start = time.perf_counter()
        print(f"== {name}", flush=True)
        module, function = PARTS[name].split(":")
        try:
            section = getattr(importlib.import_module(f"scripts.benchmarks.{module}"), function)(setup)
        except Interrupted:
            raise
        except Exception:  # one part that can't be measured must not lose the others
            traceback.print_exc()
            failed.append(name)
            section = Section(name, text=["Failed; see the output of the run."])
        print(*([goals_table(section.rows)] if section.rows else []), *section.text, sep="\n\n")
        print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)
        sections.append(section)
        write_report(setup, sections)
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmark.sh", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and smaller cases")
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar="PART[,PART]", help=" ".join(PARTS))
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark"), metavar="DIR", help="runs/benchmark")
    parser.add_argument("--threads", type=positive, metavar="N", help="computing threads; default: one per core")
    return parser


def _parts(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(PARTS)}, got {', '.join(unknown)}")
    return [name for name in PARTS if name in names]


if __name__ == "__main__":
    sys.exit(main())
