"""Draws the scores on real faces, and brings the tables of the pages that show them up to date.

python scripts/figures/scores.py [--results DIR] [--images DIR] [--pages PAGE...]

DIR has {ablation,strategies}/cells.csv and curves.csv, copied from SCRATCH_ROOT/tables of
scripts/drivers/run_benchmark.sh.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.figures.score_pictures import overview_picture  # noqa: E402
from scripts.figures.score_tables import read, tables, update  # noqa: E402
from scripts.figures.style import IMAGES, REPO, save, styled  # noqa: E402
from scripts.thermalFaceDB.tables.render import picture  # noqa: E402

RESULTS = REPO / "scripts/drivers/results"
PAGES = (REPO / "README.md", RESULTS / "README.md")
PICTURES = {"ablation": "ablation.png", "strategies": "performance.png"}


def main(arguments: list[str] | None = None) -> int:
    """Read, draw and write; returns the exit status: 0 done, 2 wrong scores or pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=RESULTS, type=Path, metavar="DIR")
    parser.add_argument("--images", default=IMAGES, type=Path, metavar="DIR")
    parser.add_argument("--pages", nargs="*", default=PAGES, type=Path, metavar="PAGE")
    args = parser.parse_args(arguments)
    try:
        made = tables(args.results)
        for page in args.pages:
            update(page, made)
        for name, file in PICTURES.items():
            results = read(args.results / name / "cells.csv", name)
            with styled():
                save((overview_picture if len(results.networks) > 1 else picture)(results), args.images / file)
    except (ValueError, OSError) as error:
        print(f"scores.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
