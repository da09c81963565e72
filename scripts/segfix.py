"""Mends the boundaries of any network's masks by SegFix's offsets: ``python scripts/segfix.py --help``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from tqdm import tqdm  # noqa: E402

from lib.datasets.labels import LabelMap, read_label  # noqa: E402
from lib.datasets.segfix import read_offset, refine  # noqa: E402
from lib.metrics import ConfusionMatrix, frame_scores, set_boundary_scores  # noqa: E402
from lib.utils.config import Config, load_config  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.utils.labels import IGNORE  # noqa: E402
from lib.utils.manifest import Manifest, refuse_sources  # noqa: E402
from lib.utils.text import first_few  # noqa: E402
from scripts.arguments import positive  # noqa: E402

REMEDY = "name another folder with --out"


def main(arguments: Sequence[str] | None = None) -> int:
    """Refine all masks of a folder; returns the exit status: 0 done, 2 an error."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if (args.truth is None) != (args.configs is None):
        parser.error("--truth and --configs belong together: the config says which values are classes")
    out = args.out or args.input.parent / f"{args.input.name}_w_segfix"
    try:
        count = refine_folder(args.input, args.offsets, out, args.scale)
        print(f"{count} masks in {out}")
        if args.truth is not None:
            config, _ = load_config(args.configs)
            for name, folder in (("before", args.input), ("after", out)):
                miou, boundary_f1 = score_folder(folder, args.truth, config)
                print(f"{name}: mIoU {100 * miou:.2f} %, boundary F1 {100 * boundary_f1:.2f} %")
    except (ValueError, OSError) as error:
        print(f"segfix.py: error: {error}", file=sys.stderr)
        return 2
    return 0


def refine_folder(labels: Path, offsets: Path, out: Path, scale: int) -> int:
    """Write the refined mask of each ``labels/<name>.png`` to ``out``; returns their number.

    Args:
        labels: folder of 8-bit masks, whose values stay what they are: classes, label ids.
        offsets: folder of ``<name>.mat``.
        out: folder; files that an earlier run wrote there are replaced.
        scale: of :func:`lib.datasets.segfix.refine`.

    Raises:
        DataError: no masks, a mask without offsets, or of another size; nothing is written for the first two.
        ConfigError, OutputError: ``out`` is read from, or holds other files.
    """
    paths = sorted(path for path in labels.glob("*.png") if not path.name.startswith("."))
    if not paths:
        raise DataError(f"{labels}: no masks; expected *.png, such as label/ of --phase test writes")
    lacking = [path.stem for path in paths if not (offsets / f"{path.stem}.mat").is_file()]
    if lacking:
        raise DataError(
            f"{offsets}: expected <name>.mat for every mask, none for {first_few(lacking)}; they are what "
            "--phase test_offset writes"
        )
    refuse_sources(out, [], [labels, offsets], REMEDY)
    manifest = Manifest(out, "refined")
    manifest.refuse_others(out.glob("*.png"), REMEDY)
    manifest.clear()
    for path in tqdm(paths, unit="mask", disable=None):
        try:
            refined = refine(read_label(path), read_offset(offsets / f"{path.stem}.mat"), scale)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        picture = Image.fromarray(refined)
        with Image.open(path) as mask:
            colours = mask.getpalette() if mask.mode == "P" else None
        if colours:
            picture.putpalette(colours)
        with manifest.writing(out / path.name), atomic_write(out / path.name, durable=False) as file:
            picture.save(file, format="PNG")
    return len(paths)


def score_folder(masks: Path, truth: Path, config: Config) -> tuple[float, float]:
    """Mean IoU, and mean boundary F1 over frames and classes, of ``masks/<name>.png`` by ``truth/<name>.png``.

    Args:
        masks: in values of label files with the config's ``test.raw_labels``, else in classes.
        truth: in values of label files.
        config: says what the values are.

    Raises:
        DataError: a label is missing, of another size, or has a value without a class.
    """
    count = config.data.num_classes
    label_map = LabelMap(count, config.data.remap_classes)
    mask_map = label_map if config.test.raw_labels else LabelMap(count)
    confusion, frames = ConfusionMatrix(count), []
    for path in sorted(masks.glob("[!.]*.png")):
        mask, label = mask_map(read_label(path), path), label_map(read_label(truth / path.name), truth / path.name)
        if mask.shape != label.shape or IGNORE in mask:
            raise DataError(f"{path}: expected a mask of shape {label.shape} with a class in every pixel")
        # As in labels of batches, where -1 is ignored.
        truths = np.where(label == IGNORE, -1, label.astype(np.int64))
        confusion.update(torch.from_numpy(mask.astype(np.int64)), torch.from_numpy(truths))
        frames.append(frame_scores(path.stem, mask, label, count))
    return confusion.scores()["miou"], set_boundary_scores(frames, count)["boundary_f1"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python scripts/segfix.py",
        description="Gives pixels at the boundaries of masks the value that lies a step or two inside, in the "
        "direction that SegFix found in the picture. Masks may be of any network, in classes or label ids.",
        epilog="Offsets: python main.py --phase test_offset --resume SEGFIX.pth --test_dir FRAMES --out_dir DIR",
    )
    add = parser.add_argument
    add("--input", type=Path, required=True, metavar="LABELS", help="folder of masks, <name>.png")
    add("--offsets", "--offset", type=Path, required=True, metavar="DIR", help="folder of offsets, <name>.mat")
    add("--out", type=Path, metavar="OUT", help="folder of the refined masks (LABELS_w_segfix)")
    add("--truth", type=Path, metavar="DIR", help="folder of true labels: prints scores before and after")
    add("--configs", type=Path, metavar="FILE", help="config of the data set, with --truth")
    add("--scale", type=positive, default=2, metavar="N", help="length of a step in offsets: 2, for instances 1 (2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
