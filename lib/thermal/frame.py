"""What the readers of thermal files give and take."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lib.thermal.units import CELSIUS, NO_TEMPERATURES, PRESETS, Unit
from lib.utils.errors import ConfigError

GREY_LEVELS = "grey levels"
"""Stands for a unit where the numbers are no temperatures."""
AXES = (
    *("HW", "WH", "THW", "TWH", "HWT", "WHT", "HWC", "THWC", "HWTC", "N", "TN", "NT"),
    *("HWV", "WHV"),
)
"""What ``--axes`` may say, a letter for each axis of an array or a table: H rows, W columns, T frames, C channels, N
all pixels of a frame of ``raw_size``, row by row. HWV and WHV are tables of a pixel a line: its row and column, and its
value."""


class ThermalFrame(NamedTuple):
    """One frame.

    Attributes:
        values: (H, W) float32, deg C; where the file has no temperatures grey levels, or what
            :attr:`Reading.grey_range` takes them for.
        radiometric: whether ``values`` are temperatures.
        note: what was decided or found in reading; empty where the file left nothing open.
        unit: name of the unit that the file's numbers are in, or :data:`GREY_LEVELS`.
        dtype: of the numbers as their reader gives them, before they become deg C.
    """

    values: np.ndarray
    radiometric: bool
    note: str
    unit: str = CELSIUS.name
    dtype: np.dtype = np.dtype(np.float32)


@dataclass(frozen=True)
class Reading:
    """How to read files that don't say everything about themselves.

    Attributes:
        preset: one of :data:`~lib.thermal.units.PRESETS`, what a file's numbers mean, or ``none`` for grey levels
            of any depth and other numbers that are no temperatures; None = decided from the values.
        scale, offset: deg C = scale x number + offset, instead of a preset; one alone leaves the other at 1 or 0.
        raw_size: (width, height) of headerless frames in pixels, and of frames whose pixels are one axis.
        axes: one of :data:`AXES`, what the axes of arrays and tables mean; None = as their shapes tell.
        grey_range: deg C that grey 0 and 255 of pictures of 8 bits are taken for; None leaves grey levels as they are.
            Such frames stay without temperatures, but what is meant in deg C, such as noise, can be done to them.

    Raises:
        ConfigError: they contradict each other, or can't be.

    >>> Reading(scale=0.5, offset=10).unit.celsius(20)
    np.float64(20.0)
    """

    preset: str | None = None
    scale: float | None = None
    offset: float | None = None
    raw_size: tuple[int, int] = (640, 512)
    axes: str | None = None
    grey_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.preset not in (None, NO_TEMPERATURES, *PRESETS):
            expected = ", ".join((*PRESETS, NO_TEMPERATURES))
            raise ConfigError(f"--temp_preset: expected one of {expected}, got {self.preset!r}")
        if self.preset is not None and (self.scale is not None or self.offset is not None):
            raise ConfigError(
                "--temp_preset already says what --temp_scale and --temp_offset say; give one or the other"
            )
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale != 0):
            raise ConfigError(f"--temp_scale: expected a number other than 0, got {self.scale}")
        if self.offset is not None and not math.isfinite(self.offset):
            raise ConfigError(f"--temp_offset: expected a number, got {self.offset}")
        if len(self.raw_size) != 2 or min(self.raw_size) < 1:
            raise ConfigError(f"--raw_size: expected width and height in pixels, got {list(self.raw_size)}")
        if self.axes not in (None, *AXES):
            raise ConfigError(f"--axes: expected one of {', '.join(AXES)}, got {self.axes!r}")

    @property
    def unit(self) -> Unit | None:
        """The unit that was asked for; None if none was."""
        if self.preset in PRESETS:
            return PRESETS[self.preset]
        if self.scale is not None or self.offset is not None:
            scale = 1.0 if self.scale is None else self.scale
            offset = 0.0 if self.offset is None else self.offset
            return Unit(f"{scale:g} x number {offset:+g}", scale, offset)
        return None


@dataclass(frozen=True)
class Stored:
    """The content of a file before its numbers are given a unit.

    Attributes:
        count: number of frames; None where only the end shows it.
        frames: these in order, each (H, W): uint8 are grey levels, other integers counts, floats deg C. Raises
            DataError where the file turns out to be damaged.
        size: (H, W) of each frame in pixels where the file's header says it; None where only reading shows it.
        unit: what the format says that its numbers mean; None if it doesn't.
        calibrated: whether the file holds its own calibration, so that its numbers are deg C whatever was asked for.
        note: about all frames, for :attr:`ThermalFrame.note`.
        found: notes on what shows only in reading, complete after the first frame.
        fps: frames per second; None where the format doesn't say.
    """

    count: int | None
    frames: Iterator[np.ndarray]
    size: tuple[int, int] | None = None
    unit: Unit | None = None
    calibrated: bool = False
    note: str = ""
    fps: float | None = None
    found: list[str] = field(default_factory=list)
