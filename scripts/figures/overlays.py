"""Tiles pictures that val or test wrote, evenly chosen by their names.

python scripts/figures/overlays.py RESULTS/vis [--out images/quickstart.png]
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.utils.files import atomic_write  # noqa: E402
from scripts.figures.style import IMAGES, evenly  # noqa: E402

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
    try:
        sheet = tiled([Image.open(path) for path in evenly(paths, count)], args.columns)
    except OSError as error:
        print(f"overlays.py: error: {error}", file=sys.stderr)
        return 2
    with atomic_write(args.out) as file:
        sheet.save(file, "PNG")
    print(f"wrote {args.out} ({args.out.stat().st_size / 2**10:.0f} KiB)")
    return 0


def tiled(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size in rows of ``columns``, each reduced to :data:`WIDTH`."""
    size = (WIDTH, round(WIDTH * pictures[0].height / pictures[0].width))
    sheet = Image.new("RGB", (WIDTH * columns, size[1] * (len(pictures) // columns)))
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture.convert("RGB").resize(size, Image.Resampling.BOX), (column * WIDTH, row * size[1]))
    return sheet


if __name__ == "__main__":
    sys.exit(main())
