"""How good a network becomes on other people by how many frames of one person are labelled: the table of README.md.

python scripts/drivers/few_frames.py PROCESSED SCRATCH_ROOT [--counts 5 20 50 200] [--from_scratch]
"""

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

import numpy as np  # noqa: E402

from lib.datasets.dataset import Sample, find_pairs  # noqa: E402
from lib.datasets.drivers.prepare import FRAMES_FILE  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.utils.log import show  # noqa: E402
from scripts.arguments import positive  # noqa: E402
from scripts.finetune import main as finetune  # noqa: E402
from scripts.wild.check_weights import main as check_weights  # noqa: E402

TABLE = "few_frames.csv"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fine-tune and score each network that isn't yet, then print and write the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = parser.add_argument
    add(
        "processed",
        metavar="PROCESSED",
        type=Path,
        help="of prepare_data.sh --unconstrained glasses: each person of train is trained on, those of val are scored",
    )
    add("scratch_root", metavar="SCRATCH_ROOT", type=Path, help=f"gets the runs and {TABLE}; run again, it goes on")
    add("--counts", metavar="N", type=positive, nargs="+", default=[5, 20, 50, 200], help="frames labelled")
    add("--from_scratch", action="store_true", help="begin with fresh weights instead of the shipped ones")
    add("--glasses", action="store_true", help="score the frames of unconstrained as well")
    args, further = parser.parse_known_args(arguments)
    persons = _frames_by_person(args.processed)
    start = "scratch" if args.from_scratch else "shipped"
    pairs = ["network.pretrained=null"] if args.from_scratch else []
    scored = ["val", "unconstrained"] if args.glasses else ["val"]
    for count in args.counts:
        for person, frames in persons.items():
            if len(frames) < count:
                continue
            name = f"{person}_{count}_{start}"
            run_dir = args.scratch_root / name
            checks = [run_dir / f"check_{split}" for split in scored]
            if all((check / "check.json").is_file() for check in checks):
                continue
            folder = args.scratch_root / "frames" / f"{person}_{count}"
            _choose(frames, count, folder)
            status = finetune([str(folder), str(args.scratch_root), name, *pairs, *further])
            weights = str(run_dir / f"checkpoints/{name}_max_performance.pth")
            for split, check in zip(scored, checks, strict=True):
                command = ["--data_dir", str(args.processed / split), "--resume", weights, "--out_dir", str(check)]
                status = status or check_weights([*command, "test.save_vis=n", "predict.polarity=white_hot"])
            if status:
                return status
    show(_write_table(args.scratch_root))
    return 0


def _frames_by_person(processed: Path) -> dict[str, list[Sample]]:
    """The labelled frames of each person of ``train``, in their order in time."""
    with (processed / FRAMES_FILE).open(encoding="utf-8", newline="") as file:
        person = {row["frame"]: row["subject"] for row in csv.DictReader(file)}
    found: dict[str, list[Sample]] = {}
    for sample in find_pairs(processed / "train").samples:
        found.setdefault(person[sample.name], []).append(sample)
    return found


def _choose(frames: Sequence[Sample], count: int, folder: Path) -> None:
    """Copy ``count`` frames, spread evenly, to ``folder/{image,label}``."""
    for index in np.linspace(0, len(frames) - 1, count).round().astype(int):
        _, image, label = frames[index]
        for kind, path in (("image", image), ("label", label)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            if path and not (folder / kind / path.name).exists():
                shutil.copy2(path, folder / kind)


def _write_table(scratch_root: Path) -> str:
    """Write and return what all finished runs scored, in percent."""
    rows = []
    for path in sorted(scratch_root.glob("*_*_*/check_*/check.json")):
        person, count, start = path.parts[-3].rsplit("_", 2)
        scores = json.loads(path.read_text())["overall"]
        values = {"miou": scores["miou"], **scores["iou"], "inside": scores["good"]}
        split = path.parts[-2].removeprefix("check_")
        row = {"scored": split, "start": start, "frames": int(count), "person": person}
        rows.append(row | {name: round(100 * value, 1) for name, value in values.items()})
    rows.sort(key=lambda row: (row["scored"], row["start"], row["frames"], row["person"]))
    with atomic_write(scratch_root / TABLE, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ())
        writer.writeheader()
        writer.writerows(rows)
    return (scratch_root / TABLE).read_text()


if __name__ == "__main__":
    sys.exit(main())
