"""What is in the files of one frame."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.datasets.dataset import Sample
from lib.datasets.labels import read_label
from lib.thermal.frame import GREY_LEVELS, Reading, ThermalFrame
from lib.thermal.plausibility import thinned
from lib.thermal.readers import FrameReader
from lib.thermal.units import CELSIUS, UnitError
from lib.utils.errors import DataError

Contrast = Callable[[Path, ThermalFrame], float]
"""How far apart the values of a frame (its path, and what is in it) are when a network gets them."""


class FrameFacts(NamedTuple):
    """What was found in one frame's files; None where it couldn't be read.

    Attributes:
        name: of the frame.
        faults: (kind, message that names the file) for all that keeps it from being used.
        shape: (H, W) in pixels.
        dtype: of the values in the file.
        range: smallest, median (of a :func:`thinned` frame) and largest value, deg C or grey levels.
        unit: see :class:`~lib.thermal.frame.ThermalFrame`.
        nan, inf: number of values that aren't finite.
        values: (256,) int64, number of pixels by label value.
        contrast: see :data:`Contrast`; None where nobody asked.
        digest: of shape and float32 values: equal for equal frames, whatever the kind of file.
    """

    name: str
    faults: tuple[tuple[str, str], ...]
    shape: tuple[int, int] | None = None
    dtype: str | None = None
    range: tuple[float, float, float] | None = None
    unit: str | None = None
    nan: int = 0
    inf: int = 0
    values: np.ndarray | None = None
    contrast: float | None = None
    digest: bytes | None = None


def read_facts(
    sample: Sample, reader: FrameReader, reading: Reading | None = None, contrast: Contrast | None = None
) -> FrameFacts:
    """Read both files of a frame; whatever is wrong becomes a fault.

    Args:
        sample: the files; either may be missing or damaged.
        reader: as training reads all frames.
        reading: as of :class:`~lib.thermal.readers.FrameReader`, to see what this frame alone would be read as.
        contrast: measures it.
    """
    faults: list[tuple[str, str]] = []
    facts = FrameFacts(sample.name, ())
    try:
        frame = reader.read(sample.image)
    except UnitError as error:
        faults.append(("units", str(error)))
    except DataError as error:
        nan, inf = _not_finite(sample.image)
        faults.append(("not finite" if nan or inf else "unreadable frames", str(error)))
        facts = facts._replace(nan=nan, inf=inf)
    else:
        facts = _facts_of_image(facts, frame)
        if contrast is not None:
            facts = facts._replace(contrast=contrast(sample.image, frame))
        faults += _another_unit(sample.image, frame, reading)
    if sample.label is not None:
        try:
            label = read_label(sample.label)
        except DataError as error:
            faults.append(("unreadable labels", str(error)))
        else:
            facts = facts._replace(values=np.bincount(label.ravel(), minlength=256))
            if facts.shape is not None and label.shape != facts.shape:
                sizes = (f"{height}x{width}" for height, width in (label.shape, facts.shape))
                faults.append(("sizes", "{}: the label is {}, its frame {}".format(sample.label, *sizes)))
    return facts._replace(faults=tuple(faults))


def _facts_of_image(facts: FrameFacts, frame: ThermalFrame) -> FrameFacts:
    image = frame.values
    return facts._replace(
        shape=(image.shape[0], image.shape[1]),
        dtype=str(frame.dtype),
        range=(float(image.min()), float(np.median(thinned(image))), float(image.max())),
        unit=frame.unit,
        digest=_digest(image),
    )


def _digest(image: np.ndarray) -> bytes:
    """Of shape and values; processors have instructions for this one."""
    total = hashlib.sha256(repr(image.shape).encode())
    total.update(np.ascontiguousarray(image).data)
    return total.digest()


def _another_unit(path: Path, frame: ThermalFrame, reading: Reading | None) -> list[tuple[str, str]]:
    """A fault if a frame of integers, looked at by itself, is in another unit than that of all together."""
    if frame.unit in (CELSIUS.name, GREY_LEVELS):
        return []
    try:
        alone = FrameReader(reading).read(path).unit
    except UnitError:
        return []
    return [] if alone == frame.unit else [("units", f"{path}: in {alone}, it seems, and is read as {frame.unit}")]


def _not_finite(path: Path) -> tuple[int, int]:
    """How many values of a frame are NaN and how many infinite; (0, 0) of one that is no array of floats."""
    try:
        array = np.load(path, allow_pickle=False)
        return int(np.isnan(array).sum()), int(np.isinf(array).sum())
    except Exception:  # damaged files fail in many ways, which reading the frame has told already
        return 0, 0
