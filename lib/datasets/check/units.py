"""In which unit a frame's values are, as far as the values tell."""

from typing import NamedTuple

CELSIUS = "deg C"
COUNTS = "counts"


class Unit(NamedTuple):
    """A unit of temperature.

    Attributes:
        name: for people.
        low, high: where the median of a frame lies in this unit: of scenes from about -50 to 150 deg C.
        formula: deg C from a value.
    """

    name: str
    low: float
    high: float
    formula: str


UNITS = (
    Unit(CELSIUS, -60, 150, "value"),
    Unit("K", 210, 425, "value - 273.15"),
    Unit("0.4 K", 525, 1_062, "0.4 x value - 273.15"),
    Unit("0.1 K", 2_100, 4_250, "0.1 x value - 273.15"),
    Unit("0.04 K", 5_250, 10_625, "0.04 x value - 273.15"),
    Unit("0.01 K", 21_000, 42_500, "0.01 x value - 273.15"),
    Unit("mK", 210_000, 425_000, "0.001 x value - 273.15"),
)
"""The usual scales of thermal cameras. They don't overlap; thousandths of a deg C would lie among hundredths of a K,
and are told by their spread."""
_MILLI_CELSIUS = Unit("0.001 deg C", 10_000, 60_000, "0.001 x value")
_WIDE = 8_000
"""80 K in hundredths of a K, more than a scene with people spans; 8 K in thousandths of a deg C, less than that."""


def unit_of(median: float, spread: float, picture: bool) -> str:
    """The unit of a frame's values; :data:`COUNTS` where they are no temperatures.

    Args:
        median: of the values.
        spread: from their 1st to their 99th percentile.
        picture: the frame is a picture of 8 bits, whose grey levels are no temperatures.
    """
    if picture:
        return COUNTS
    if _MILLI_CELSIUS.low <= median <= _MILLI_CELSIUS.high and spread > _WIDE:
        return _MILLI_CELSIUS.name
    return next((unit.name for unit in UNITS if unit.low <= median <= unit.high), COUNTS)


def formula_of(name: str) -> str | None:
    """How a value in this unit becomes deg C, as text; None for :data:`COUNTS`."""
    return next((unit.formula for unit in (*UNITS, _MILLI_CELSIUS) if unit.name == name), None)
