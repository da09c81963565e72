"""What is in the files of one frame."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.datasets.check.units import unit_of
from lib.datasets.dataset import Sample
from lib.datasets.frames import read_image, read_label
from lib.utils.errors import DataError


class FrameFacts(NamedTuple):
    """What was found in one frame's files; None where it couldn't be read.

    Attributes:
        name: of the frame.
        faults: (kind, message that names the file) for all that keeps it from being used.
        shape: (H, W) in pixels.
        dtype: of the values in the file.
        low, median, high: of the values.
        unit: see :func:`lib.datasets.check.units.unit_of`.
        nan, inf: number of values that aren't finite.
        values: (256,) int64, number of pixels by label value.
        digest: of shape and float32 values: equal for equal frames, whatever the kind of file.
    """

    name: str
    faults: tuple[tuple[str, str], ...]
    shape: tuple[int, int] | None = None
    dtype: str | None = None
    low: float | None = None
    median: float | None = None
    high: float | None = None
    unit: str | None = None
    nan: int = 0
    inf: int = 0
    values: np.ndarray | None = None
    digest: bytes | None = None


def read_facts(sample: Sample, num_channels: int) -> FrameFacts:
    """Read both files of a frame; whatever is wrong becomes a fault.

    Args:
        sample: the files; either may be missing or damaged.
        num_channels: expected channels of the frame.
    """
    faults: list[tuple[str, str]] = []
    found: dict = {}
    try:
        image = read_image(sample.image, num_channels)
    except DataError as error:
        found["nan"], found["inf"] = _not_finite(sample.image)
        faults.append(("not finite" if found["nan"] or found["inf"] else "unreadable frames", str(error)))
    else:
        found |= _facts_of_image(image, sample.image)
    if sample.label is not None:
        try:
            label = read_label(sample.label)
        except DataError as error:
            faults.append(("unreadable labels", str(error)))
        else:
            found["values"] = np.bincount(label.ravel(), minlength=256)
            if "shape" in found and label.shape != found["shape"]:
                sizes = (f"{height}x{width}" for height, width in (label.shape, found["shape"]))
                faults.append(("sizes", "{}: the label is {}, its frame {}".format(sample.label, *sizes)))
    return FrameFacts(sample.name, tuple(faults), **found)


def _facts_of_image(image: np.ndarray, path: Path) -> dict:
    first, low, median, high, last = np.percentile(image, (0, 1, 50, 99, 100)).tolist()
    dtype = _dtype(path)
    return {
        "shape": image.shape[:2],
        "dtype": dtype,
        "low": first,
        "median": median,
        "high": last,
        "unit": unit_of(median, high - low, picture=dtype == "uint8"),
        "digest": hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest(),
    }


def _dtype(path: Path) -> str:
    """Of the values in a frame's file that is known to be readable; pictures have 8 bits unless they say otherwise."""
    if path.suffix.lower() == ".npy":
        return str(np.load(path, mmap_mode="r", allow_pickle=False).dtype)
    from PIL import Image

    with Image.open(path) as picture:
        return {"I;16": "uint16", "I;16B": "uint16", "I": "int32", "F": "float32"}.get(picture.mode, "uint8")


def _not_finite(path: Path) -> tuple[int, int]:
    """How many values of a frame are NaN and how many infinite; (0, 0) of one that is no array of floats."""
    try:
        array = np.load(path, allow_pickle=False)
        return int(np.isnan(array).sum()), int(np.isinf(array).sum())
    except Exception:  # damaged files fail in many ways, which reading the frame has told already
        return 0, 0
