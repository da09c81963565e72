"""What is in a clone of ThermalImagesDataset: sequences, frames, landmarks, and what is known of each."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from lib.datasets.preparation import check_val_subjects
from lib.utils.errors import DataError

VAL_SUBJECTS = ("2_Man", "2_Woman")
GLASSES = "glasses"
"""What ``unconstrained`` may name: the condition whose frames are kept apart."""
SPLITS = ("train", "val", "unconstrained")
_SEQUENCE = re.compile(r"(?P<number>\d+)_(?P<who>[A-Za-z]+)_(?P<glasses>NoGlasses|Glasses\d*)_(?P<doing>[A-Za-z]+\d*)")
_YAWNING = {"0": "no", "1": "yes"}


class DriverFrame(NamedTuple):
    """One frame that has a file of landmarks.

    Attributes:
        name: unique in the database, such as ``1-Man_Glasses1_Yawning_00012``; what stands before the first ``_`` is
            the subject, so that the check of data tells subjects apart.
        image: the picture.
        landmarks: the YOLO-pose line of its landmarks.
        subject: such as ``1_Man``.
        sequence: name of its folder.
        glasses: whether the driver wears any.
        yawning: ``yes`` or ``no`` as the database says, or empty.
        split: one of :data:`SPLITS`.
    """

    name: str
    image: Path
    landmarks: Path
    subject: str
    sequence: str
    glasses: bool
    yawning: str
    split: str


class Found(NamedTuple):
    """What a clone holds.

    Attributes:
        frames: those to use, by name.
        unusable: by name, why others can't be used.
        left_out: number of frames with glasses of training subjects, which ``unconstrained`` keeps out of the splits.
    """

    frames: list[DriverFrame]
    unusable: dict[str, str]
    left_out: int


def find_frames(clone_dir: Path, val_subjects: Collection[str], unconstrained: bool = False, every: int = 1) -> Found:
    """All frames of a clone.

    Args:
        clone_dir: folder of ``<sequence>/Jpg/<frame>.jpg``, ``<sequence>/Face & K.../labels/<frame>.txt`` and
            ``<sequence>/yawning_annotations.txt``, sequences named such as ``1_Man_NoGlasses_Yawning2``. Pictures in
            the folder of the landmarks have the points drawn in, and are no frames.
        val_subjects: such as ``2_Man``; all others train.
        unconstrained: whether frames with glasses are kept apart: those of ``val_subjects`` as a split of their own.
        every: take each ``every``-th of a sequence's frames with landmarks, from the first on.

    Raises:
        DataError: no such folder, no sequences in it, or none of ``val_subjects``.
    """
    if not clone_dir.is_dir():
        raise DataError(f"{clone_dir}: CLONE_DIR is no folder; expected a clone of mat02/ThermalImagesDataset")
    folders = sorted(path for path in clone_dir.iterdir() if (path / "Jpg").is_dir())
    known = {path: match for path in folders if (match := _SEQUENCE.fullmatch(path.name))}
    if not known:
        raise DataError(
            f"{clone_dir}: no sequences in CLONE_DIR; expected folders such as 1_Man_NoGlasses_Normal with Jpg/ in them"
        )
    unusable = {path.name: "not named as a sequence: number_who_glasses_doing" for path in folders if path not in known}
    check_val_subjects({_subject(match) for match in known.values()}, val_subjects)
    frames: list[DriverFrame] = []
    left_out = 0
    for folder, match in known.items():
        split = "val" if _subject(match) in val_subjects else "train"
        glasses = match["glasses"] != "NoGlasses"
        if glasses and unconstrained:
            if split == "train":
                left_out += len(_by_stem(folder / "Jpg", ".jpg"))
                continue
            split = "unconstrained"
        frames += _frames_of(folder, match, split, unusable)[::every]
    return Found(frames, unusable, left_out)


def _subject(match: re.Match) -> str:
    return f"{match['number']}_{match['who']}"


def _frames_of(folder: Path, match: re.Match, split: str, unusable: dict[str, str]) -> list[DriverFrame]:
    """The frames of one sequence that have landmarks; others are added to ``unusable``."""
    landmarks: dict[str, Path] = {}
    for labels in sorted(folder.glob("Face*/labels")):
        landmarks |= _by_stem(labels, ".txt")
    images = _by_stem(folder / "Jpg", ".jpg")
    yawning = _yawning_of(folder)
    frames = []
    for stem in sorted(images.keys() | landmarks.keys()):
        name = f"{folder.name.replace('_', '-', 1)}_{stem.removeprefix('Imag_')}"
        if stem not in landmarks:
            unusable[name] = f"{images[stem]}: no landmarks; expected {folder.name}/Face & Keypoints/labels/{stem}.txt"
        elif stem not in images:
            unusable[name] = f"{landmarks[stem]}: no frame; expected {folder.name}/Jpg/{stem}.jpg"
        else:
            glasses = match["glasses"] != "NoGlasses"
            said = yawning.get(stem, "" if yawning or match["doing"] != "Normal" else "no")
            place = (_subject(match), folder.name, glasses, said, split)
            frames.append(DriverFrame(name, images[stem], landmarks[stem], *place))
    return frames


def _by_stem(folder: Path, ending: str) -> dict[str, Path]:
    return {
        path.stem: path for path in folder.iterdir() if path.suffix.lower() == ending and not path.name.startswith(".")
    }


def _yawning_of(folder: Path) -> dict[str, str]:
    """Whether each frame shows yawning, by stem, from lines such as ``D:\\\\x\\\\Jpg\\\\Imag_00012.jpg;0``."""
    path = folder / "yawning_annotations.txt"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    fields = [line.split(";") for line in lines if ";" in line]
    stems = [re.split(r"[\\/]", field[0])[-1].rpartition(".")[0] for field in fields]
    return {stem: _YAWNING.get(field[1].strip(), "") for stem, field in zip(stems, fields, strict=True)}
