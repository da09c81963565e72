"""Whether a split has anything to learn or to score: classes in its labels, and contrast in its frames."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lib.datasets.check.frame import FrameFacts
from lib.datasets.check.parts import Finding, several
from lib.datasets.dataset import Sample
from lib.datasets.labels import LabelMap, read_label
from lib.utils.errors import DataError
from lib.utils.labels import IGNORE
from lib.utils.machine import available_cores

NO_CONTRAST = 1e-6
"""Frames whose normalised values are closer together than this are one value to a network."""
MOST_LABELS = 2000
"""Labels that are read at most in search of a class that is rare or missing."""
_CHUNK = 64


def learnability(
    split: str, facts: Sequence[FrameFacts], values: np.ndarray, label_map: LabelMap, names: Sequence[str]
) -> tuple[list[Finding], list[Finding]]:
    """What keeps a split from teaching anything or from being scored, and what of it is suspicious.

    Args:
        split: ``train`` or ``val``.
        facts: of frames that were read.
        values: (256,) number of pixels by label value, of these frames and of others.
        label_map: the classes of the values.
        names: one per class.

    Returns:
        Errors and warnings.
    """
    errors, warnings = _classes(split, values, label_map, names)
    seen = [(entry, entry.contrast) for entry in facts if entry.contrast is not None]
    flat = [entry for entry, contrast in seen if contrast < NO_CONTRAST]
    if flat and len(flat) == len(seen) and split == "train":
        low, high = min(e.range[0] for e in flat if e.range), max(e.range[2] for e in flat if e.range)
        text = (
            f"{split}: no frame has contrast after normalisation (in {len(seen)} that were looked at, whose values are "
            f"{low:.4g} to {high:.4g}); check data.temp_preset, normalize.window and normalize.clip, which are in deg C"
        )
        errors.append(Finding("contrast", text))
    elif flat:
        text = f"{split}: {several(len(flat), 'frame')} of {len(seen)} without contrast after normalisation"
        warnings.append(Finding("contrast", text, tuple(entry.name for entry in flat)))
    return errors, warnings


def _classes(
    split: str, values: np.ndarray, label_map: LabelMap, names: Sequence[str]
) -> tuple[list[Finding], list[Finding]]:
    """What is wrong, and what suspicious, with the classes of a split's labels."""
    if not values.any():
        return [], []  # nothing could be read, which is told elsewhere
    of_class = [label_map.class_of(value) for value in range(256)]
    pixels = [sum(int(values[v]) for v in range(256) if of_class[v] == index) for index in range(len(names))]
    present = [name for name, count in zip(names, pixels, strict=True) if count]
    absent = tuple(name for name, count in zip(names, pixels, strict=True) if not count)
    ignored = [
        f"{v} ({100 * values[v] / values.sum():.2f} %)" for v in range(256) if values[v] and of_class[v] == IGNORE
    ]
    hint = f"; ignored values: {', '.join(ignored)}; data.remap_classes gives them a class" if ignored else ""
    if not present and not all(values[v] == 0 or of_class[v] == IGNORE for v in range(256)):
        return [], []  # values without a class are told elsewhere
    if not present:
        return [Finding("classes", f"{split}: every pixel of every label is ignored{hint}")], []
    if len(present) == 1 and split == "train":
        text = f"{split}: all pixels with a class are of one, {present[0]}: there is nothing to tell apart{hint}"
        return [Finding("classes", text)], []
    return [], [Finding("classes", f"{split}: classes without a pixel", absent)] if absent else []


def count_values(
    samples: Sequence[Sample], known: Iterable[FrameFacts], label_map: LabelMap, num_classes: int
) -> np.ndarray:
    """The number of pixels by label value, (256,) int64, of as many labels as it takes to see every class.

    Args:
        samples: whose labels are read, spread evenly, :data:`MOST_LABELS` at most; those that can't be are left out.
        known: facts of frames whose labels were read already.
        label_map: the classes of the values.
        num_classes: number of classes.
    """
    known = list(known)
    values = sum((entry.values for entry in known if entry.values is not None), np.zeros(256, np.int64))
    names = {entry.name for entry in known}
    rest = [sample for sample in samples if sample.label is not None and sample.name not in names]
    rest = rest[:: max(1, -(-len(rest) // MOST_LABELS))]
    of_class = np.array([-1 if (c := label_map.class_of(value)) is None else c for value in range(256)])
    with ThreadPoolExecutor(available_cores()) as pool:
        # Every step-th label first, so that an early end has seen labels of the whole split.
        step = max(1, len(rest) // _CHUNK)
        spread = [sample for start in range(step) for sample in rest[start::step]]
        for start in range(0, len(spread), _CHUNK):
            if set(range(num_classes)) <= set(of_class[values > 0].tolist()):
                break
            for counted in pool.map(_values, spread[start : start + _CHUNK]):
                values = values + counted
    return values


def _values(sample: Sample) -> np.ndarray:
    try:
        return np.bincount(read_label(sample.label).ravel(), minlength=256) if sample.label else np.zeros(256, np.int64)
    except DataError:
        return np.zeros(256, np.int64)
