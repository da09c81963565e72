"""Mends the boundaries of any network's masks by SegFix's offsets: ``python scripts/segfix.py --help``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PIL import Image  # noqa: E402
from tqdm import tqdm  # noqa: E402

from lib.datasets.labels import read_label  # noqa: E402
from lib.datasets.segfix import read_offset, refine  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.utils.manifest import Manifest, refuse_sources  # noqa: E402
from lib.utils.text import first_few  # noqa: E402
from scripts.arguments import positive  # noqa: E402

REMEDY = "name another folder with --out"


def main(arguments: Sequence[str] | None = None) -> int:
    """Refine all masks of a folder; returns the exit status: 0 done, 2 an error."""
    args = _parser().parse_args(arguments)
    out = args.out or args.input.parent / f"{args.input.name}_w_segfix"
    try:
        count = refine_folder(args.input, args.offsets, out, args.scale)
    except (ValueError, OSError) as error:
        print(f"segfix.py: error: {error}", file=sys.stderr)
        return 2
    print(f"{count} masks in {out}")
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
    add("--scale", type=positive, default=2, metavar="N", help="length of a step in offsets: 2, for instances 1 (2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
