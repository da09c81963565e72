"""Checks weights on your own thermal frames: predicts, and compares with boxes about the faces.

python scripts/wild/check_weights.py --frames_dir DIR --boxes FILE [--resume CKPT]
"""

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from lib.utils.errors import CheckpointError, ConfigError, DataError, OutputError  # noqa: E402

WEIGHTS = REPO / "lib/models/pretrained/face.pth"


def main(arguments: list[str] | None = None) -> int:
    """Parse, predict, score, report; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        _check(args)
    except (CheckpointError, ConfigError, DataError, OutputError) as error:
        print(f"check_weights.py: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add("--resume", type=Path, default=WEIGHTS, metavar="CKPT", help="the weights (lib/models/pretrained/face.pth)")
    add(
        "--out_dir",
        type=Path,
        default=Path("seg_results/check_weights"),
        metavar="DIR",
        help="gets all results (seg_results/check_weights)",
    )
    add(
        "--frames_dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="your frames, of any kind that scripts/predict.sh reads",
    )
    add(
        "--boxes",
        type=Path,
        required=True,
        metavar="FILE",
        help="their faces: lines frame,x0,y0,x1,y1, or frame,,,, without a face",
    )
    add("--sheet", type=Path, metavar="FILE", help="also draw frames, predictions and boxes into this PNG")
    add("--tiles", type=_positive, default=60, metavar="N", help="frames on that sheet, the first N (60)")
    add("pairs", nargs="*", metavar="section.key=value", help="config values, e.g. predict.temp_preset=centikelvin")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return number


def _check(args: argparse.Namespace) -> None:
    # Imported here, because they import torch, which a fault in an argument need not wait for.
    from lib.metrics.boxes import as_json, read_boxes
    from lib.utils.files import atomic_write
    from scripts.prediction import predict
    from scripts.wild.box_report import compare, format_table, save_sheet

    if not args.resume.is_file():
        raise CheckpointError(f"{args.resume}: no such file; name the weights with --resume CKPT")
    boxes = read_boxes(args.boxes)
    config = predict(args.resume, args.frames_dir, args.out_dir, args.pairs)
    scores, tiles = compare(config, boxes, args.boxes, args.tiles if args.sheet else 0)
    result = as_json(scores)
    with atomic_write(args.out_dir / "check.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    if args.sheet:
        save_sheet(args.sheet, tiles)
    print(format_table(result))


if __name__ == "__main__":
    sys.exit(main())
