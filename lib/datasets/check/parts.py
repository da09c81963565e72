"""The files of a data set, and what is wrong with their names: everything at once, nothing read."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lib.datasets.check.frame import FrameFacts
from lib.datasets.check.subjects import Subjects, subjects_of
from lib.datasets.dataset import Sample, find_pairs
from lib.utils.text import SHOWN, first_few

SPLITS = ("train", "val")
LONGEST_INLINE = 60


class Finding(NamedTuple):
    """One thing that was found.

    Attributes:
        kind: a word or two, e.g. ``pairs``.
        message: where and what.
        details: each file, name or value that it is about.
    """

    kind: str
    message: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The message with the first few details, on lines of their own where they are long."""
        if any(len(detail) > LONGEST_INLINE for detail in self.details):
            rest = [f"and {len(self.details) - SHOWN} more"] if len(self.details) > SHOWN else []
            return "\n".join([self.message, *(f"  {line}" for line in (*self.details[:SHOWN], *rest))])
        return ": ".join(filter(None, [self.message, first_few(self.details)]))


@dataclass
class Part:
    """``root/split`` of a data set: its samples by name, and the facts of those that were read."""

    root: Path
    split: str
    samples: list[Sample]
    facts: list[FrameFacts] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """``root/split``."""
        return self.root / self.split


def find_parts(roots: Sequence[str | os.PathLike]) -> tuple[list[Part], list[Finding]]:
    """Every frame of ``{root}/{train,val}/{image,label}`` that has a label, and all that has no partner.

    Args:
        roots: folders such as ``DATA_ROOT/Processed``.

    Returns:
        The parts, root by root; errors in folders and pairs.
    """
    parts, errors = [], []
    seen: set[Path] = set()
    for root in map(Path, roots):
        if root.resolve() in seen:
            errors.append(Finding("folders", f"{root}: named twice in data.data_dir"))
            continue
        seen.add(root.resolve())
        for split in SPLITS:
            samples, wrong = _paired(root / split)
            parts.append(Part(root, split, samples))
            errors += wrong
    return parts, errors


def _paired(folder: Path) -> tuple[list[Sample], list[Finding]]:
    missing = [part for part in ("image", "label") if not (folder / part).is_dir()]
    if missing:
        expected = "data.data_dir names folders that hold {train,val}/{image,label}"
        return [], [Finding("folders", f"{folder / part}: no such folder; {expected}") for part in missing]
    pairs = find_pairs(folder)
    errors = []
    for names, kind, noun, text in (
        (pairs.unlabelled, "pairs", "frame", "without label (expected label/<stem>.png)"),
        (pairs.frameless, "pairs", "label", "without frame (expected image/<stem>.npy)"),
        (pairs.repeated, "names", "file", "of the same stem as another"),
    ):
        if names:
            errors.append(Finding(kind, f"{folder}: {several(len(names), noun)} {text}", tuple(sorted(names))))
    if not pairs.images:
        errors.append(Finding("folders", f"{folder / 'image'}: no frames; expected *.npy (or other thermal files)"))
    return pairs.samples, errors


def shared_subjects(parts: Sequence[Part]) -> tuple[list[Finding], list[Finding]]:
    """Subjects with frames both in ``train`` and in ``val``: scores of them say nothing about other people.

    Returns:
        What is sure: in one root, by names that say so. What may be: where names only suggest subjects, or in
        different roots, where equal names may mean others.
    """
    subjects = subjects_by_root(parts)
    sure, suspected = [], []
    for train in (part for part in parts if part.split == "train"):
        for val in (part for part in parts if part.split == "val"):
            shared = sorted(
                set(frames_per_subject(train, subjects[train.root])) & set(frames_per_subject(val, subjects[val.root]))
            )
            places = f"in both {train.folder} and {val.folder}"
            if shared and train.root == val.root and subjects[train.root].marked:
                sure.append(Finding("subjects", f"{several(len(shared), 'subject')} {places}", tuple(shared)))
            elif shared:
                suspected.append(Finding("subjects", f"names that may be of the same subjects {places}", tuple(shared)))
    return sure, suspected


def subjects_by_root(parts: Sequence[Part]) -> dict[Path, Subjects]:
    """The subjects of each root, from the names in all of its splits."""
    return {
        root: subjects_of(sample.name for part in parts if part.root == root for sample in part.samples)
        for root in {part.root for part in parts}
    }


def frames_per_subject(part: Part, subjects: Subjects) -> dict[str, int]:
    """Number of frames of a part by subject, sorted; frames whose names tell of none are left out."""
    return dict(sorted(Counter(subjects.of[s.name] for s in part.samples if s.name in subjects.of).items()))


def several(count: int, noun: str) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{count} {noun}{'s' * (count != 1)}"
