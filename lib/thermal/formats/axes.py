"""Which axes of an array or a table are rows, columns and frames."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.thermal.formats.colours import Colours
from lib.thermal.frame import Reading
from lib.utils.errors import DataError

COMMON_SIZES = (
    *((80, 60), (80, 80), (160, 120), (206, 156), (240, 180), (256, 192), (320, 240), (320, 256), (336, 256)),
    *((382, 288), (384, 288), (464, 348), (640, 480), (640, 512), (768, 576), (1024, 768), (1280, 1024)),
)
"""(width, height) in pixels of usual thermal sensors."""
MLX90640 = (32, 24)
"""(width, height) of a sensor whose frames are usually kept as lines of 768 numbers."""
LONGEST_SENSOR = 2000
"""Rows from which on an array of 768 columns holds frames of :data:`MLX90640`, as no sensor is that high."""


class Layout(NamedTuple):
    """How the axes of an array make frames.

    Attributes:
        axes: a letter for each axis, see :data:`~lib.thermal.frame.AXES`.
        frames: number of them.
        size: (H, W) of each in pixels.
    """

    axes: str
    frames: int
    size: tuple[int, int]


def layout_of(shape: tuple[int, ...], dtype: np.dtype, reading: Reading, where: str) -> Layout:
    """How an array makes frames: as ``reading.axes`` says, or as its shape alone leaves no doubt about.

    Without ``reading.axes``, arrays are (H, W), (T, H, W), both with or without a last axis of length 1, or colours
    (H, W, 3 or 4) uint8; (T, 768) with few or very many rows are frames of an MLX90640.

    Args:
        shape: of the array.
        dtype: of the array.
        reading: ``axes`` and ``raw_size``.
        where: the file, for messages.

    Raises:
        DataError: the shape doesn't fit, or can mean several things; it says what ``--axes`` would make of it.

    >>> layout_of((5, 240, 320), np.dtype("f4"), Reading(), "a.npy")
    Layout(axes='THW', frames=5, size=(240, 320))
    """
    axes = reading.axes or _usual_axes(shape, dtype, where)
    if len(axes) != len(shape) or "V" in axes:
        raise DataError(f"{where}: --axes {axes} names {len(axes)} axes, and its shape is {shape}")
    length = dict(zip(axes, shape, strict=True))
    if "N" in axes:
        width, height = pixels_size(length["N"], reading, where)
    else:
        height, width = length["H"], length["W"]
    return Layout(axes, length.get("T", 1), (height, width))


def split_frames(array: np.ndarray, layout: Layout, where: str) -> Iterator[np.ndarray]:
    """Frames (H, W) of a whole array, in order; errors as of :func:`arrange`."""
    if "T" not in layout.axes:
        yield arrange(array, layout, where)
        return
    for frame in np.moveaxis(array, layout.axes.index("T"), 0):
        yield arrange(frame, layout, where)


def arrange(frame: np.ndarray, layout: Layout, where: str) -> np.ndarray:
    """One frame (H, W) from the part of an array that holds it, whose axes are those of ``layout`` but T.

    Raises:
        DataError: it has several channels that differ, and isn't a colour picture of 8 bits.
    """
    axes = layout.axes.replace("T", "")
    if axes == "N":
        return frame.reshape(layout.size)
    channels = frame.transpose([axes.index(axis) for axis in "HWC" if axis in axes]).reshape(*layout.size, -1)
    if channels.dtype == np.uint8 and channels.shape[2] in (3, 4):
        return Colours(Path(where)).levels(np.ascontiguousarray(channels[:, :, :3]))
    if channels.shape[2] > 1 and not (channels == channels[:, :, :1]).all():
        raise DataError(
            f"{where}: its {channels.shape[2]} channels differ, and a thermal frame has one: save one of them as .npy"
        )
    return channels[:, :, 0]


def _usual_axes(shape: tuple[int, ...], dtype: np.dtype, where: str) -> str:
    colours = dtype == np.uint8 and shape[-1] in (3, 4)
    match len(shape):
        case 1 if shape[0] == MLX90640[0] * MLX90640[1]:
            return "N"
        case 2:
            return _table_axes(shape[0], shape[1], where)
        case 3 if shape[2] == 1 or colours:
            return "HWC"
        case 3:
            return _stack_axes(shape[0], shape[1], shape[2], where)
        case 4 if shape[3] == 1:
            return "THWC"
    raise DataError(
        f"{where}: expected a frame (H, W) or a sequence (T, H, W), got shape {shape}; --axes says which axes are "
        "rows (H), columns (W), frames (T), channels (C), or all pixels of a frame (N, of --raw_size W H)"
    )


def _table_axes(rows: int, columns: int, where: str) -> str:
    mlx = columns == MLX90640[0] * MLX90640[1]
    if mlx and (_is_strip(rows, columns) or rows > LONGEST_SENSOR):
        return "TN"
    if _is_strip(rows, columns) or (mlx and (columns, rows) not in COMMON_SIZES):
        size = "{} {}".format(*MLX90640) if mlx else "W H"
        raise DataError(
            f"{where}: {rows} rows of {columns} numbers are hardly one frame; if each row is a frame, say --axes TN "
            f"--raw_size {size} (its width and height), if each column is one, --axes NT --raw_size W H; if it is one "
            "frame all the same, --axes HW"
        )
    return "HW"


def _stack_axes(first: int, second: int, third: int, where: str) -> str:
    """THW, unless the last axis may as well count frames or channels."""
    frames_last = not _is_strip(first, second)
    channels = third in (3, 4)
    sized_first = _is_common(first, second) and not _is_common(second, third)
    if not (_is_strip(second, third) or channels or sized_first):
        return "THW"
    choices = [f"--axes HWT reads {third} frames of {first}x{second}"] if frames_last else []
    choices += (
        [f"--axes HWC one frame of {third} equal channels (data.num_channels {third} reads unequal ones)"]
        if channels
        else []
    )
    choices += [f"--axes THW {first} frames of {second}x{third} (height x width)"]
    raise DataError(
        f"{where}: its shape {(first, second, third)} leaves open which axis counts frames: {', '.join(choices)}"
    )


def _is_common(height: int, width: int) -> bool:
    return (width, height) in COMMON_SIZES or (height, width) in COMMON_SIZES


def _is_strip(height: int, width: int) -> bool:
    """Whether a frame would be far longer in one direction than any sensor."""
    longest = max(height, width)
    return longest >= 64 and longest > 8 * min(height, width)


def pixels_size(pixels: int, reading: Reading, where: str) -> tuple[int, int]:
    """(width, height) of a frame that is kept as one line of ``pixels`` numbers."""
    for width, height in (reading.raw_size, MLX90640):
        if width * height == pixels:
            return width, height
    fitting = [f"--raw_size {width} {height}" for width, height in COMMON_SIZES if width * height == pixels]
    raise DataError(
        f"{where}: a line of {pixels} pixels isn't a frame of --raw_size {reading.raw_size[0]} {reading.raw_size[1]}"
        f" (width, height){'; would fit: ' + ' or '.join(fitting) if fitting else ''}"
    )
