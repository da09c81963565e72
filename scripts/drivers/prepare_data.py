"""Command line of the preparation of ThermalImagesDataset."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.datasets.drivers.prepare import FRAMES_FILE, Options, Summary, prepare  # noqa: E402
from lib.datasets.drivers.raw import GLASSES, SPLITS, VAL_SUBJECTS  # noqa: E402
from lib.datasets.preparation import SKIPPED_FILE  # noqa: E402
from scripts.preparation import add_usual_arguments, run_preparation, skipped_lines  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prepare; returns the exit status: 0 done, 1 frames were skipped, 2 wrong arguments or data."""
    args = _parser().parse_args(arguments)
    subjects = () if args.val_subjects == ["none"] else tuple(args.val_subjects)
    size = tuple(args.target_res) if args.target_res else None

    def run() -> Summary:
        options = Options(size, subjects, args.unconstrained, args.every)
        return prepare(args.clone_dir, args.out_dir, options, args.workers, args.overwrite)

    return run_preparation(run, lambda summary: _lines(summary, Path(args.out_dir)), args.skip_bad)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prepare_data.sh",
        description="Draws masks from the landmarks of a clone of ThermalImagesDataset (github.com/mat02) and splits "
        "its frames by person. Running it again does only what is missing.",
        epilog=f"Exit status: 0 done; 1 frames were skipped ({SKIPPED_FILE} in OUT_DIR says why); 2 error.",
    )
    parser.add_argument(
        "clone_dir", metavar="CLONE_DIR", help="folder of the sequences, such as 1_Man_NoGlasses_Normal"
    )
    parser.add_argument(
        "out_dir", metavar="OUT_DIR", help="gets {train,val}/{image,label,ann}; usually DATA_ROOT/Processed"
    )
    parser.add_argument(
        "--val_subjects",
        nargs="+",
        metavar="SUBJECT",
        default=list(VAL_SUBJECTS),
        help=f"persons to validate on, or none; all others train; default {' '.join(VAL_SUBJECTS)}",
    )
    parser.add_argument(
        "--unconstrained",
        choices=[GLASSES],
        help="keep frames with glasses out of train and val; those of the validation persons go to unconstrained/",
    )
    parser.add_argument(
        "--every", type=int, metavar="N", default=1, help="each N-th frame of a sequence that has landmarks; default 1"
    )
    parser.add_argument(
        "--target_res", nargs=2, type=int, metavar=("H", "W"), help="default: as the frames are, 240 320"
    )
    add_usual_arguments(parser)
    return parser


def _lines(summary: Summary, out_dir: Path) -> Iterator[str]:
    for split in SPLITS:
        written, kept = summary.written[split], summary.kept[split]
        if written + kept or split != "unconstrained":
            yield f"{split:5}: {written + kept} frames in {out_dir / split} ({written} now, {kept} before)"
    if summary.left_out:
        yield f"left out: {summary.left_out} frames with glasses of persons to train on"
    yield "note: the masks are hulls of landmarks that the authors' detector predicted; nobody marked them by hand"
    yield f"note: {out_dir / FRAMES_FILE} says what is known of each frame"
    yield from skipped_lines(summary.skipped, out_dir)


if __name__ == "__main__":
    sys.exit(main())
