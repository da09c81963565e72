"""Fine-tunes the network that comes with this repository on a few labelled frames; ``scripts/finetune.sh`` runs it."""

import argparse
import csv
import io
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

from lib.datasets.build import reading_of  # noqa: E402
from lib.datasets.dataset import Sample  # noqa: E402
from lib.datasets.division import Division, find_division  # noqa: E402
from lib.datasets.labels import LabelMap, read_label  # noqa: E402
from lib.metrics import format_scores  # noqa: E402
from lib.thermal import Letterbox, ThermalFrame  # noqa: E402
from lib.thermal.readers import FrameReader  # noqa: E402
from lib.thermal.resize import resize_image, resize_label  # noqa: E402
from lib.utils.cli import parse_command_line  # noqa: E402
from lib.utils.config import Config, load_config  # noqa: E402
from lib.utils.errors import DataError, OutputError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.utils.labels import IGNORE  # noqa: E402
from lib.utils.log import show  # noqa: E402
from lib.utils.manifest import Manifest  # noqa: E402
from main import main as run_phase  # noqa: E402
from segmentor.checking.names import check_names  # noqa: E402

CONFIG = REPO / "configs/drivers/finetune.yaml"
WEIGHTS = REPO / "lib/models/pretrained/face.pth"
REMEDY = "choose another NAME"
OWN_CONFIG = "config.yaml"
"""Beside the frames: what ``--phase convert`` says of the labels that it wrote."""
READING = ("temp_preset", "temp_scale", "temp_offset", "axes")
"""Keys of section ``data`` that say what the numbers in the user's files mean."""
DESCRIPTION = (*("num_classes", "class_names", "palette", "remap_classes", "raw_size", "grey_range"), *READING)
"""Keys of section ``data`` that a config of the user's own decides."""


def iterations_for(frames: int) -> int:
    """How many iterations to train for with so many labelled frames.

    >>> [iterations_for(count) for count in (5, 20, 50, 200)]
    [40, 70, 100, 175]
    """
    return min(400, max(40, round(40 * (frames / 5) ** 0.4)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Divide the frames, train, test before and after, compare; returns the exit status."""
    start = time.monotonic()
    args, further = _parser().parse_known_args(arguments)
    run_dir = args.scratch_root.resolve() / args.name
    try:
        division = find_division(args.data_root)
        beside = division.root / OWN_CONFIG
        described = args.configs or (beside if beside.is_file() else None)
        config = make_config(division, run_dir, described, further)
        _write_plan(division, config, run_dir)
        status = run_phases(config, run_dir)
    except (ValueError, OSError) as error:
        print(f"finetune.sh: error: {error}", file=sys.stderr)
        return 2
    if status == 0:
        minutes, seconds = divmod(round(time.monotonic() - start), 60)
        show(f"{_results(config, division, run_dir)}\ntook {minutes} min {seconds} s\n")
    elif status > 128:  # a signal
        print("or run the same command again", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="finetune.sh",
        usage="bash scripts/finetune.sh DATA_ROOT SCRATCH_ROOT [NAME] [--configs FILE] [any main.py arguments]",
        description="Fine-tunes the network that comes with this repository on your labelled frames, some minutes on "
        "two CPU cores. Run again, it goes on after an interruption.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "data_root",
        metavar="DATA_ROOT",
        type=Path,
        help="has image/ and label/, or these in train/ and val/, or all that in Processed/; frames without label are "
        "left out. What isn't divided is: by subject where names tell of several, else by time",
    )
    add("scratch_root", metavar="SCRATCH_ROOT", type=Path, help="gets SCRATCH_ROOT/NAME with all that is written")
    add("name", metavar="NAME", nargs="?", default="finetuned", help="of the run (finetuned)")
    add(
        "--configs",
        metavar="FILE",
        type=Path,
        help=f"a config whose section data says which classes the labels have and how frames are read ({OWN_CONFIG} "
        "beside the frames, if there is one); without it they are the six of the network (0-5), or the eight values of "
        "the Thermal Face Database (0-7)",
    )
    return parser


def make_config(division: Division, run_dir: Path, configs: Path | None, further: Sequence[str]) -> Config:
    """The config of a run.

    Args:
        division: the frames.
        run_dir: gets all that is written.
        configs: a config whose section ``data`` describes the frames and labels; None for the network's own classes.
        further: arguments of ``main.py``, which overrule all else.

    Raises:
        ConfigError: an argument or the config is faulty.
        DataError: a label can't be read.
    """
    line = parse_command_line(["--configs", str(configs or CONFIG), *further])
    iterations = iterations_for(len(division.train) + len(division.val))
    values = {
        "network.pretrained": str(WEIGHTS),
        "solver.max_iters": iterations,
        "solver.test_interval": math.ceil(iterations / 4),
        "data.on_leak": "warn",  # who divides by time knows
        "data.data_dir": [str(run_dir / "data")],
        "checkpoints.checkpoints_root": str(run_dir),
        "checkpoints.checkpoints_name": run_dir.name,
        "logging.log_file": str(run_dir / "logs/train.log"),
    }
    own = load_config(CONFIG)[0].data
    if configs is not None:
        described = load_config(configs)[0].data
        values |= {f"data.{key}": getattr(described, key) for key in DESCRIPTION}
        if described.names != own.names:  # the last layer begins anew
            values |= {"network.resume_strict": False, "loss.params.ce_weight": None}
    elif _largest_value([*division.train, *division.val]) < own.num_classes:
        values["data.remap_classes"] = None
    return load_config(CONFIG, values | line.flags, line.pairs, [check_names])[0]


def _largest_value(samples: Sequence[Sample]) -> int:
    """The largest value in label files that isn't ignored."""
    found = (read_label(sample.label) for sample in samples if sample.label)
    return max((int(label[label != IGNORE].max(initial=0)) for label in found), default=0)


def _write_plan(division: Division, config: Config, run_dir: Path) -> None:
    """Write frames, labels and config of a run.

    Raises:
        OutputError: there is a run of that name on other frames or with other settings.
        DataError: a file can't be read, or an image and its label differ in size.
    """
    table = _table(division)
    # What is written is in deg C or grey levels of 8 bits, so nothing is left to say about it.
    data = config.data.model_copy(update=dict.fromkeys(READING))
    files = {"frames.csv": table, "finetune.yaml": config.model_copy(update={"data": data}).to_yaml()}
    for name, text in files.items():
        path = run_dir / name
        if path.exists() and path.read_text(encoding="utf-8", errors="surrogateescape") != text:
            raise OutputError(f"{path}: a run of this name had other frames, labels or settings; {REMEDY}")
    show(_announcement(division, config))
    _write_frames(division, config, run_dir / "data")
    for name, text in files.items():
        with atomic_write(run_dir / name, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)


def _announcement(division: Division, config: Config) -> str:
    train, val = len(division.train), len(division.val)
    left_out = f" ({division.unlabelled} without label are left out)" if division.unlabelled else ""
    remap = config.data.remap_classes
    values = f"label values 0 to {len(remap) - 1 if remap else config.data.num_classes - 1}"
    return (
        f"{train + val} labelled frames{left_out}, divided {division.how}: {train} to train on, {val} to validate on\n"
        f"{values}: {', '.join(config.data.names)}; {config.solver.max_iters} iterations\n"
    )


def _table(division: Division) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("frame", "split", "image", "label", "checksum"))
    for split in ("train", "val"):
        for name, image, label in getattr(division, split):
            checksum = crc32(label.read_bytes(), crc32(image.read_bytes()))
            writer.writerow((name, split, image.resolve(), label.resolve(), f"{checksum:08x}"))
    return file.getvalue()


def _write_frames(division: Division, config: Config, folder: Path) -> None:
    """Write ``{train,val}/{image,label}``, in the size at which predictions see the frames."""
    reader, samples = FrameReader(reading_of(config.data)), [*division.train, *division.val]
    notes = reader.decide([sample.image for sample in samples], str(samples[0].image.parent))
    show("".join(f"{note}\n" for note in notes))
    label_map = LabelMap(config.data.num_classes, config.data.remap_classes)
    width, height = config.train.data_transformer.input_size
    manifest = Manifest(folder, "finetune")
    manifest.refuse_others((path for path in folder.rglob("*.*") if path.parent != folder), REMEDY)
    manifest.clear()
    for sample in samples:
        assert sample.label is not None  # only those were looked for
        frame, label = reader.read(sample.image), read_label(sample.label)
        label_map(label, sample.label)  # raises of a value without class
        shape = frame.values.shape
        if label.shape != shape:
            raise DataError(
                f"{sample.label}: the label is {label.shape[0]}x{label.shape[1]} (height x width), its image "
                f"{sample.image} is {shape[0]}x{shape[1]}; label the frame at its own size"
            )
        size = Letterbox(shape, (height, width)).inner
        if size != shape:
            frame = frame._replace(values=resize_image(frame.values, size))
            label = resize_label(label, size, "majority")
        split = folder / ("train" if sample in division.train else "val")
        image_path = split / "image" / f"{sample.name}{'.npy' if frame.radiometric else '.png'}"
        label_path = split / "label" / f"{sample.name}.png"
        with manifest.writing(label_path, image_path):
            with atomic_write(label_path, durable=False) as file:
                file.write(cv2.imencode(".png", label)[1])
            with atomic_write(image_path, durable=False) as file:
                _write_image(file, frame)


def _write_image(file: io.BufferedIOBase, frame: ThermalFrame) -> None:
    """Write deg C as an array, and grey levels as a picture."""
    if frame.radiometric:
        np.save(file, frame.values)
        return
    levels, low, high = frame.values, frame.values.min(), frame.values.max()
    if low < 0 or high > 255:  # the network sees every frame between its extremes, so that changes nothing
        levels = (levels - low) * (255 / (high - low))
    file.write(cv2.imencode(".png", np.rint(levels).astype(np.uint8))[1])


def run_phases(config: Config, run_dir: Path) -> int:
    """Train, test the network before and after, and compare the two; the first exit status that isn't 0, else 0."""
    command, latest = ["--configs", str(run_dir / "finetune.yaml")], checkpoint_of(config, "latest")
    start = ["--resume", str(latest), "--resume_continue", "y"] if latest.exists() else ["--overwrite", "y"]
    networks = {"after": str(checkpoint_of(config))}
    if config.network.pretrained and config.network.resume_strict:  # with other classes it can't be tested as it comes
        networks = {"before": config.network.pretrained, **networks}
    remap = f"data.remap_classes={json.dumps(config.data.remap_classes)}"
    commands = [[*command, "--phase", "train", *start]]
    for name, network in networks.items():
        commands.append([*command, "--phase", "test", "--resume", network, "--out_dir", str(run_dir / name), remap])
    if len(networks) > 1:
        folders = [str(run_dir / name) for name in networks]
        commands.append(["--phase", "compare", "--runs", *folders, "--out_dir", str(run_dir)])
    return next(filter(None, map(run_phase, commands)), 0)


def checkpoint_of(config: Config, kind: str = "max_performance") -> Path:
    """The checkpoint of a run: the one of the best mIoU, or of another ``kind``."""
    place = config.checkpoints
    return Path(place.checkpoints_root, place.checkpoints_dir, f"{place.checkpoints_name}_{kind}.pth")


def _results(config: Config, division: Division, run_dir: Path) -> str:
    metrics = json.loads((run_dir / "after/metrics.json").read_text())
    whose = {True: ", of people that it was not trained on", False: ", of the people that it was trained on", None: ""}
    lines = [
        f"\nIoU on the {len(division.val)} frames to validate on{whose[division.apart]}:\n",
        format_scores(metrics),
        "",
    ]
    if division.apart is False:
        lines += ["Other people will be segmented less well; label frames of a second person to see how much.", ""]
    if (run_dir / "compare.html").exists():
        lines.append(f"before and after: {run_dir / 'compare.html'}")
    lines += [
        f"report:           {run_dir / 'after/report.html'}",
        f"predict:          bash scripts/predict.sh --resume {checkpoint_of(config)} INPUT OUT",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
