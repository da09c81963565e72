"""Divides a few labelled frames into those to train on and those to validate on: by subject, else by time."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lib.datasets.check.subjects import subjects_of
from lib.datasets.dataset import Sample, find_pairs
from lib.datasets.split import split_by_subject, split_by_time
from lib.utils.errors import DataError
from lib.utils.text import first_few, natural_order


class Division(NamedTuple):
    """Labelled frames, divided.

    Attributes:
        train, val: the frames to train and to validate on.
        how: what they were divided by, in words.
        apart: whether no subject is in both, so that scores say something about other people; None where frames were
            divided before and names tell of no subjects.
        root: folder of the frames, or of the folders ``train`` and ``val``.
        unlabelled: number of frames without a label, which take no part.
    """

    train: list[Sample]
    val: list[Sample]
    how: str
    apart: bool | None
    root: Path = Path()
    unlabelled: int = 0


def find_division(data_root: Path) -> Division:
    """The labelled frames of a folder or of ``Processed`` in it, divided.

    Frames are in ``{train,val}/{image,label}``, and stay as they are divided; or in ``{image,label}``, or in ``train``
    alone, and are divided by :func:`divide`.

    Raises:
        DataError: no frame has a label, or one alone, or frames share a name.
    """
    for root in (data_root, data_root / "Processed"):
        train, val, whole = (_labelled(root / split) for split in ("train", "val", ""))
        unlabelled = train[1] + val[1] + whole[1]
        if train[0] and val[0]:
            return Division(train[0], val[0], "as before", _are_apart(train[0], val[0]), root, unlabelled)
        if train[0] or whole[0]:
            return divide(train[0] or whole[0])._replace(root=root, unlabelled=unlabelled)
    raise DataError(
        f"{data_root}: no labelled frames; expected image/<name>.npy (or another thermal file) with "
        "label/<name>.png in it, or in its folders train and val"
    )


def divide(samples: Sequence[Sample]) -> Division:
    """Divide frames by the subjects that their names tell of, where these are several; else by time.

    Of several subjects those with the fewest frames are validated on, until they have a fifth of all frames; the one
    with the most is always trained on. Of one subject it is the last fifth in the natural order of the names, not every
    fifth frame: neighbouring frames are too much alike to test anything.

    Raises:
        DataError: there are fewer than two frames.
    """
    ordered = sorted(samples, key=lambda sample: natural_order(sample.name))
    names = [sample.name for sample in ordered]
    of = subjects_of(names).of
    subjects = {name: of.get(name, "") for name in names}
    if len(set(subjects.values())) > 1:
        split = split_by_subject(subjects)
        validating = sorted({subject for name, subject in subjects.items() if split[name] == "val"})
        how, apart = f"by subject: {first_few(validating)} to validate on", True
    else:
        split, how, apart = split_by_time(names), "by time: the last ones to validate on", False
    train, val = ([sample for sample in ordered if split[sample.name] == part] for part in ("train", "val"))
    return Division(train, val, how, apart)


def _labelled(folder: Path) -> tuple[list[Sample], int]:
    """The frames of ``folder/{image,label}`` that have a label, and the number of those that have none."""
    if not ((folder / "image").is_dir() and (folder / "label").is_dir()):
        return [], 0
    pairs = find_pairs(folder)
    if pairs.repeated:
        raise DataError(f"{folder / 'image'}: {first_few(pairs.repeated)}: another file has the same stem; keep one")
    return pairs.samples, len(pairs.unlabelled)


def _are_apart(train: Sequence[Sample], val: Sequence[Sample]) -> bool | None:
    """Whether no subject is in both; None where names tell of none."""
    of = subjects_of(sample.name for sample in (*train, *val)).of
    one, other = ({of.get(sample.name, "") for sample in split} for split in (train, val))
    return not one & other if of else None
