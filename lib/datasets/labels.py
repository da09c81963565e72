"""Label values: the Thermal Face Database's raw classes, the ignored value, remapping to training classes."""

from collections.abc import Sequence

import numpy as np

from lib.utils.errors import ConfigError, DataError

IGNORE = 255
"""Value of ignored pixels in label files and uint8 label arrays; tensors say -1."""

RAW_CLASSES = (
    "background",
    "chin",
    "mouth",
    "left eye",
    "right eye",
    "left eyebrow",
    "right eyebrow",
    "nose",
)
"""Names of the values 0-7 in prepared label files of the Thermal Face Database."""

_UNKNOWN = 254  # what a table gives for values that have no class; so at most 254 classes fit
MAX_CLASSES = _UNKNOWN


class LabelMap:
    """Turns the values of label files into training classes.

    255 in a file and -1 (or 255) in ``remap_classes`` both mean ignored.

    Args:
        num_classes: number of training classes, 1-254.
        remap_classes: entry ``v`` is the class of file value ``v``; None keeps values 0..num_classes-1.

    Attributes:
        covers: which values have a class, and by which key, for messages.

    Raises:
        ConfigError: an entry that is neither a class nor ignored, or too many classes.
    """

    def __init__(self, num_classes: int, remap_classes: Sequence[int] | None = None) -> None:
        if not 1 <= num_classes <= MAX_CLASSES:
            raise ConfigError(f"data.num_classes: expected 1 to {MAX_CLASSES}, got {num_classes}")
        entries = list(range(num_classes)) if remap_classes is None else list(remap_classes)
        wrong = [entry for entry in entries if not (0 <= entry < num_classes or entry in (-1, IGNORE))]
        if wrong or len(entries) > 256:
            raise ConfigError(
                f"data.remap_classes: expected at most 256 entries, each a class 0 to {num_classes - 1} "
                f"(data.num_classes is {num_classes}) or -1 for ignored, got {entries}"
            )
        key = "data.num_classes" if remap_classes is None else "data.remap_classes"
        self.covers = f"{key} covers 0 to {len(entries) - 1}"
        self._table = np.full(256, _UNKNOWN, np.uint8)
        self._table[: len(entries)] = [IGNORE if entry == -1 else entry for entry in entries]
        self._table[IGNORE] = IGNORE

    def class_of(self, value: int) -> int | None:
        """The class of a file's value 0-255, :data:`IGNORE`, or None where it has none."""
        entry = int(self._table[value])
        return None if entry == _UNKNOWN else entry

    def __call__(self, label: np.ndarray, source: object) -> np.ndarray:
        """Map a label.

        Args:
            label: (H, W) uint8, values as in the file.
            source: the file, named in errors.

        Returns:
            (H, W) uint8, classes and :data:`IGNORE`.

        Raises:
            DataError: a value without a class; names file and value.
        """
        mapped = self._table[label]
        if (mapped == _UNKNOWN).any():
            values = np.unique(label[mapped == _UNKNOWN]).tolist()
            raise DataError(
                f"{source}: label value{'s' * (len(values) > 1)} {', '.join(map(str, values[:8]))} "
                f"without a class; {self.covers} (and {IGNORE} is ignored). "
                "Mend the file, or extend data.remap_classes (-1 ignores a value)."
            )
        return mapped
