"""Frames of the raw Thermal Face Database: which there are, whose they are, and reading one."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.datasets.landmarks import FORMATS, check_inside, draw_labels
from lib.datasets.preparation import check_val_subjects
from lib.thermal.formats.arrays import array_shape, read_array
from lib.utils.errors import DataError

# The published split: 16 of 90 subjects, 473 of 2,935 images
VAL_SUBJECTS = tuple(f"sub{number:03d}" for number in (7, 9, 11, 12, 13, 17, 21, 23, 52, 61, 68, 69, 75, 85, 90, 91))
RAW_ENDINGS = (".jpg_lfb", ".png_lfb")


class RawFrame(NamedTuple):
    """One raw frame; ``image`` and ``landmarks`` are where its files should be.

    ``landmark_format`` is one of :data:`lib.datasets.landmarks.FORMATS`.
    """

    stem: str
    image: Path
    landmarks: Path
    split: str
    landmark_format: str = "ljson"


def find_frames(
    raw_dir: Path, val_subjects: Sequence[str], landmark_format: str = "ljson"
) -> tuple[list[RawFrame], dict[str, str]]:
    """All frames of a raw database.

    Args:
        raw_dir: folder of ``<stem>.jpg_lfb.npy`` or ``<stem>.png_lfb.npy`` beside its landmarks; the
            second field of a stem between ``_`` is the subject.
        val_subjects: subjects of split ``val``; all others are in ``train``.
        landmark_format: one of :data:`lib.datasets.landmarks.FORMATS`: landmarks are in files of the frames' names,
            such as ``<stem>.jpg_lfb.ljson``, or in ``landmarks.csv`` with a row for each stem.

    Returns:
        The frames by stem, and by file name the reasons why others can't be used.

    Raises:
        DataError: no folder, no frames, or none of ``val_subjects``.
    """
    if not raw_dir.is_dir():
        raise DataError(f"{raw_dir}: RAW_DIR is no folder; expected the folder of the raw frames")
    names = sorted(
        entry.name for entry in os.scandir(raw_dir) if entry.name.endswith((".npy", FORMATS[landmark_format].ending))
    )
    found: dict[str, str] = {}  # stem -> ending
    unusable: dict[str, str] = {}
    for name in dict.fromkeys(os.path.splitext(name)[0] for name in names):
        stem, ending = os.path.splitext(name)
        if ending not in RAW_ENDINGS or stem.startswith("."):
            continue
        if stem in found:
            unusable[name] = f"has the same stem as {stem}{found[stem]}, which is used"
        elif not _subject(stem):
            unusable[name] = "no subject in the name; expected it as the second field between _"
        else:
            found[stem] = ending
    if not found:
        raise DataError(_no_frames(raw_dir))
    check_val_subjects({_subject(stem) for stem in found}, val_subjects)
    frames = []
    for stem, ending in sorted(found.items()):
        split = "val" if _subject(stem) in val_subjects else "train"
        name = f"{stem}{ending}"
        landmarks = FORMATS[landmark_format].path(raw_dir, name)
        frames.append(RawFrame(stem, raw_dir / f"{name}.npy", landmarks, split, landmark_format))
    return frames, unusable


def _subject(stem: str) -> str:
    return stem.split("_")[1] if "_" in stem else ""


def _no_frames(raw_dir: Path) -> str:
    deeper = next((path.parent for path in raw_dir.rglob("*_lfb.npy")), None)
    hint = f" There are some in {deeper}; is that RAW_DIR?" if deeper else ""
    return (
        f"{raw_dir}: no frames in RAW_DIR; expected <stem>.jpg_lfb.npy or <stem>.png_lfb.npy beside "
        f"<stem>.jpg_lfb.ljson or <stem>.png_lfb.ljson, with stems like irface_sub007_seq02_frm00086.{hint}"
    )


def usual_size(frames: Iterable[RawFrame]) -> tuple[int, int] | None:
    """The most frequent (H, W) of the frames whose header can be read."""
    shapes: Counter = Counter()
    for frame in frames:
        try:
            shape = array_shape(frame.image)
        except DataError:
            continue  # the frame is named when its turn comes
        if len(shape) == 2:
            shapes[shape] += 1
    return shapes.most_common(1)[0][0] if shapes else None


def load_frame(frame: RawFrame, size: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Read a raw frame and draw its label.

    Args:
        frame: the frame.
        size: (H, W) that it must have.

    Returns:
        Image (H, W), dtype and values as in the file; label uint8 (H, W), values 0-7.

    Raises:
        DataError: a file is missing or damaged, the image has another size or values that aren't finite, or a
            landmark lies outside the frame by more than a quarter of its longer side.
    """
    image = read_array(frame.image)
    if image.shape != size:
        others = f"the other frames have {format_size(size)}" if size else "expected height x width"
        raise DataError(f"{frame.image}: of another size, {format_size(image.shape)}; {others}")
    landmarks = FORMATS[frame.landmark_format].read(frame.landmarks, frame.stem, image.shape)
    check_inside(landmarks.points, image.shape, frame.landmarks)
    return image, draw_labels(landmarks.points, image.shape, landmarks.groups)


def format_size(size: Sequence[int]) -> str:
    """``height x width`` as text."""
    return "x".join(map(str, size))
