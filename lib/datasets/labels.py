"""Labels: their files, the Thermal Face Database's raw classes, the ignored value, remapping to training classes."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from lib.thermal.formats.orientation import orientation_of, upright, upright_size
from lib.thermal.formats.pictures import FORMATS
from lib.utils.errors import ConfigError, DataError
from lib.utils.labels import IGNORE

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

    -1 (or 255) in ``remap_classes`` means ignored, and so does 255 in a file, unless entry 255 gives it a class.

    Args:
        num_classes: number of training classes, 1-254.
        remap_classes: entry ``v`` is the class of file value ``v``; None keeps values 0..num_classes-1.

    Attributes:
        covers: which values have a class, and by which key, for messages.

    Raises:
        ConfigError: an entry that is neither a class nor ignored, or too many classes.

    >>> LabelMap(2, [0, 1, 1, -1])(np.array([[0, 2, 3]], np.uint8), "label.png").tolist()
    [[0, 1, 255]]
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
        ignored = "" if len(entries) > IGNORE else f" (and {IGNORE} is ignored)"
        self.covers = f"{key} covers 0 to {len(entries) - 1}{ignored}"
        self._num_classes = num_classes
        self._table = np.full(256, _UNKNOWN, np.uint8)
        self._table[IGNORE] = IGNORE
        self._table[: len(entries)] = [IGNORE if entry == -1 else entry for entry in entries]

    def class_of(self, value: int) -> int | None:
        """The class of a file's value 0-255, :data:`IGNORE`, or None where it has none."""
        entry = int(self._table[value])
        return None if entry == _UNKNOWN else entry

    def values(self) -> np.ndarray:
        """(num_classes,) uint8: of each class the first value in files, as benchmarks take results.

        Raises:
            ConfigError: a class has none.

        >>> LabelMap(2, [-1, 0, 1, 1]).values().tolist()
        [1, 2]
        """
        found = [np.flatnonzero(self._table == index) for index in range(self._num_classes)]
        empty = [index for index, values in enumerate(found) if not values.size]
        if empty:
            raise ConfigError(f"data.remap_classes: expected a value for every class, got none for {empty}")
        return np.array([values[0] for values in found], np.uint8)

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
                f"without a class; {self.covers}. "
                "Mend the file, or extend data.remap_classes (-1 ignores a value)."
            )
        return mapped


def label_size(path: Path) -> tuple[int, int]:
    """(H, W) in pixels of a label file, from its header.

    Raises:
        DataError: missing or no picture.
    """
    with _opened(path) as picture:
        return upright_size(picture.height, picture.width, orientation_of(picture, path))


def read_label(path: Path) -> np.ndarray:
    """Read a label file: one channel of at most 8 bits; of a palette picture, the indices.

    Returns:
        (H, W) uint8, values as in the file.

    Raises:
        DataError: missing, damaged, or of another kind (RGB, 16 bits); names the file.
    """
    with _opened(path) as picture:
        if picture.mode not in ("L", "P", "1"):
            raise DataError(
                f"{path}: expected an 8-bit grey or palette picture whose values are classes, got mode {picture.mode}"
            )
        try:
            return np.ascontiguousarray(upright(np.array(picture, np.uint8), orientation_of(picture, path)))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path}: damaged label ({error})") from error


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with ExitStack() as stack:
        try:
            # Not by its name: Pillow would map a TIFF that is stored sideways into memory as if it were upright.
            file = stack.enter_context(path.open("rb"))
            picture = stack.enter_context(Image.open(file, formats=FORMATS))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: not a readable picture ({error})") from error
        yield picture
