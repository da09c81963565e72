"""Tables whose lines aren't rows of a frame: a frame a line, a pixel a line, or frames one above the other."""

import re
from collections.abc import Sequence

import numpy as np

from lib.thermal.formats.axes import MLX90640, pixels_size
from lib.thermal.frame import Reading
from lib.utils.errors import DataError

TABLE_AXES = ("THW", "N", "TN", "NT", "HWV", "WHV")
"""What ``--axes`` may say of a table besides HW and WH."""
TIME_NAME = re.compile(r"\W*(time|date|timestamp|t|ms|sec|frame|zeit|datum)\b.*|.*(time|date)\W*", re.IGNORECASE)
"""What the first column is called if it is a time."""
TIMED = 8
"""Lines from which on a first column that grows in even steps is a time."""
COLUMN_NAMES, ROW_NAMES = ("x", "col", "column", "w", "u"), ("y", "row", "line", "h", "v")


def has_time_column(table: np.ndarray, names: Sequence[str]) -> bool:
    """Whether the first column of a table (lines, columns) is a time: by its name, or as it grows and is set apart."""
    if table.shape[1] < 3:
        return False
    if names and TIME_NAME.fullmatch(names[0].strip()):
        return True
    steps = np.diff(table[:, 0])
    if len(steps) < TIMED - 1 or not (steps > 0).all():
        return False
    apart, usual = np.abs(np.diff(table[:, :3], axis=1)).mean(axis=0)
    if apart < 5 * usual:  # neighbours in a frame
        return False
    return bool(steps.max() < 3 * np.median(steps) and steps.min() > np.median(steps) / 3)


def lines_of_pixels(table: np.ndarray, axes: str, reading: Reading, where: str) -> tuple[np.ndarray, int]:
    """Frames of a table whose lines aren't rows.

    Args:
        table: (lines, columns) float64.
        axes: ``TN``, a frame a line, before whose pixels there may be columns that grow, such as a time; ``NT``, a
            frame a column; ``N``, all numbers are one frame; ``THW``, frames one above the other.
        reading: ``raw_size`` of a frame.
        where: the file, for messages.

    Returns:
        (T, H, W), and the number of columns at the lines' ends that are pixels.

    Raises:
        DataError: the numbers don't make frames of that size.
    """
    width, height = reading.raw_size
    lines, columns = table.shape
    if axes == "THW":
        if columns != width or lines % height:
            raise DataError(
                f"{where}: {lines} lines of {columns} numbers aren't frames of --raw_size {width} {height}, one above "
                "the other"
            )
        return table.reshape(-1, height, width), columns
    if axes == "N":
        width, height = pixels_size(table.size, reading, where)
        return table.reshape(1, height, width), columns
    if axes == "NT":
        width, height = pixels_size(lines, reading, where)
        return table.T.reshape(-1, height, width), columns
    extra = _leading_columns(table, width * height)
    if extra is None:
        extra = _leading_columns(table, MLX90640[0] * MLX90640[1])
    if extra is None:
        raise DataError(
            f"{where}: {lines} lines of {columns} numbers, each a frame, with or without a time before it: say --axes "
            f"TN and --raw_size W H, its width and height, which are {width} {height} now; or --axes HW if the lines "
            "are the rows of one frame"
        )
    width, height = pixels_size(columns - extra, reading, where)
    return table[:, extra:].reshape(lines, height, width), columns - extra


def _leading_columns(table: np.ndarray, pixels: int) -> int | None:
    """How many columns precede the pixels, all of which must grow down the table; None if they don't."""
    extra = table.shape[1] - pixels
    return extra if 0 <= extra <= 3 and bool((np.diff(table[:, :extra], axis=0) >= 0).all()) else None


def is_pixel_list(table: np.ndarray) -> bool:
    """Whether a table (lines, 3) names every pixel of a frame once, in its first two columns."""
    lines, columns = table.shape
    if columns != 3 or lines < 4:
        return False
    places = table[:, :2]
    if not (np.isfinite(places).all() and (places == np.rint(places)).all()):
        return False
    first, second = np.ptp(places, axis=0) + 1
    return first * second == lines and len(np.unique(places, axis=0)) == lines


def read_pixel_list(table: np.ndarray, names: Sequence[str], axes: str | None, where: str) -> np.ndarray:
    """(1, H, W): the frame of a table with a pixel a line: its column and row, or row and column, and its value.

    Raises:
        DataError: neither ``axes`` nor the columns' ``names`` say which is which, or pixels are missing.
    """
    if table.shape[1] != 3 or not is_pixel_list(table):
        raise DataError(f"{where}: --axes {axes} needs lines of row, column and value, one for every pixel of a frame")
    called = [name.strip().strip('"').lower() for name in names[:2]] if len(names) == 3 else ["", ""]
    if axes is None and called[0] in COLUMN_NAMES and called[1] in ROW_NAMES:
        axes = "WHV"
    if axes is None and called[0] in ROW_NAMES and called[1] in COLUMN_NAMES:
        axes = "HWV"
    if axes is None:
        raise DataError(
            f"{where}: {len(table)} lines of a pixel each; say --axes WHV if its column comes first, --axes HWV if its "
            "row does"
        )
    rows, columns = (table[:, axes.index(axis)].astype(np.int64) for axis in "HW")
    frame = np.empty((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
    frame[rows - rows.min(), columns - columns.min()] = table[:, 2]
    return frame[None]
