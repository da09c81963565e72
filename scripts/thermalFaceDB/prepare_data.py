"""Command line of the preparation of the Thermal Face Database."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.datasets.landmarks import FORMATS  # noqa: E402
from lib.datasets.preparation import SKIPPED_FILE  # noqa: E402
from lib.datasets.thermal_face_db.prepare import SPLITS, USUAL_RANGE, Options, Summary, prepare  # noqa: E402
from lib.datasets.thermal_face_db.raw import VAL_SUBJECTS  # noqa: E402
from lib.thermal.resize import LABEL_RESIZES  # noqa: E402
from scripts.preparation import add_usual_arguments, run_preparation, skipped_lines  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Prepare; returns the exit status: 0 done, 1 frames were skipped, 2 wrong arguments or data."""
    args = _parser().parse_args(arguments)

    def run() -> Summary:
        crop, subjects = _crop(args.crop_res), _subjects(args.val_subjects)
        options = Options(tuple(args.target_res), crop, subjects, args.label_resize, args.landmarks)
        return prepare(args.raw_dir, args.out_dir, options, args.workers, args.overwrite)

    return run_preparation(run, lambda summary: _lines(summary, Path(args.out_dir)), args.skip_bad)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prepare_data.sh",
        description="Draws labels from landmarks, crops and reduces the raw Thermal Face Database, and splits it "
        "by subject. Running it again does only what is missing.",
        epilog=f"Exit status: 0 done; 1 frames were skipped ({SKIPPED_FILE} in OUT_DIR says why); 2 error.",
    )
    parser.add_argument("raw_dir", metavar="RAW_DIR", help="folder of <stem>.{jpg,png}_lfb.npy and landmarks")
    parser.add_argument(
        "out_dir", metavar="OUT_DIR", help="gets {train,val}/{image,label,ann}; usually DATA_ROOT/Processed"
    )
    parser.add_argument(
        "--target_res", nargs=2, type=int, metavar=("H", "W"), default=[256, 320], help="default 256 320"
    )
    parser.add_argument(
        "--crop_res",
        nargs="+",
        metavar="H W",
        default=["768", "960"],
        help="centre crop, or none; default 768 960",
    )
    parser.add_argument(
        "--val_subjects",
        nargs="+",
        metavar="SUBJECT",
        default=list(VAL_SUBJECTS),
        help="validation subjects, a file of them, or none; default the published: " + " ".join(VAL_SUBJECTS),
    )
    parser.add_argument(
        "--label_resize",
        choices=LABEL_RESIZES,
        default="majority",
        help="majority vote of the pixels (default), or as published, which fattens small regions",
    )
    parser.add_argument(
        "--landmarks",
        choices=FORMATS,
        default="ljson",
        metavar="FORMAT",
        help="of 68 or 54 landmarks: ljson (versions 1 to 3; default), pts (iBUG) or yolo (YOLO-pose, in .txt) "
        "beside each frame, or csv: RAW_DIR/landmarks.csv with lines frame,x0,y0,...",
    )
    add_usual_arguments(parser)
    return parser


def _crop(words: list[str]) -> tuple[int, int] | None:
    if words == ["none"]:
        return None
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        raise ValueError(f"--crop_res: expected height and width, or none, got {' '.join(words)}")
    return int(words[0]), int(words[1])


def _subjects(words: list[str]) -> tuple[str, ...]:
    if words == ["none"]:
        return ()
    if len(words) == 1 and Path(words[0]).is_file():
        return tuple(Path(words[0]).read_text().replace(",", " ").split())
    return tuple(word for words_ in words for word in words_.split(",") if word)


def _lines(summary: Summary, out_dir: Path) -> Iterator[str]:
    for split in SPLITS:
        written, kept = summary.written[split], summary.kept[split]
        yield f"{split:5}: {written + kept} frames in {out_dir / split} ({written} now, {kept} before)"
    if summary.unusual:
        low, high = USUAL_RANGE
        examples = ", ".join(f"{name} ({a:.1f} to {b:.1f})" for name, _, (a, b) in summary.unusual[:5])
        yield (
            f"warning: {len(summary.unusual)} frames have values outside {low:g}-{high:g} deg C; is their unit "
            f"another? {examples}"
        )
    yield from skipped_lines(summary.skipped, out_dir)


if __name__ == "__main__":
    sys.exit(main())
