"""What the numbers in a thermal file mean: the one table of units, and how a unit is told from the numbers alone."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lib.utils.errors import DataError


class Unit(NamedTuple):
    """A linear unit of temperature: deg C = ``scale`` x number + ``offset``.

    >>> round(PRESETS["centikelvin"].celsius(30815), 2)
    np.float64(35.0)
    """

    name: str
    scale: float
    offset: float

    def celsius(self, numbers: np.ndarray | float) -> np.ndarray | float:
        """Convert numbers as stored, of any shape, to deg C in float64."""
        return np.multiply(numbers, self.scale, dtype=np.float64) + self.offset

    @property
    def formula(self) -> str:
        """How a stored number becomes deg C, as text.

        >>> PRESETS["decikelvin"].formula
        '0.1 x value - 273.15'
        """
        product = "value" if self.scale == 1 else f"{self.scale:.6g} x value"
        return product if self.offset == 0 else f"{product} {'-' if self.offset < 0 else '+'} {abs(self.offset):.6g}"


ABSOLUTE_ZERO = -273.15
CELSIUS = Unit("deg C", 1.0, 0.0)
NO_TEMPERATURES = "none"
"""The preset of files whose numbers are grey levels or a camera's raw counts, of any depth."""
PRESETS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("centikelvin", 0.01, ABSOLUTE_ZERO),
        Unit("decikelvin", 0.1, ABSOLUTE_ZERO),
        Unit("flir_tlinear_high", 0.04, ABSOLUTE_ZERO),
        Unit("flir_tlinear_low", 0.4, ABSOLUTE_ZERO),
        Unit("centi_celsius", 0.01, 0.0),
        Unit("deci_celsius", 0.1, 0.0),
        Unit("milli_celsius", 0.001, 0.0),
        Unit("kelvin", 1.0, ABSOLUTE_ZERO),
        Unit("fahrenheit", 1 / 1.8, -32 / 1.8),
    )
}
"""Units by the names that ``--temp_preset`` takes, besides :data:`NO_TEMPERATURES`; FLIR's TLinear modes as in the
manuals of its cores, where high resolution counts 0.04 K and low resolution 0.4 K."""
GUESSED = (
    *(PRESETS[name] for name in ("centikelvin", "decikelvin", "flir_tlinear_low", "centi_celsius", "deci_celsius")),
    CELSIUS,
)
"""Units of integers that are recognised from the numbers alone. FLIR's TLinear of high resolution isn't one of them:
the raw counts of many cameras, 20 to 60 a kelvin, are the same numbers."""
RIVALS = (
    *GUESSED,
    *(PRESETS[name] for name in ("flir_tlinear_high", "milli_celsius", "kelvin", "fahrenheit")),
    *(
        Unit(f"{name}s of a deg F (--temp_scale {scale / 1.8:.6g} --temp_offset -17.7778)", scale / 1.8, -32 / 1.8)
        for name, scale in (("tenth", 0.1), ("hundredth", 0.01))
    ),
)
"""Units that must not be possible beside the recognised one."""

MEASURABLE = (-60.0, 400.0)
"""deg C that thermal cameras for people show, from a clear sky to a soldering iron."""
SURROUNDINGS = (-25.0, 50.0)
"""deg C of people and what is around them, except hot and cold objects."""
SKIN = (28.0, 40.0)
"""deg C of the skin of a face."""
WARM_SKIN = 31.0
"""deg C that some part of a face reaches: eye corners, forehead, neck."""
HOT = 90.0
"""deg C up to which numbers that are too warm for skin may still be skin in a finer unit."""

CALIBRATED = (
    "correct emissivity, distance and the other settings in the camera's software and save it again, or export its "
    "temperatures from there as CSV"
)
"""What to do about a file whose own calibration gives temperatures that can't be."""


class UnitError(DataError):
    """A file's numbers leave their unit open, or are no temperatures in the unit that they were taken for."""


class Scene:
    """Shares of a frame's pixels between temperatures, under one unit."""

    def __init__(self, ordered: np.ndarray, unit: Unit) -> None:
        self._ordered, self.unit = ordered, unit
        self.skin = self.share(*SKIN)
        self.warm_skin = self.share(WARM_SKIN, SKIN[1])
        self.too_warm = self.share(SKIN[1], HOT) - self.share(SKIN[1], SKIN[1])
        self.surroundings = self.share(*SURROUNDINGS)
        low, high = (self.unit.celsius(ordered[int(part * (len(ordered) - 1))]) for part in (0.02, 0.98))
        self.contrast = float(high - low)

    def share(self, low: float, high: float) -> float:
        """The share of pixels of ``low`` to ``high`` deg C, ends included."""
        # Half a thousandth of a step of the unit aside, so that rounding moves no whole number over an end.
        first, last = ((end - self.unit.offset) / self.unit.scale for end in (low, high))
        start = np.searchsorted(self._ordered, first - 5e-4, "left")
        return float(np.searchsorted(self._ordered, last + 5e-4, "right") - start) / len(self._ordered)

    @property
    def possible(self) -> bool:
        """Whether this may be a scene with a face, with hot or cold objects on up to 40 % of it."""
        return self.skin >= 0.01 and self.surroundings >= 0.55

    @property
    def convincing(self) -> bool:
        """Whether this is a scene with a face, if no other unit makes one possible."""
        # Whole degrees lie among the grey levels of a picture, which go far beyond a scene's temperatures.
        coarse = self.unit is CELSIUS and self.share(-40, 60) < 0.99
        return self.possible and self.skin >= 0.02 and self.warm_skin >= 0.01 and self.contrast >= 1 and not coarse


def decide_unit(numbers: np.ndarray, where: str) -> Unit:
    """The one unit under which integers are the temperatures of a scene with a face.

    A unit of :data:`GUESSED` qualifies if at least 2 % of the pixels are as warm as skin (28 to 40 deg C) and 55 % lie
    between -25 and 50 deg C, which leaves room for hot and cold objects. No other unit may qualify, not even one that
    is never guessed: thousandths of a degree, whole kelvins, deg F.

    In hundredths of a kelvin a room and a face lie 10 to 15 K apart; the same numbers read as thousandths of a
    degree make a room and a face of 29 to 31 deg C. Such a finer unit counts only if 15 % of the pixels are colder
    than skin under it as well, or if most of what is too warm for skin would be skin.

    Args:
        numbers: integers as stored, any shape; of one file or of several in the same unit.
        where: the file or folder, for messages.

    Returns:
        The unit.

    Raises:
        UnitError: none or several qualify; it lists what each preset would give, and the flag that says which.

    >>> room_and_face = np.repeat([29300, 30600], [700, 300])
    >>> decide_unit(room_and_face, "frame.png").name
    'centikelvin'
    """
    ordered = np.sort(numbers, axis=None).astype(np.float64)
    scenes = {unit: Scene(ordered, unit) for unit in RIVALS}
    rivals = {
        unit: [other for other in RIVALS if other is not unit and _may_be_meant(scenes[other], scenes[unit])]
        for unit in RIVALS
        if scenes[unit].convincing
    }
    clear = [unit for unit, others in rivals.items() if not others and unit in GUESSED]
    if len(clear) == 1:
        return clear[0]
    low, high = np.percentile(ordered, (1, 99))
    names = " and ".join(dict.fromkeys(unit.name for found, others in rivals.items() for unit in (found, *others)))
    which = f"possible are {names}, and raw counts" if names else "no unit gives a scene with a face"
    raise UnitError(
        f"{where}: can't tell what its integers mean; they are {low:g} to {high:g} (1st to 99th percentile), and "
        f"{which}. Say it with --temp_preset, which would give {_readings(low, high, PRESETS.values())}; or with "
        f"--temp_scale and --temp_offset. A camera's raw counts (FLIR, Seek) are no temperatures: export them as such, "
        f"or read them as grey levels with --temp_preset {NO_TEMPERATURES}"
    )


def _may_be_meant(other: Scene, found: Scene) -> bool:
    """Whether ``other`` may be what is meant although ``found`` is convincing."""
    if not found.unit.scale / 20 < other.unit.scale < found.unit.scale / 5:
        return other.possible
    # A finer unit puts all of a usual scene near the temperature of skin, so it takes more to believe it.
    cold = other.warm_skin >= 5e-4 and other.share(ABSOLUTE_ZERO, SKIN[0]) >= 0.15
    finer_skin = found.too_warm > found.skin or (found.skin > 0.6 and found.too_warm > 0.03)
    # Skin in the finer unit has no end at 40 deg C of the coarser one, where a face ends and hot objects are apart.
    endless = found.share(38, 44) >= 0.1 * (found.skin + found.too_warm)
    return other.possible and (cold or finer_skin or endless)


def check_celsius(celsius: np.ndarray, numbers: np.ndarray, unit: Unit, path: str, *, calibrated: bool = False) -> str:
    """Refuse numbers that can't be temperatures of a camera's scene.

    Args:
        celsius: (H, W) deg C.
        numbers: (H, W) as stored, which ``unit`` made ``celsius`` of.
        unit: see there.
        path: for messages.
        calibrated: whether the file's own calibration made them, which no option changes.

    Returns:
        A note on single pixels outside :data:`MEASURABLE`, else nothing.

    Raises:
        DataError: values that aren't finite.
        UnitError: a value below absolute zero, or more than a hundredth of all outside :data:`MEASURABLE`, as happens
            with a wrong unit.
    """
    coldest, warmest = float(celsius.min()), float(celsius.max())
    if not np.isfinite(coldest + warmest):
        bad = np.count_nonzero(~np.isfinite(celsius))
        raise DataError(
            f"{path}: {bad} of {celsius.size} values aren't finite; expected a temperature in every pixel: "
            + (
                CALIBRATED
                if calibrated
                else "fill dead and overdriven pixels before, e.g. with their neighbours' median"
            )
        )
    outside = 0
    if coldest < MEASURABLE[0] or warmest > MEASURABLE[1]:
        outside = int(np.count_nonzero((celsius < MEASURABLE[0]) | (celsius > MEASURABLE[1])))
    usual = np.percentile(celsius, (1, 99)).tolist() if outside or coldest > 200 else [coldest, warmest]
    # The rounding of float32 may put a count of 0 a hair below.
    if coldest < ABSOLUTE_ZERO - 0.01 or 100 * outside > celsius.size or usual[0] > 200:
        if calibrated:
            raise DataError(
                f"{path}: its own calibration gives {usual[0]:.1f} to {usual[1]:.1f} deg C (1st to 99th percentile), "
                f"which can't be a scene's temperatures; {CALIBRATED}"
            )
        raise UnitError(_wrong_unit(np.percentile(numbers, (1, 99)).tolist(), usual, unit, path))
    if outside:
        return f"{outside} pixels outside {MEASURABLE[0]:g} to {MEASURABLE[1]:g} deg C"
    return ""


def _wrong_unit(numbers: list[float], usual: list[float], unit: Unit, path: str) -> str:
    low, high = numbers
    scenes = [
        other
        for other in PRESETS.values()
        if other.name != "fahrenheit"
        and other.celsius(low) >= -20
        and other.celsius(high) <= 50
        and (high - low) * other.scale >= 1
    ]
    fitting = [unit for unit in scenes if (high - low) * unit.scale >= 5] or scenes
    if fitting:
        remedy = f"--temp_preset would give {_readings(low, high, fitting)}"
    else:
        remedy = "say what they mean with --temp_preset, or with --temp_scale and --temp_offset"
    return (
        f"{path}: its numbers, {low:g} to {high:g} (1st to 99th percentile), can't be a scene's temperatures: read as "
        f"{unit.name} they are {usual[0]:.1f} to {usual[1]:.1f} deg C; {remedy}"
    )


def _readings(low: float, high: float, units: Iterable[Unit]) -> str:
    return ", ".join(f"{unit.name} {unit.celsius(low):.1f} to {unit.celsius(high):.1f} deg C" for unit in units)
