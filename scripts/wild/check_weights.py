"""Checks weights on your own thermal frames: predicts, and compares with masks, or with boxes about the faces.

python scripts/wild/check_weights.py --data_dir PROCESSED [--resume CKPT]
python scripts/wild/check_weights.py --frames_dir DIR --boxes FILE [--resume CKPT]

PROCESSED has image/ and label/, or folders that have, such as train/ and val/. The values in the label files become
classes by data.remap_classes of the weights: 0-7 of the Thermal Face Database to the six of the shipped ones. With
data.remap_classes=null they are the classes. frames.csv in PROCESSED, or beside it, says of each frame what else the
scores are sorted by.
"""

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from lib.utils.errors import CheckpointError, ConfigError, DataError, OutputError  # noqa: E402
from scripts.arguments import positive  # noqa: E402

WEIGHTS = REPO / "lib/models/pretrained/face.pth"


def main(arguments: list[str] | None = None) -> int:
    """Parse, predict, score, report; returns the exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if (args.boxes is None) != (args.frames_dir is None):
        parser.error("--frames_dir and --boxes belong together: both are required, or --data_dir")
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
    frames = parser.add_mutually_exclusive_group(required=True)
    frames.add_argument("--data_dir", type=Path, metavar="PROCESSED", help="frames with masks of their faces' parts")
    frames.add_argument(
        "--frames_dir",
        type=Path,
        metavar="DIR",
        help="your frames, of any kind that scripts/predict.sh reads",
    )
    add(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="the faces of --frames_dir: lines frame,x0,y0,x1,y1, or frame,,,, without a face",
    )
    add(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="a PNG of frames: the worst, median and best with masks (OUT_DIR/sheet.png), or the first with boxes",
    )
    add("--tiles", type=positive, default=60, metavar="N", help="of --frames_dir: frames on that sheet (60)")
    add("pairs", nargs="*", metavar="section.key=value", help="config values, e.g. predict.temp_preset=centikelvin")
    return parser


def _check(args: argparse.Namespace) -> None:
    if not args.resume.is_file():
        raise CheckpointError(f"{args.resume}: no such file; name the weights with --resume CKPT")
    # Imported here, because they import torch, which a fault in an argument need not wait for.
    from lib.utils.files import atomic_write

    result, table = _check_masks(args) if args.data_dir else _check_boxes(args)
    with atomic_write(args.out_dir / "check.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print(table)


def _check_boxes(args: argparse.Namespace) -> tuple[dict, str]:
    from lib.metrics.boxes import as_json, read_boxes
    from scripts.prediction import predict
    from scripts.wild.box_report import compare, format_table, save_sheet

    boxes = read_boxes(args.boxes)
    config = predict(args.resume, args.frames_dir, args.out_dir, args.pairs)
    scores, tiles = compare(config, boxes, args.boxes, args.tiles if args.sheet else 0)
    if args.sheet:
        save_sheet(args.sheet, tiles)
    result = as_json(scores)
    return result, format_table(result)


def _check_masks(args: argparse.Namespace) -> tuple[dict, str]:
    from lib.metrics.masks import masks_as_json
    from scripts.prediction import predict
    from scripts.wild.mask_report import Checked, format_masks, labelled_folders, read_conditions

    checked = Checked()
    for name, folder in labelled_folders(args.data_dir).items():
        config = predict(args.resume, folder, args.out_dir / name, args.pairs)
        checked.add(config, folder, args.out_dir / name / "label")
    checked.save_sheet(args.sheet or args.out_dir / "sheet.png")
    result = masks_as_json(checked.scores, config.data.names, read_conditions(args.data_dir))
    return result, format_masks(result)


if __name__ == "__main__":
    sys.exit(main())
