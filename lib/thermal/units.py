"""What the numbers in a thermal file mean, and whether they can be the temperatures of a scene with people."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lib.utils.errors import DataError


class Unit(NamedTuple):
    """deg C = ``scale`` x number + ``offset``."""

    name: str
    scale: float
    offset: float

    def celsius(self, numbers: np.ndarray | float) -> np.ndarray | float:
        """deg C, float64, of numbers as stored."""
        return np.multiply(numbers, self.scale, dtype=np.float64) + self.offset


CELSIUS = Unit("deg C", 1.0, 0.0)
PRESETS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("centikelvin", 0.01, -273.15),
        Unit("decikelvin", 0.1, -273.15),
        Unit("flir_tlinear_high", 0.04, -273.15),
        Unit("flir_tlinear_low", 0.4, -273.15),
        Unit("milli_celsius", 0.001, 0.0),
    )
}
"""Meanings of integers by the names that ``--temp_preset`` takes; FLIR's TLinear modes as in the manuals of its cores,
where high resolution counts 0.04 K and low resolution 0.4 K."""

ABSOLUTE_ZERO = -273.15
MEASURABLE = (-60.0, 400.0)
"""deg C that thermal cameras for people show, from a clear sky to a soldering iron."""
SCENE = (-20.0, 50.0)
"""deg C between which nearly all of a scene with people lies."""
CONTRAST, CLEAR_CONTRAST = 1.0, 5.0
"""K between the cold and warm parts of a scene with people: at least, and usually."""


def decide_unit(numbers: np.ndarray, path: str) -> Unit:
    """The one meaning of integers under which they are the temperatures of a scene with people.

    Candidates are the presets and whole deg C. Those qualify that put the 1st and the 99th percentile into
    :data:`SCENE` and at least :data:`CONTRAST` apart; of several that qualify, one that alone puts them
    :data:`CLEAR_CONTRAST` apart.

    Raises:
        DataError: none or several qualify; it lists what each preset would give.
    """
    low, high = np.percentile(numbers, (1, 99))
    for contrast in (CONTRAST, CLEAR_CONTRAST):
        fitting = _fitting(low, high, contrast)
        if len(fitting) == 1:
            return fitting[0]
    which = "several meanings fit" if fitting else "no meaning gives a scene with people"
    raise DataError(
        f"{path}: can't tell what its integers mean; they are {low:g} to {high:g} (1st to 99th percentile), and "
        f"{which}. Say it with --temp_preset, which would give {_readings(low, high, PRESETS.values())}, or with "
        "--temp_scale and --temp_offset"
    )


def check_celsius(celsius: np.ndarray, numbers: np.ndarray, unit: Unit, path: str) -> str:
    """Refuse numbers that can't be temperatures of a camera's scene.

    Args:
        celsius: (H, W) deg C.
        numbers: what they were made of, by ``unit``.
        unit: see there.
        path: for messages.

    Returns:
        A note on single pixels outside :data:`MEASURABLE`, else nothing.

    Raises:
        DataError: values that aren't finite or below absolute zero, or more than a hundredth of all outside
            :data:`MEASURABLE`, as happens with a wrong unit.
    """
    coldest, warmest = float(celsius.min()), float(celsius.max())
    if not np.isfinite(coldest + warmest):
        bad = np.count_nonzero(~np.isfinite(celsius))
        raise DataError(
            f"{path}: {bad} of {celsius.size} values aren't finite; expected a temperature in every pixel: "
            "fill dead and overdriven pixels before, e.g. with their neighbours' median"
        )
    outside = 0
    if coldest < MEASURABLE[0] or warmest > MEASURABLE[1]:
        outside = int(np.count_nonzero((celsius < MEASURABLE[0]) | (celsius > MEASURABLE[1])))
    usual = np.percentile(celsius, (1, 99)) if outside or coldest > 200 else (coldest, warmest)
    # The rounding of float32 may put a count of 0 a hair below.
    if coldest < ABSOLUTE_ZERO - 0.01 or 100 * outside > celsius.size or usual[0] > 200:
        raise DataError(_wrong_unit(np.percentile(numbers, (1, 99)), usual, unit, path))
    if outside:
        return f"{outside} pixels outside {MEASURABLE[0]:g} to {MEASURABLE[1]:g} deg C"
    return ""


def _wrong_unit(numbers: np.ndarray, usual: np.ndarray, unit: Unit, path: str) -> str:
    low, high = numbers
    fitting = [other for other in _fitting(low, high, CONTRAST) if other is not CELSIUS]
    if 230 <= low <= high <= 400:
        remedy = "they look like kelvin: --temp_scale 1 --temp_offset -273.15"
    elif fitting:
        remedy = f"--temp_preset would give {_readings(low, high, fitting)}"
    else:
        remedy = "say what they mean with --temp_preset, or with --temp_scale and --temp_offset"
    return (
        f"{path}: its numbers, {low:g} to {high:g} (1st to 99th percentile), can't be a scene's temperatures: read as "
        f"{unit.name} they are {usual[0]:.1f} to {usual[1]:.1f} deg C; {remedy}"
    )


def _fitting(low: float, high: float, contrast: float) -> list[Unit]:
    """Units that put ``low`` and ``high`` into :data:`SCENE` and at least ``contrast`` K apart."""
    spans = {unit: (unit.celsius(low), unit.celsius(high)) for unit in (*PRESETS.values(), CELSIUS)}
    return [
        unit
        for unit, (coldest, warmest) in spans.items()
        if SCENE[0] <= coldest and warmest <= SCENE[1] and warmest - coldest >= contrast
    ]


def _readings(low: float, high: float, units: Iterable[Unit]) -> str:
    return ", ".join(f"{unit.name} {unit.celsius(low):.1f} to {unit.celsius(high):.1f} deg C" for unit in units)
