"""Draws a tiny stand-in for a benchmark of colour pictures, in the layout of its download.

python scripts/synthesize_rgb.py cityscapes OUT [--train 4] [--val 2]
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.synthetic.rgb import synthesize_benchmark  # noqa: E402
from lib.synthetic.rgb.database import WRITERS  # noqa: E402
from lib.utils.log import show  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Parse, draw, report; returns the exit status: 0 done, 2 wrong arguments or folder."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("benchmark", choices=list(WRITERS), help="whose layout and classes")
    parser.add_argument("out_dir", metavar="OUT", help="folder for the drawn download, RAW of prepare_data.sh")
    parser.add_argument("--train", type=int, default=4, metavar="N", help="pictures to train on")
    parser.add_argument("--val", type=int, default=2, metavar="N", help="pictures to validate on")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything")
    args = parser.parse_args(arguments)
    try:
        synthesize_benchmark(args.benchmark, args.out_dir, args.train, args.val, args.seed)
        show(f"{args.train} + {args.val} drawn pictures of {args.benchmark} in {args.out_dir}\n")
    except (ValueError, OSError) as error:
        print(f"synthesize_rgb.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
