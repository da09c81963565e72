"""From a clone of ThermalImagesDataset to ``{train,val}/{image,label,ann}``: split, masks from landmarks, reduction."""

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from lib.datasets.drivers.raw import GLASSES, SPLITS, VAL_SUBJECTS, DriverFrame, find_frames
from lib.datasets.landmarks import FORMATS, Landmarks, check_inside, draw_labels
from lib.datasets.preparation import REMEDY, claim_folder, is_prepared, write_skipped
from lib.thermal.readers import FrameReader
from lib.thermal.resize import resize_image, resize_label
from lib.utils.errors import ConfigError, DataError
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest
from lib.utils.processes import process_map

KINDS = (("image", ".png"), ("label", ".png"), ("ann", ".txt"))
FRAMES_FILE = "frames.csv"
COLUMNS = ("frame", "subject", "sequence", "glasses", "yawning", "confidence")


@dataclass(frozen=True)
class Options:
    """What decides the content of prepared files; kept in ``prepare.json`` beside them.

    Attributes:
        target_res: (H, W) in pixels of the prepared frames; None keeps each frame's own, which is (240, 320).
        val_subjects: subjects of the validation split; all others train.
        unconstrained: ``glasses``: frames with glasses are in neither train nor val, and those of validation subjects
            in ``unconstrained``; None: frames with glasses are frames like others.
        every: take each ``every``-th frame of a sequence.
    """

    target_res: tuple[int, int] | None = None
    val_subjects: tuple[str, ...] = VAL_SUBJECTS
    unconstrained: str | None = None
    every: int = 1

    def as_json(self) -> dict:
        """The options as they stand in ``prepare.json``."""
        return {
            "target_res": list(self.target_res) if self.target_res else None,
            "val_subjects": sorted(set(self.val_subjects)),
            "unconstrained": self.unconstrained,
            "every": self.every,
        }


class Outcome(NamedTuple):
    """What became of one frame: ``reason`` says why it was skipped, else ``confidence`` is that of its landmarks."""

    name: str
    reason: str | None = None
    confidence: float | None = None


@dataclass
class Summary:
    """What :func:`prepare` did.

    Attributes:
        written: number of frames prepared now, by split.
        kept: number of frames that were there already, by split.
        skipped: names of frames that can't be used, with the reason.
        left_out: number of frames with glasses of training subjects, which ``unconstrained`` keeps out.
    """

    written: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_out: int = 0


def prepare(
    clone_dir: str | os.PathLike,
    out_dir: str | os.PathLike,
    options: Options | None = None,
    workers: int = 0,
    overwrite: bool = False,
) -> Summary:
    """Prepare a clone for training; frames that are prepared already, since their files changed, are kept.

    ``out_dir`` becomes ``{train,val}/{image/<name>.png, label/<name>.png, ann/<name>.txt}``: frames as grey levels of
    8 bits, labels uint8 0-7 (:data:`lib.datasets.labels.RAW_CLASSES`), and the landmarks' files unchanged (shares of
    the frame's size); and ``unconstrained`` if the options say so. ``frames.csv`` says what is known of each frame.

    The landmarks, and so the masks, are predictions of the authors' detector, not marked by hand.

    Args:
        clone_dir: see :func:`lib.datasets.drivers.raw.find_frames`.
        out_dir: see above.
        options: default :class:`Options`.
        workers: processes; 0 or 1 works in this one.
        overwrite: remove what was prepared into ``out_dir`` before, with whatever options.

    Returns:
        The summary; frames that couldn't be used are in it and in ``out_dir/skipped.csv``.

    Raises:
        ConfigError: options that make no sense.
        DataError: ``clone_dir`` holds no sequences or none of the validation subjects, or ``out_dir`` was prepared
            with other options or from frames that ``clone_dir`` doesn't hold.
        OutputError: files would be replaced or removed that no preparation wrote.
    """
    clone_dir, out_dir, options = Path(clone_dir), Path(out_dir), options or Options()
    _check_options(options)
    found = find_frames(clone_dir, options.val_subjects, options.unconstrained == GLASSES, options.every)
    expected = [path for frame in found.frames for path in output_paths(frame, out_dir)]
    read = {clone_dir, *(path.parent for frame in found.frames for path in (frame.image, frame.landmarks))}
    outputs = _outputs(out_dir)
    manifest = claim_folder(out_dir, options.as_json(), outputs, expected, overwrite, read, [FRAMES_FILE])
    summary = Summary(skipped=list(found.unusable.items()), left_out=found.left_out)
    kept = _prepared_before(found.frames, out_dir)
    frames = {frame.name: frame for frame in found.frames}
    summary.kept.update(frames[name].split for name in kept)
    confidences = dict(kept)
    tasks = [(frame, out_dir, options.target_res) for frame in found.frames if frame.name not in kept]
    manifest.refuse_others([path for frame, *_ in tasks for path in output_paths(frame, out_dir)], REMEDY)
    with process_map(min(workers, len(tasks))) as run:
        for outcome in tqdm(run(_prepare_frame, tasks), total=len(tasks), desc="prepare", unit="frame", disable=None):
            if outcome.reason is not None:
                summary.skipped.append((outcome.name, outcome.reason))
                continue
            confidences[outcome.name] = outcome.confidence
            summary.written[frames[outcome.name].split] += 1
    summary.skipped.sort()
    write_skipped(out_dir, summary.skipped)
    _write_frames(out_dir, [frame for frame in found.frames if frame.name in confidences], confidences)
    return summary


def output_paths(frame: DriverFrame, out_dir: Path) -> list[Path]:
    """Files of a prepared frame: image, label and landmarks."""
    return [out_dir / frame.split / kind / f"{frame.name}{ending}" for kind, ending in KINDS]


def _check_options(options: Options) -> None:
    size = options.target_res
    if size is not None and not (len(size) == 2 and all(1 <= side <= 16384 for side in size)):
        raise ConfigError(f"--target_res: expected height and width in pixels, got {size}")
    if options.unconstrained not in (None, GLASSES):
        raise ConfigError(f"--unconstrained: expected {GLASSES}, got {options.unconstrained!r}")
    if options.every < 1:
        raise ConfigError(f"--every: expected 1 or more, got {options.every}")


def _outputs(out_dir: Path) -> list[Path]:
    """All prepared files in ``out_dir``, whole or not."""
    folders = [(out_dir / split / kind, ending) for split in SPLITS for kind, ending in KINDS]
    return [path for folder, ending in folders for path in sorted(folder.glob(f"*{ending}"))]


def _prepared_before(frames: list[DriverFrame], out_dir: Path) -> dict[str, float | None]:
    """Confidence by name of the frames that are prepared."""
    kept = {}
    for frame in frames:
        if is_prepared(output_paths(frame, out_dir), (frame.image, frame.landmarks)):
            kept[frame.name] = _landmarks_of(frame, (1, 1)).confidence
    return kept


def _landmarks_of(frame: DriverFrame, size: tuple[int, int]) -> Landmarks:
    return FORMATS["yolo"].read(frame.landmarks, frame.name, size)


def _prepare_frame(task: tuple[DriverFrame, Path, tuple[int, int] | None]) -> Outcome:
    """Prepare one frame; the image is written last, so an interrupted frame is seen to be incomplete."""
    frame, out_dir, target_res = task
    try:
        image = FrameReader().read(frame.image).values
        size = image.shape[0], image.shape[1]
        landmarks = _landmarks_of(frame, size)
        check_inside(landmarks.points, size, frame.landmarks)
    except DataError as error:
        return Outcome(frame.name, str(error))
    label = draw_labels(landmarks.points, size, landmarks.groups)
    if target_res not in (None, size):
        image, label = resize_image(image, target_res), resize_label(label, target_res, "majority")
    image_path, label_path, ann_path = output_paths(frame, out_dir)
    with Manifest(out_dir, "prepare").writing(label_path, ann_path, image_path):
        with atomic_write(label_path, durable=False) as file:
            file.write(cv2.imencode(".png", label)[1])
        with atomic_write(ann_path, durable=False) as file:
            file.write(FORMATS["yolo"].content(frame.landmarks, frame.name))
        with atomic_write(image_path, durable=False) as file:
            file.write(cv2.imencode(".png", np.rint(image).clip(0, 255).astype(np.uint8))[1])
    return Outcome(frame.name, confidence=landmarks.confidence)


def _write_frames(out_dir: Path, frames: list[DriverFrame], confidences: dict[str, float | None]) -> None:
    with atomic_write(out_dir / FRAMES_FILE, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for frame in frames:
            confidence = confidences[frame.name]
            glasses = "yes" if frame.glasses else "no"
            known = "" if confidence is None else f"{confidence:.4f}"
            writer.writerow((frame.name, frame.subject, frame.sequence, glasses, frame.yawning, known))
