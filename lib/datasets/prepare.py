"""From the raw Thermal Face Database to ``{train,val}/{image,label,ann}``: split, hulls, crop, reduction."""

import csv
import json
import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from lib.datasets.frames import array_shape, read_array
from lib.datasets.ljson import draw_labels, read_ljson
from lib.datasets.resize import LABEL_RESIZES, centre_crop, resize_image, resize_label
from lib.utils.errors import ConfigError, DataError
from lib.utils.files import atomic_write

log = logging.getLogger("samcl")

# The published split: 16 of 90 subjects, 473 of 2,935 images
VAL_SUBJECTS = tuple(
    f"sub{number:03d}" for number in (7, 9, 11, 12, 13, 17, 21, 23, 52, 61, 68, 69, 75, 85, 90, 91)
)
SPLITS = ("train", "val")
RAW_ENDINGS = (".jpg_lfb", ".png_lfb")
MARGIN = 0.1  # of the frame's longer side: how far outside the frame a landmark may lie
USUAL_RANGE = (5.0, 50.0)  # deg C; frames outside are reported, as their unit may be another
OPTIONS_FILE = "prepare.json"
SKIPPED_FILE = "skipped.csv"


@dataclass(frozen=True)
class Options:
    """What decides the content of prepared files; kept in ``prepare.json`` beside them.

    Attributes:
        target_res: (H, W) in pixels of the prepared frames.
        crop_res: (H, W) of the centre crop before the reduction; None for no crop.
        val_subjects: subjects of the validation split; all others train.
        label_resize: ``majority`` or ``published``, see :func:`lib.datasets.resize.resize_label`.
    """

    target_res: tuple[int, int] = (256, 320)
    crop_res: tuple[int, int] | None = (768, 960)
    val_subjects: tuple[str, ...] = VAL_SUBJECTS
    label_resize: str = "majority"

    def as_json(self) -> dict:
        """The options as they stand in ``prepare.json``."""
        return {
            "target_res": list(self.target_res),
            "crop_res": list(self.crop_res) if self.crop_res else None,
            "val_subjects": sorted(set(self.val_subjects)),
            "label_resize": self.label_resize,
        }


class Frame(NamedTuple):
    """One raw frame: ``image`` and ``landmarks`` may not exist; ``split`` is None if the name has no subject."""

    stem: str
    image: Path
    landmarks: Path
    split: str | None


class Outcome(NamedTuple):
    """What became of one frame: ``reason`` says why it was skipped; ``range`` its (lowest, highest) value."""

    name: str
    reason: str | None = None
    range: tuple[float, float] | None = None


@dataclass
class Summary:
    """What :func:`prepare` did.

    Attributes:
        written: frames prepared now, by split.
        kept: frames that were there already, by split.
        skipped: frames left out, with the reason.
        unusual: frames with values outside 5-50 deg C, among those prepared now.
    """

    written: Counter = field(default_factory=Counter)
    kept: Counter = field(default_factory=Counter)
    skipped: list[Outcome] = field(default_factory=list)
    unusual: list[Outcome] = field(default_factory=list)


def prepare(
    raw_dir: str | os.PathLike,
    out_dir: str | os.PathLike,
    options: Options | None = None,
    workers: int = 0,
    overwrite: bool = False,
) -> Summary:
    """Prepare a raw database for training; frames that are prepared already are kept.

    Args:
        raw_dir: folder of ``<stem>.jpg_lfb.npy`` or ``<stem>.png_lfb.npy`` beside ``.ljson`` of the same name.
        out_dir: becomes ``{train,val}/{image/<stem>.npy, label/<stem>.png, ann/<stem>.ljson}``: float32 frames in
            the unit of the raw ones, uint8 labels 0-7, the unchanged landmark file (pixels of the raw frame).
        options: default :class:`Options`.
        workers: processes; 0 or 1 works in this one.
        overwrite: remove what was prepared into ``out_dir`` before, with whatever options.

    Returns:
        The summary; frames that couldn't be used are in it and in ``out_dir/skipped.csv``.

    Raises:
        ConfigError: options that make no sense.
        DataError: ``raw_dir`` holds no frames or none of the validation subjects, or ``out_dir`` was prepared
            with other options.
    """
    raw_dir, out_dir, options = Path(raw_dir), Path(out_dir), options or Options()
    _check_options(options)
    frames, skipped = _find_frames(raw_dir, options)
    _claim(out_dir, options, overwrite)
    summary = Summary(skipped=skipped)
    missing = []
    for frame in frames:
        if _is_complete(frame, out_dir):
            summary.kept[frame.split] += 1
        else:
            missing.append(frame)
    size = _usual_size(frames)
    tasks = [(frame, out_dir, options, size) for frame in missing]
    splits = {frame.stem: frame.split for frame in missing}
    for outcome in tqdm(_run(tasks, workers), total=len(tasks), desc="prepare", unit="frame", disable=None):
        if outcome.reason:
            summary.skipped.append(outcome)
            continue
        summary.written[splits[outcome.name]] += 1
        if outcome.range[0] < USUAL_RANGE[0] or outcome.range[1] > USUAL_RANGE[1]:
            summary.unusual.append(outcome)
    summary.skipped.sort()
    _write_skipped(out_dir, summary.skipped)
    return summary


def _check_options(options: Options) -> None:
    for name, size in (("--target_res", options.target_res), ("--crop_res", options.crop_res)):
        if size is not None and not (len(size) == 2 and all(1 <= side <= 16384 for side in size)):
            raise ConfigError(f"{name}: expected height and width in pixels, got {size}")
    if options.label_resize not in LABEL_RESIZES:
        raise ConfigError(
            f"--label_resize: expected {' or '.join(LABEL_RESIZES)}, got {options.label_resize!r}"
        )


def _find_frames(raw_dir: Path, options: Options) -> tuple[list[Frame], list[Outcome]]:
    """All frames of ``raw_dir`` by stem, and those that can't be used because of their names."""
    if not raw_dir.is_dir():
        raise DataError(f"{raw_dir}: RAW_DIR is no folder; expected the folder of the raw frames")
    names = sorted(entry.name for entry in os.scandir(raw_dir))
    found: dict[str, str] = {}  # stem -> ending
    skipped = []
    for name in dict.fromkeys(
        os.path.splitext(name)[0] for name in names if name.endswith((".npy", ".ljson"))
    ):
        stem, ending = os.path.splitext(name)
        if ending not in RAW_ENDINGS or stem.startswith("."):
            continue
        if stem in found:
            skipped.append(Outcome(stem, f"{name} has the same stem as {stem}{found[stem]}, which is used"))
        elif len(stem.split("_")) < 2 or not stem.split("_")[1]:
            skipped.append(
                Outcome(stem, "no subject in the name; expected the second field between _ to name it")
            )
        else:
            found[stem] = ending
    if not found:
        raise DataError(_no_frames(raw_dir))
    subjects = {stem: stem.split("_")[1] for stem in found}
    _check_subjects(set(subjects.values()), options.val_subjects)
    return [
        Frame(
            stem,
            raw_dir / f"{stem}{ending}.npy",
            raw_dir / f"{stem}{ending}.ljson",
            "val" if subjects[stem] in options.val_subjects else "train",
        )
        for stem, ending in sorted(found.items())
    ], skipped


def _no_frames(raw_dir: Path) -> str:
    deeper = next((path.parent for path in raw_dir.rglob("*_lfb.npy")), None)
    hint = f" There are some in {deeper}; is that RAW_DIR?" if deeper else ""
    return (
        f"{raw_dir}: no frames in RAW_DIR; expected <stem>.jpg_lfb.npy or <stem>.png_lfb.npy beside "
        f"<stem>.jpg_lfb.ljson or <stem>.png_lfb.ljson, with stems like irface_sub007_seq02_frm00086.{hint}"
    )


def _check_subjects(subjects: set[str], val_subjects: Sequence[str]) -> None:
    absent = sorted(set(val_subjects) - subjects)
    listing = " ".join(sorted(subjects)[:12]) + (" ..." if len(subjects) > 12 else "")
    if val_subjects and len(absent) == len(set(val_subjects)):
        raise DataError(
            f"none of the validation subjects ({' '.join(absent)}) is in the database, whose {len(subjects)} "
            f"subjects are {listing}; name some with --val_subjects, or none with --val_subjects none"
        )
    if absent:
        log.warning("validation subjects that aren't in the database: %s", " ".join(absent))
    if subjects <= set(val_subjects):
        log.warning("all subjects (%s) are validation subjects; there is nothing to train on", listing)


def _claim(out_dir: Path, options: Options, overwrite: bool) -> None:
    """Make sure that ``out_dir`` holds nothing, or only what was prepared with the same options."""
    path = out_dir / OPTIONS_FILE
    outputs = list(_outputs(out_dir))
    if overwrite:
        for output in outputs:
            output.unlink()
    elif path.exists():
        before = _read_options(path)
        differing = [
            f"{key} was {before.get(key)}, now {value}"
            for key, value in options.as_json().items()
            if before.get(key) != value
        ]
        if differing and outputs:
            raise DataError(
                f"{out_dir}: was prepared with other options ({'; '.join(differing)}). Choose another OUT_DIR, "
                "or --overwrite y to prepare it anew."
            )
    elif outputs:
        raise DataError(
            f"{out_dir}: holds frames ({outputs[0]}) but no {OPTIONS_FILE}, so their origin is unknown. Choose "
            "another OUT_DIR, or --overwrite y to replace them."
        )
    with atomic_write(path, "w") as file:
        json.dump(options.as_json(), file, indent=2)


def _outputs(out_dir: Path) -> Iterator[Path]:
    for split in SPLITS:
        for kind, ending in (("image", ".npy"), ("label", ".png"), ("ann", ".ljson")):
            yield from sorted((out_dir / split / kind).glob(f"*{ending}"))


def _read_options(path: Path) -> dict:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: unreadable ({error}); --overwrite y prepares its folder anew") from error
    return content if isinstance(content, dict) else {}


def _output_paths(frame: Frame, out_dir: Path) -> tuple[Path, Path, Path]:
    folder = out_dir / frame.split
    names = ("image", ".npy"), ("label", ".png"), ("ann", ".ljson")
    return tuple(folder / kind / f"{frame.stem}{ending}" for kind, ending in names)


def _is_complete(frame: Frame, out_dir: Path) -> bool:
    return all(path.exists() for path in _output_paths(frame, out_dir))


def _usual_size(frames: Iterable[Frame]) -> tuple[int, ...] | None:
    """The most frequent shape of the frames whose header can be read."""
    shapes: Counter = Counter()
    for frame in frames:
        try:
            shapes[array_shape(frame.image)] += 1
        except DataError:
            continue  # named when its turn comes
    planes = [shape for shape, _ in shapes.most_common() if len(shape) == 2]
    return planes[0] if planes else None


def _run(tasks: list[tuple], workers: int) -> Iterator[Outcome]:
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(_prepare_frame, tasks)
        return
    context = multiprocessing.get_context("spawn")  # safe whatever threads the caller runs
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(1,))
    try:
        chunk = max(1, min(16, len(tasks) // (4 * workers)))
        yield from pool.map(_prepare_frame, tasks, chunksize=chunk)
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process died (out of memory?). What is done is kept: run it again, with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_frame(task: tuple[Frame, Path, Options, tuple[int, int] | None]) -> Outcome:
    """Prepare one frame; the image is written last, so an interrupted frame is seen to be incomplete."""
    frame, out_dir, options, size = task
    try:
        image, label, limits = _load(frame, size, options)
    except DataError as error:
        return Outcome(frame.stem, str(error))
    image_path, label_path, ann_path = _output_paths(frame, out_dir)
    with atomic_write(label_path) as file:
        file.write(cv2.imencode(".png", resize_label(label, options.target_res, options.label_resize))[1])
    with atomic_write(ann_path) as file:
        file.write(frame.landmarks.read_bytes())
    with atomic_write(image_path) as file:
        np.save(file, resize_image(image, options.target_res))
    return Outcome(frame.stem, range=limits)


def _load(
    frame: Frame, size: tuple[int, int] | None, options: Options
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Cropped image float32 and label uint8, both (H, W), and the frame's range; a DataError says what is wrong."""
    landmarks = read_ljson(frame.landmarks)
    raw = read_array(frame.image)
    if raw.shape != size:
        raise DataError(
            f"{frame.image}: of another size: {_text(raw.shape)}, the other frames are {_text(size)}"
        )
    if options.crop_res and (options.crop_res[0] > size[0] or options.crop_res[1] > size[1]):
        raise DataError(
            f"{frame.image}: the frame is {_text(size)} (height x width), smaller than the crop "
            f"{_text(options.crop_res)}; give a smaller --crop_res, or --crop_res none"
        )
    outside = max(np.max(-landmarks.points), np.max(landmarks.points - np.array(size) + 1))
    if outside > MARGIN * max(size):
        raise DataError(
            f"{frame.landmarks}: a landmark lies {outside:.0f} pixels outside the frame {_text(size)}; at most "
            f"{MARGIN * max(size):.0f} (a tenth of the longer side) are expected"
        )
    label = draw_labels(landmarks.points, size, landmarks.groups)
    crop = options.crop_res or size
    image = np.ascontiguousarray(centre_crop(raw, crop), np.float32)
    return image, np.ascontiguousarray(centre_crop(label, crop)), (float(raw.min()), float(raw.max()))


def _text(size: Sequence[int] | None) -> str:
    return "x".join(map(str, size)) if size else "unreadable"


def _write_skipped(out_dir: Path, skipped: list[Outcome]) -> None:
    with atomic_write(out_dir / SKIPPED_FILE, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "reason"))
        writer.writerows((outcome.name, outcome.reason) for outcome in skipped)
