"""What the command lines of all preparations share: arguments, what they say of skipped files, how they end."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lib.datasets.preparation import SKIPPED_FILE
from lib.utils.log import show
from lib.utils.machine import available_cores
from scripts.arguments import switch

SHOWN = 50
"""Skipped files that are printed; all are in ``skipped.csv``."""


def add_usual_arguments(parser: argparse.ArgumentParser, noun: str = "frames") -> None:
    """``--workers``, ``--skip_bad`` and ``--overwrite``; ``noun`` is what is prepared."""
    add = parser.add_argument
    add("--workers", type=int, metavar="N", default=available_cores(), help="processes; default one per CPU core")
    add("--skip_bad", type=switch, metavar="y|n", default=False, help=f"exit with 0 though {noun} were skipped")
    add("--overwrite", type=switch, metavar="y|n", default=False, help="replace what is prepared already")


def run_preparation(
    prepare: Callable[[], Any], lines: Callable[[Any], Iterator[str]], skip_bad: bool, noun: str = "frame"
) -> int:
    """Prepare and say what was done.

    Args:
        prepare: gives a summary, with ``written``, ``kept`` and ``skipped``.
        lines: what to print of it.
        skip_bad: skipped files are no failure.
        noun: what is prepared.

    Returns:
        The exit status: 0 done, 1 files were skipped or none could be prepared, 2 wrong arguments or data.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        summary = prepare()
        show("".join(f"{line}\n" for line in lines(summary)))
    except (ValueError, OSError) as error:
        print(f"prepare_data.sh: error: {error}", file=sys.stderr)
        return 2
    if not summary.written and not summary.kept:
        print(f"prepare_data.sh: error: no {noun} could be prepared", file=sys.stderr)
        return 1
    return 1 if summary.skipped and not skip_bad else 0


def skipped_lines(skipped: Sequence[Sequence[Any]], out_dir: Path, noun: str = "frames") -> Iterator[str]:
    """What was left out and why, of entries that begin with name and reason."""
    if skipped:
        yield f"skipped: {len(skipped)} {noun}, also listed in {out_dir / SKIPPED_FILE}"
        yield from (f"  {name}: {reason}" for name, reason, *_ in skipped[:SHOWN])
        if len(skipped) > SHOWN:
            yield f"  ... and {len(skipped) - SHOWN} more"
