"""Tiles pictures that val or test wrote, evenly chosen by their names.

python scripts/figures/overlays.py RESULTS/vis [--out images/quickstart.png]
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.utils.files import atomic_write  # noqa: E402
from scripts.figures.qualitative import evenly  # noqa: E402
from scripts.figures.style import IMAGES  # noqa: E402

WIDTH = 280
"""Of a picture, pixels."""


def main(arguments: list[str] | None = None) -> int:
    """Parse, choose and tile; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", metavar="VIS_DIR", type=Path, help="a folder of PNGs of one size")
    parser.add_argument("--columns", type=int, default=5, metavar="N")
    parser.add_argument("--rows", type=int, default=2, metavar="N")
    parser.add_argument("--out", default=IMAGES / "quickstart.png", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    paths, count = sorted(args.pictures.glob("*.png")), args.columns * args.rows
    if len(paths) < count:
        print(f"overlays.py: error: {args.pictures}: expected {count} PNGs or more, got {len(paths)}", file=sys.stderr)
        return 2
    pictures = [cv2.imread(str(path)) for path in evenly(paths, count)]
    height = round(WIDTH * pictures[0].shape[0] / pictures[0].shape[1])
    small = [cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    sheet = np.vstack([np.hstack(small[row : row + args.columns]) for row in range(0, count, args.columns)])
    with atomic_write(args.out) as file:
        file.write(cv2.imencode(".png", sheet)[1].tobytes())
    print(f"wrote {args.out} ({args.out.stat().st_size / 2**10:.0f} KiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
