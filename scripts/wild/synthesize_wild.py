"""Writes synthetic frames of people in the wild, prepared to train on.

python scripts/wild/synthesize_wild.py OUT_DIR [--train 8000] [--val 200]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.synthetic.wild import synthesize_wild  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.log import show  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Parse, synthesise, report; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("out_dir", metavar="OUT_DIR", help="gets {train,val}/{image,label}")
    parser.add_argument("--train", type=int, default=8000, metavar="N", help="frames to train on")
    parser.add_argument("--val", type=int, default=200, metavar="N", help="frames of other people to validate on")
    parser.add_argument("--height", type=int, default=256, metavar="H", help="pixels")
    parser.add_argument("--width", type=int, default=320, metavar="W", help="pixels")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core")
    options = vars(parser.parse_args(arguments))
    try:
        synthesize_wild(**options)
        show(f"{options['train']} + {options['val']} synthetic frames in {options['out_dir']}\n")
    except (DataError, OSError) as error:
        print(f"synthesize_wild.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
