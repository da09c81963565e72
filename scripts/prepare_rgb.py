"""Command line of the preparation of the benchmarks of colour pictures; their prepare_data.sh run it."""

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.datasets.preparation import SKIPPED_FILE  # noqa: E402
from lib.datasets.rgb_benchmarks.prepare import Summary, prepare  # noqa: E402
from lib.datasets.rgb_benchmarks.raw import BENCHMARKS, SPLITS, TEST  # noqa: E402
from lib.utils.log import show  # noqa: E402
from lib.utils.machine import available_cores  # noqa: E402

SHOWN = 50  # skipped pictures that are printed; all are in skipped.csv


def main(arguments: list[str] | None = None) -> int:
    """Prepare; returns the exit status: 0 done, 1 pictures were skipped, 2 wrong arguments or data."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    args = _parser().parse_args(arguments)
    try:
        summary = prepare(args.benchmark, args.raw_dir, args.out_dir, args.workers, args.overwrite == "y")
        show("".join(f"{line}\n" for line in _lines(summary, Path(args.out_dir))))
    except (ValueError, OSError) as error:
        print(f"prepare_data.sh: error: {error}", file=sys.stderr)
        return 2
    if not summary.written and not summary.kept:
        print("prepare_data.sh: error: no picture could be prepared", file=sys.stderr)
        return 1
    return 1 if summary.skipped and args.skip_bad == "n" else 0


def _parser() -> argparse.ArgumentParser:
    layouts = "\n\n".join(f"{name}: {benchmark.layout}" for name, benchmark in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="prepare_data.sh",
        description="Puts a benchmark's download into folders to train on. Running it again does only what is missing.",
        epilog=f"RAW holds, of\n\n{layouts}\n\n"
        f"Exit status: 0 done; 1 pictures were skipped ({SKIPPED_FILE} in OUT says why); 2 error.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("benchmark", choices=list(BENCHMARKS), help="prepare_data.sh names that of its folder")
    parser.add_argument("raw_dir", metavar="RAW", help="folder of the download, see below")
    parser.add_argument("out_dir", metavar="OUT", help="gets {train,val}/{image,label}")
    parser.add_argument(
        "--workers", type=int, metavar="N", default=available_cores(), help="processes; default one per CPU core"
    )
    parser.add_argument("--skip_bad", choices=["y", "n"], default="n", help="exit with 0 though pictures were skipped")
    parser.add_argument("--overwrite", choices=["y", "n"], default="n", help="replace what is prepared already")
    return parser


def _lines(summary: Summary, out_dir: Path) -> Iterator[str]:
    for split in (*SPLITS, TEST):
        written, kept = summary.written[split], summary.kept[split]
        if written + kept or split != TEST:
            yield f"{split:5}: {written + kept} pictures in {out_dir / split} ({written} now, {kept} before)"
    if summary.skipped:
        yield f"skipped: {len(summary.skipped)} pictures, also listed in {out_dir / SKIPPED_FILE}"
        for name, reason in summary.skipped[:SHOWN]:
            yield f"  {name}: {reason}"
        if len(summary.skipped) > SHOWN:
            yield f"  ... and {len(summary.skipped) - SHOWN} more"


if __name__ == "__main__":
    sys.exit(main())
