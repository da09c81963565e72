"""Command line of the preparation of the benchmarks of colour pictures; their prepare_data.sh run it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.datasets.preparation import SKIPPED_FILE  # noqa: E402
from lib.datasets.rgb_benchmarks.prepare import Summary, prepare  # noqa: E402
from lib.datasets.rgb_benchmarks.raw import BENCHMARKS, SPLITS, TEST  # noqa: E402
from scripts.preparation import add_usual_arguments, run_preparation, skipped_lines  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prepare; returns the exit status: 0 done, 1 pictures were skipped, 2 wrong arguments or data."""
    args = _parser().parse_args(arguments)
    return run_preparation(
        lambda: prepare(args.benchmark, args.raw_dir, args.out_dir, args.workers, args.overwrite),
        lambda summary: _lines(summary, Path(args.out_dir)),
        *(args.skip_bad, "picture"),
    )


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
    add_usual_arguments(parser, "pictures")
    return parser


def _lines(summary: Summary, out_dir: Path) -> Iterator[str]:
    for split in (*SPLITS, TEST):
        written, kept = summary.written[split], summary.kept[split]
        if written + kept or split != TEST:
            yield f"{split:5}: {written + kept} pictures in {out_dir / split} ({written} now, {kept} before)"
    yield from skipped_lines(summary.skipped, out_dir, "pictures")


if __name__ == "__main__":
    sys.exit(main())
