"""From the raw Thermal Face Database to ``{train,val}/{image,label,ann}``: split, hulls, crop, reduction."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from lib.datasets.landmarks import FORMATS
from lib.datasets.preparation import REMEDY, claim_folder, is_prepared, write_skipped
from lib.datasets.thermal_face_db.raw import VAL_SUBJECTS, RawFrame, find_frames, format_size, load_frame, usual_size
from lib.thermal.formats.arrays import read_array
from lib.thermal.resize import LABEL_RESIZES, centre_crop, resize_image, resize_label
from lib.utils.errors import ConfigError, DataError
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest
from lib.utils.processes import process_map

SPLITS = ("train", "val")
KINDS = (("image", ".npy"), ("label", ".png"))
LANDMARKS = "ann"
USUAL_RANGE = (5.0, 50.0)  # deg C; frames outside are reported, as their unit may be another
SYNTHETIC_FILE = "synthetic.json"


@dataclass(frozen=True)
class Options:
    """What decides the content of prepared files; kept in ``prepare.json`` beside them.

    Attributes:
        target_res: (H, W) in pixels of the prepared frames.
        crop_res: (H, W) of the centre crop before the reduction; None for no crop.
        val_subjects: subjects of the validation split; all others train.
        label_resize: ``majority`` or ``published``, see :func:`lib.thermal.resize.resize_label`.
        landmarks: format of the landmark files, one of :data:`lib.datasets.landmarks.FORMATS`.
    """

    target_res: tuple[int, int] = (256, 320)
    crop_res: tuple[int, int] | None = (768, 960)
    val_subjects: tuple[str, ...] = VAL_SUBJECTS
    label_resize: str = "majority"
    landmarks: str = "ljson"

    def as_json(self) -> dict:
        """The options as they stand in ``prepare.json``; ``landmarks`` does unless it is the database's own format."""
        others = {} if self.landmarks == "ljson" else {"landmarks": self.landmarks}
        return others | {
            "target_res": list(self.target_res),
            "crop_res": list(self.crop_res) if self.crop_res else None,
            "val_subjects": sorted(set(self.val_subjects)),
            "label_resize": self.label_resize,
        }


class Outcome(NamedTuple):
    """What became of one frame: ``reason`` says why it was skipped; ``limits`` are the prepared frame's extremes."""

    name: str
    reason: str | None = None
    limits: tuple[float, float] | None = None


Task = tuple[RawFrame, Path, Options, tuple[int, int] | None]
"""What one process needs for one frame: the frame, the folder of the prepared ones, options, (H, W) of raw frames."""


@dataclass
class Summary:
    """What :func:`prepare` did.

    Attributes:
        written: number of frames prepared now, by split.
        kept: number of frames that were there already, by split.
        skipped: frames left out, with the reason.
        unusual: frames with values outside 5-50 deg C.
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
    """Prepare a raw database for training; frames that are prepared already, since their raw files changed, are kept.

    ``out_dir`` becomes ``{train,val}/{image/<stem>.npy, label/<stem>.png, ann/<stem>.ljson}``: frames float32 in
    the raw ones' unit, labels uint8 0-7, and the landmark files unchanged (of a table of all frames, each one's row). A
    ``synthetic.json`` of the raw frames is copied.

    Args:
        raw_dir: see :func:`lib.datasets.thermal_face_db.raw.find_frames`.
        out_dir: see above.
        options: default :class:`Options`.
        workers: processes; 0 or 1 works in this one.
        overwrite: remove what was prepared into ``out_dir`` before, with whatever options.

    Returns:
        The summary; frames that couldn't be used are in it and in ``out_dir/skipped.csv``.

    Raises:
        ConfigError: options that make no sense.
        DataError: ``raw_dir`` holds no frames or none of the validation subjects, or ``out_dir`` was prepared
            with other options or from frames that ``raw_dir`` doesn't hold.
        OutputError: files would be replaced or removed that no preparation wrote.
    """
    raw_dir, out_dir, options = Path(raw_dir), Path(out_dir), options or Options()
    _check_options(options)
    frames, unusable = find_frames(raw_dir, options.val_subjects, options.landmarks)
    expected = [path for frame in frames for path in _output_paths(frame, out_dir)]
    read = {raw_dir, *(frame.image.parent for frame in frames)}
    outputs = _outputs(out_dir)
    manifest = claim_folder(out_dir, options.as_json(), outputs, expected, overwrite, read, [SYNTHETIC_FILE])
    _hand_on_origin(raw_dir, out_dir)
    summary = Summary(skipped=[Outcome(name, reason) for name, reason in unusable.items()])
    kept = {frame.stem: limits for frame in frames if (limits := _limits_if_done(frame, out_dir))}
    splits = {frame.stem: frame.split for frame in frames}
    summary.kept.update(splits[stem] for stem in kept)
    summary.unusual += [Outcome(stem, limits=limits) for stem, limits in kept.items() if _is_unusual(limits)]
    size = usual_size(frames)
    tasks: list[Task] = [(frame, out_dir, options, size) for frame in frames if frame.stem not in kept]
    manifest.refuse_others([path for frame, *_ in tasks for path in _output_paths(frame, out_dir)], REMEDY)
    with process_map(min(workers, len(tasks))) as run:
        for outcome in tqdm(run(_prepare_frame, tasks), total=len(tasks), desc="prepare", unit="frame", disable=None):
            if outcome.limits is None:
                summary.skipped.append(outcome)
                continue
            summary.written[splits[outcome.name]] += 1
            if _is_unusual(outcome.limits):
                summary.unusual.append(outcome)
    summary.skipped.sort()
    summary.unusual.sort()
    write_skipped(out_dir, [(outcome.name, outcome.reason or "") for outcome in summary.skipped])
    return summary


def _check_options(options: Options) -> None:
    for name, size in (("--target_res", options.target_res), ("--crop_res", options.crop_res)):
        if size is not None and not (len(size) == 2 and all(1 <= side <= 16384 for side in size)):
            raise ConfigError(f"{name}: expected height and width in pixels, got {size}")
    if options.label_resize not in LABEL_RESIZES:
        raise ConfigError(f"--label_resize: expected {' or '.join(LABEL_RESIZES)}, got {options.label_resize!r}")
    if options.landmarks not in FORMATS:
        raise ConfigError(f"--landmarks: expected one of {', '.join(FORMATS)}, got {options.landmarks!r}")


def _hand_on_origin(raw_dir: Path, out_dir: Path) -> None:
    """Synthetic frames stay known as such: the file that says so goes with them."""
    if (raw_dir / SYNTHETIC_FILE).is_file():
        with atomic_write(out_dir / SYNTHETIC_FILE) as file:
            file.write((raw_dir / SYNTHETIC_FILE).read_bytes())


def _outputs(out_dir: Path) -> list[Path]:
    """All prepared files in ``out_dir``, whole or not."""
    endings = [*KINDS, *((LANDMARKS, found.ending) for found in FORMATS.values())]
    folders = [(out_dir / split / kind, ending) for split in SPLITS for kind, ending in endings]
    return [path for folder, ending in folders for path in sorted(folder.glob(f"*{ending}"))]


def _output_paths(frame: RawFrame, out_dir: Path) -> list[Path]:
    kinds = (*KINDS, (LANDMARKS, FORMATS[frame.landmark_format].ending))
    return [out_dir / frame.split / kind / f"{frame.stem}{ending}" for kind, ending in kinds]


def _limits_if_done(frame: RawFrame, out_dir: Path) -> tuple[float, float] | None:
    """The extremes of the prepared frame if its files are there, whole, and no older than the raw ones."""
    outputs = _output_paths(frame, out_dir)
    if not is_prepared(outputs, (frame.image, frame.landmarks)):
        return None
    try:
        image = read_array(outputs[0])
    except DataError:
        return None
    return float(image.min()), float(image.max())


def _is_unusual(limits: tuple[float, float]) -> bool:
    return limits[0] < USUAL_RANGE[0] or limits[1] > USUAL_RANGE[1]


def _prepare_frame(task: Task) -> Outcome:
    """Prepare one frame; the image is written last, so an interrupted frame is seen to be incomplete."""
    frame, out_dir, options, size = task
    try:
        image, label = load_frame(frame, size)
        size = label.shape
        crop = options.crop_res or size
        if crop[0] > size[0] or crop[1] > size[1]:
            raise DataError(
                f"{frame.image}: the frame of {format_size(size)} (height x width) is smaller than the crop of "
                f"{format_size(crop)}; give a smaller --crop_res, or --crop_res none"
            )
    except DataError as error:
        return Outcome(frame.stem, str(error))
    pixels = np.ascontiguousarray(centre_crop(image, crop), np.float32)
    classes = np.ascontiguousarray(centre_crop(label, crop))
    prepared = resize_image(pixels, options.target_res)
    image_path, label_path, ann_path = _output_paths(frame, out_dir)
    with Manifest(out_dir, "prepare").writing(label_path, ann_path, image_path):
        with atomic_write(label_path, durable=False) as file:
            file.write(cv2.imencode(".png", resize_label(classes, options.target_res, options.label_resize))[1])
        with atomic_write(ann_path, durable=False) as file:
            file.write(FORMATS[frame.landmark_format].content(frame.landmarks, frame.stem))
        with atomic_write(image_path, durable=False) as file:
            np.save(file, prepared)
    return Outcome(frame.stem, limits=(float(prepared.min()), float(prepared.max())))
