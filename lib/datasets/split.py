"""Which frames train and which validate: by subject, so that a network is validated on people it hasn't seen."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from lib.datasets.check.subjects import subjects_of
from lib.datasets.preparation import check_val_subjects
from lib.utils.errors import ConfigError, DataError
from lib.utils.text import first_few

VAL_SHARE = 0.2
"""Of the frames, that validate where nothing says which."""


def split_by_subject(subjects: Mapping[str, str], val_subjects: Collection[str] = ()) -> dict[str, str]:
    """``train`` or ``val`` of each frame, all frames of a subject alike.

    Args:
        subjects: by name of the frame.
        val_subjects: those that validate; empty = those with the fewest frames, until they have a fifth of all.

    Raises:
        DataError: there is one subject alone, or none of ``val_subjects``.

    >>> split_by_subject({"a1": "a", "a2": "a", "b1": "b"})
    {'a1': 'train', 'a2': 'train', 'b1': 'val'}
    """
    counts = Counter(subjects.values())
    if len(counts) < 2:
        raise DataError(
            f"all {len(subjects)} frames are of one subject ({first_few(list(counts))}), so nobody can validate who "
            "isn't trained on; label frames of another, or say --split time: the last fifth validates, on that person"
        )
    if val_subjects:
        check_val_subjects(counts, val_subjects)
        return {name: "val" if subject in val_subjects else "train" for name, subject in subjects.items()}
    chosen: set[str] = set()
    for subject in sorted(counts, key=lambda subject: (counts[subject], subject))[:-1]:
        if sum(counts[one] for one in chosen) >= VAL_SHARE * len(subjects):
            break
        chosen.add(subject)
    return {name: "val" if subject in chosen else "train" for name, subject in subjects.items()}


def split_by_time(names: Sequence[str]) -> dict[str, str]:
    """``val`` of the last fifth of frames in order, at least one, and ``train`` of the others.

    Raises:
        DataError: fewer than two frames.
    """
    _refuse_few(names)
    begin = len(names) - max(1, round(VAL_SHARE * len(names)))
    return {name: "val" if index >= begin else "train" for index, name in enumerate(names)}


def split_by_frame(names: Sequence[str]) -> dict[str, str]:
    """``val`` of every fifth frame in order, at least one, and ``train`` of the others: neighbours on both sides.

    Raises:
        DataError: fewer than two frames.
    """
    _refuse_few(names)
    step = min(round(1 / VAL_SHARE), len(names))
    return {name: "val" if index % step == step - 1 else "train" for index, name in enumerate(names)}


def _refuse_few(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise DataError(f"there is {len(names)} labelled frame, and it takes one to train on and one to validate on")


def subjects_by_name(names: Sequence[str], pattern: str | None = None) -> dict[str, str]:
    """The subject of each frame, from its name.

    Args:
        names: of the frames.
        pattern: regular expression whose group, or whole match, is the subject; None = as names tell, see
            :func:`lib.datasets.check.subjects.subjects_of`.

    Raises:
        ConfigError: no regular expression, or one of several groups.
        DataError: names that tell no subject.
    """
    if pattern is None:
        found = subjects_of(names).of
    else:
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise ConfigError(f"--subject_pattern: expected a regular expression, got {pattern!r} ({error})") from error
        if compiled.groups > 1:
            raise ConfigError(
                f"--subject_pattern: expected one group (the subject), got {compiled.groups}: {pattern!r}"
            )
        found = {name: match[compiled.groups] for name in names if (match := compiled.search(name))}
    return _complete({name: subject for name, subject in found.items() if subject}, names)


def subjects_in_table(path: Path, names: Sequence[str], column: str = "subject") -> dict[str, str]:
    """The subject of each frame, from a CSV table with a header and the columns ``frame`` and ``column``.

    Raises:
        DataError: it can't be read, has no such columns, or lacks frames.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: unreadable table of subjects ({error})") from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"frame", column} - set(rows.fieldnames or ())
    if missing:
        header = ",".join(rows.fieldnames or ())[:60]
        raise DataError(
            f"{path}: expected a header with the columns frame and {column}, got {header!r}; --subject_column names "
            "another"
        )
    found = {Path(row["frame"] or "").stem: row[column] for row in rows}
    found |= {name: found[Path(name).stem] for name in names if name not in found and Path(name).stem in found}
    return _complete({name: found[name] for name in names if found.get(name)}, names, f"{path}: ")


def _complete(found: dict[str, str], names: Sequence[str], where: str = "") -> dict[str, str]:
    lacking = [name for name in names if name not in found]
    if lacking:
        raise DataError(
            f"{where}whose frames are {first_few(lacking)}? Frames are split by subject: say --subject_pattern REGEX "
            "(its group is the subject in a frame's name), --subject_table FILE.csv (columns frame, subject), or "
            "--split time (the last fifth validates, on the same people)"
        )
    return found
