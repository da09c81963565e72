"""A whole data set looked at: every fault, none of which ends the check, and what its frames and labels hold."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from lib.datasets.check.frame import Contrast, FrameFacts, read_facts
from lib.datasets.check.learnable import learnability
from lib.datasets.check.parts import (
    SPLITS,
    Finding,
    Part,
    find_parts,
    frames_per_subject,
    several,
    shared_subjects,
    subjects_by_root,
)
from lib.datasets.dataset import Sample
from lib.datasets.labels import LabelMap
from lib.thermal.frame import GREY_LEVELS, Reading
from lib.thermal.readers import FrameReader
from lib.utils.errors import DataError
from lib.utils.labels import IGNORE
from lib.utils.machine import available_cores
from lib.utils.processes import process_map
from lib.utils.text import first_few

FRAMES_OF_A_WORKER = 200
"""Fewer are read sooner than a process starts."""
FAULTS_OF_FILES = {
    "unreadable frames": ("frame", "that can't be read"),
    "not finite": ("frame", "with NaN or infinite values"),
    "unreadable labels": ("label", "that can't be read"),
    "units": ("frame", "whose numbers are no temperatures, or in another unit than others"),
    "sizes": ("label", "of another size than the frame"),
}
"""Kinds of faults in single files, and how many files of what are told."""


@dataclass
class Report:
    """What a check found; all of it is plain data.

    Attributes:
        splits: by ``train`` and ``val``: ``frames``, ``shapes``, ``dtypes``, ``units`` (of the numbers in the files),
            ``range`` ({min, median, max}, deg C or grey levels), ``nan`` and ``inf`` (values), ``subjects`` (frames by
            subject), ``label_values`` (pixels by value), ``classes`` (list of {name, pixels, share of the labelled,
            frames}) and ``ignored`` (share of all pixels).
        errors: what training can't go on with, or must not.
        warnings: what may be meant.
    """

    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For ``check.json``."""
        return {
            "errors": [entry._asdict() for entry in self.errors],
            "warnings": [entry._asdict() for entry in self.warnings],
            "splits": self.splits,
        }


def check_data(
    roots: Sequence[str | os.PathLike],
    num_classes: int,
    remap_classes: Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
    num_channels: int = 1,
    leaks: str = "error",
    reading: Reading | None = None,
    contrast: Contrast | None = None,
) -> Report:
    """Read every frame and label of ``{root}/{train,val}/{image,label}``.

    Args:
        roots: folders such as ``DATA_ROOT/Processed``.
        num_classes, remap_classes: see :class:`lib.datasets.labels.LabelMap`.
        class_names: one per class; None for their numbers.
        num_channels: expected channels of a frame.
        leaks: what subjects and frames in both splits are: ``error``, ``warning``, or ``meant`` (not looked for).
        reading: what is known of the frames' numbers.
        contrast: measures how much of it normalisation leaves; None: nobody looks.

    Raises:
        ConfigError: ``remap_classes`` doesn't fit ``num_classes``.
    """
    label_map = LabelMap(num_classes, remap_classes)
    names = list(class_names or map(str, range(num_classes)))
    parts, errors = find_parts(roots)
    report = Report(errors=errors)
    report.errors += _read(parts, num_channels, reading, contrast)
    for part in parts:
        report.errors += _faults_of_files(part) + _unknown_values(part, label_map)
    for split in SPLITS:
        report.splits[split] = _summary([part for part in parts if part.split == split], parts, label_map, names)
    errors, warnings = _nothing_to_learn(parts, label_map, names)
    warnings += _units(parts) if num_channels == 1 else []  # colours are no temperatures anyway
    if leaks == "meant":
        errors += _names_in_both(parts)
    else:
        sure, suspected = shared_subjects(parts)
        (errors if leaks == "error" else warnings).extend(sure + _equal_frames(parts))
        warnings += suspected
    report.errors += errors
    report.warnings += warnings + _suspicious(report.splits, parts, label_map)
    return report


def _read(
    parts: Sequence[Part], num_channels: int, reading: Reading | None, contrast: Contrast | None
) -> list[Finding]:
    """Read all frames, a few at a time, into the ``facts`` of their parts; finds what is wrong with all together."""
    samples = [sample for part in parts for sample in part.samples]
    reader, errors = _reader_of(samples, num_channels, reading)
    look = partial(read_facts, reader=reader, reading=reading, contrast=contrast)
    workers = min(available_cores(), len(samples) // FRAMES_OF_A_WORKER)
    with process_map(workers, chunksize=16) as parallel_map:
        found = parallel_map(look, samples)
        facts = list(tqdm(found, total=len(samples), desc="check", unit="frame", disable=None))
    for part in parts:
        part.facts, facts = facts[: len(part.samples)], facts[len(part.samples) :]
    return errors


def _reader_of(
    samples: Sequence[Sample], num_channels: int, reading: Reading | None
) -> tuple[FrameReader, list[Finding]]:
    """The reader of these frames as training makes it, and why it may not be."""
    reader = FrameReader(reading, num_channels)
    folders = dict.fromkeys(str(sample.image.parent) for sample in samples)
    try:
        reader.decide([sample.image for sample in samples], first_few(list(folders), 2))
    except DataError as error:
        return reader, [Finding("units", str(error))]
    return reader, []


def _faults_of_files(part: Part) -> list[Finding]:
    found: dict[str, list[str]] = {}
    for facts in part.facts:
        for kind, message in facts.faults:
            found.setdefault(kind, []).append(message)
    return [_many(part, kind, *FAULTS_OF_FILES[kind], messages) for kind, messages in found.items()]


def _many(part: Part, kind: str, noun: str, text: str, details: Sequence[str]) -> Finding:
    """Of several files in a part."""
    return Finding(kind, f"{part.folder}: {several(len(details), noun)} {text}", tuple(details))


def _unknown_values(part: Part, label_map: LabelMap) -> list[Finding]:
    values = [value for value in range(256) if label_map.class_of(value) is None]
    found = {value: [f.name for f in part.facts if f.values is not None and f.values[value]] for value in values}
    where = f"{part.folder}: labels with the value"
    return [
        Finding("label values", f"{where} {value}, which has no class ({label_map.covers})", tuple(names))
        for value, names in found.items()
        if names
    ]


def _units(parts: Sequence[Part]) -> list[Finding]:
    """Warnings of frames without temperatures, and of frames in several units."""
    units = Counter(facts.unit for part in parts for facts in part.facts if facts.unit)
    findings = []
    if units[GREY_LEVELS]:
        text = f"{several(units[GREY_LEVELS], 'frame')} of grey levels or counts; noise, occluders and"
        findings.append(Finding("units", f"{text} normalize.window are in deg C: these are no temperatures"))
    if len(units) > 1:
        each = tuple(f"{unit} ({count})" for unit, count in units.most_common())
        findings.append(Finding("units", "frames in several units, each of which is read as such", each))
    return findings


def _names_in_both(parts: Sequence[Part]) -> list[Finding]:
    """Names that ``train`` and ``val`` of a root share, which training on both together refuses."""
    findings = []
    for train in (part for part in parts if part.split == "train"):
        for val in (part for part in parts if (part.split, part.root) == ("val", train.root)):
            shared = sorted({sample.name for sample in train.samples} & {sample.name for sample in val.samples})
            if shared:
                findings.append(_many(val, "names", "frame", "of the same name as one of train", shared))
    return findings


def _equal_frames(parts: Sequence[Part]) -> list[Finding]:
    """Frames of one content in both splits."""
    train = {facts.digest: facts.name for part in parts if part.split == "train" for facts in part.facts}
    val = [facts for part in parts if part.split == "val" for facts in part.facts]
    equal = tuple(f"{f.name} (train: {train[f.digest]})" for f in val if f.digest and f.digest in train)
    text = f"{several(len(equal), 'frame')} of val with the content of one of train"
    return [Finding("equal frames", text, equal)] if equal else []


def _suspicious(splits: dict[str, dict[str, Any]], parts: Sequence[Part], label_map: LabelMap) -> list[Finding]:
    """What training can go on with, but is hardly meant."""
    warnings = []
    ignored = np.array([label_map.class_of(value) == IGNORE for value in range(256)])
    for part in parts:
        flat = [facts.name for facts in part.facts if facts.range and facts.range[0] == facts.range[2]]
        empty = [f.name for f in part.facts if f.values is not None and not f.values[~ignored].any()]
        for kind, noun, text, names in (
            ("constant frames", "frame", "of one value", flat),
            ("empty labels", "label", "without a class", empty),
            ("equal frames", "frame", "with the content of another", _repeated(part.facts)),
        ):
            if names:
                warnings.append(_many(part, kind, noun, text, names))
    for split, summary in splits.items():
        for what in ("dtypes", "shapes"):
            if len(summary[what]) > 1:
                each = tuple(f"{name} ({count})" for name, count in summary[what].items())
                warnings.append(Finding(what, f"{split}: frames of several {what}", each))
    return warnings


def _nothing_to_learn(
    parts: Sequence[Part], label_map: LabelMap, names: Sequence[str]
) -> tuple[list[Finding], list[Finding]]:
    """Errors and warnings of :func:`learnability`, of both splits."""
    errors, warnings = [], []
    for split in SPLITS:
        facts = [entry for part in parts if part.split == split for entry in part.facts]
        values = sum((entry.values for entry in facts if entry.values is not None), np.zeros(256, np.int64))
        found = learnability(split, facts, values, label_map, names)
        errors += found[0]
        warnings += found[1]
    return errors, warnings


def faults_of_some(
    part: Part,
    num_classes: int,
    remap_classes: Sequence[int] | None = None,
    num_channels: int = 1,
    most: int = 16,
    reading: Reading | None = None,
    contrast: Contrast | None = None,
) -> list[Finding]:
    """The errors in at most ``most`` frames and labels of a part, spread evenly, whose facts become the part's.

    Arguments as of :func:`check_data`.
    """
    chosen = part.samples[:: max(1, -(-len(part.samples) // most))]
    reader, errors = _reader_of(part.samples, num_channels, reading)
    part.facts = [read_facts(sample, reader, reading, contrast) for sample in chosen]
    some = Part(part.root, part.split, chosen, part.facts)
    return errors + _faults_of_files(some) + _unknown_values(some, LabelMap(num_classes, remap_classes))


def _repeated(facts: Sequence[FrameFacts]) -> list[str]:
    """Names of frames whose content an earlier one has."""
    seen: dict[bytes, str] = {}
    return [f"{f.name} ({seen[f.digest]})" for f in facts if f.digest and seen.setdefault(f.digest, f.name) != f.name]


def _summary(
    parts: Sequence[Part], everything: Sequence[Part], label_map: LabelMap, names: Sequence[str]
) -> dict[str, Any]:
    """Of one split, see :class:`Report`."""
    facts = [entry for part in parts for entry in part.facts]
    whole = [entry for entry in facts if entry.shape is not None]
    subjects: Counter = Counter()
    for part in parts:
        subjects.update(frames_per_subject(part, subjects_by_root(everything)[part.root]))
    return {
        "frames": len(facts),
        "shapes": _count("x".join(map(str, entry.shape or ())) for entry in whole),
        "dtypes": _count(entry.dtype for entry in whole),
        "units": _count(entry.unit for entry in whole),
        "range": _range([entry.range for entry in whole if entry.range]),
        "nan": sum(entry.nan for entry in facts),
        "inf": sum(entry.inf for entry in facts),
        "subjects": dict(sorted(subjects.items())),
        **_class_frequencies([entry.values for entry in facts if entry.values is not None], label_map, names),
    }


def _range(ranges: Sequence[tuple[float, float, float]]) -> dict[str, float] | None:
    if not ranges:
        return None
    low, median, high = zip(*ranges, strict=True)
    return {"min": min(low), "median": float(np.median(median)), "max": max(high)}


def _count(values: Iterable[str | None]) -> dict[str, int]:
    return {str(value): count for value, count in Counter(values).most_common()}


def _class_frequencies(values: list[np.ndarray], label_map: LabelMap, names: Sequence[str]) -> dict[str, Any]:
    """Pixels by label value, pixels and frames by class."""
    per_frame = np.stack(values) if values else np.zeros((0, 256), np.int64)
    pixels = per_frame.sum(0)
    of_class = np.array([-1 if (c := label_map.class_of(value)) is None else c for value in range(256)])
    frames = [(per_frame[:, of_class == index].sum(1) > 0).sum() for index in range(len(names))]
    counts = [int(pixels[of_class == index].sum()) for index in range(len(names))]
    labelled = max(sum(counts), 1)
    return {
        "label_values": {str(value): int(pixels[value]) for value in np.flatnonzero(pixels)},
        "classes": [
            {"name": name, "pixels": count, "share": count / labelled, "frames": int(seen)}
            for name, count, seen in zip(names, counts, frames, strict=True)
        ],
        "ignored": int(pixels[of_class == IGNORE].sum()) / max(int(pixels.sum()), 1),
    }
