"""Command line of :func:`lib.synthetic.synthesize`; run it through synthesize_data.sh."""

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.synthetic import synthesize  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.log import show  # noqa: E402
from scripts.arguments import switch  # noqa: E402


def main() -> int:
    """Parse, synthesise, report."""
    parser = argparse.ArgumentParser(
        prog="synthesize_data.sh",
        description="Write a synthetic Thermal Face Database in the raw layout (npy in deg C, ljson).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("out_dir", metavar="OUT_RAW_DIR", help="folder for the frames")
    parser.add_argument("--subjects", type=int, default=10, metavar="N", help="people: sub001, sub002, ...")
    parser.add_argument("--frames", type=int, default=12, metavar="N", help="frames of each")
    parser.add_argument("--height", type=int, default=768, metavar="H", help="pixels")
    parser.add_argument("--width", type=int, default=1024, metavar="W", help="pixels")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything")
    parser.add_argument("--unconstrained", type=switch, default=False, metavar="y|n", help="occluders, wide conditions")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core")
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        paths = synthesize(**options)
        show(f"{len(paths)} synthetic frames in {options['out_dir']}\n")
    except (DataError, OSError) as error:
        print(f"synthesize_data.sh: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
