"""Signs that a frame's numbers aren't the temperatures of a face that they were taken for."""

import numpy as np

from lib.thermal.units import CELSIUS, NO_TEMPERATURES, PRESETS, SKIN, SURROUNDINGS, Scene, Unit

HARDLY_ANY = 0.005
"""Share of a frame's pixels below which hardly any of them are as warm as skin."""
WARMEST_FACE = 45.0
"""deg C that the warmest part of no face exceeds."""
GREY_ENDS = ((0, 255), (0, 1))
"""Least and greatest value of grey levels that were scaled to the full range of 8 bits, or to 1."""
SHADES = 50
"""Different values from which on such a frame is a picture."""


def thinned(image: np.ndarray) -> np.ndarray:
    """A view of the pixels of (H, W) or (H, W, C) in every n-th row and column, 60 a side or somewhat more.

    Their median and percentiles are nearly those of all, and take a fraction of the time.

    >>> thinned(np.zeros((240, 320))).shape
    (60, 80)
    """
    step = max(1, min(image.shape[:2]) // 60)
    return image[::step, ::step]


def are_grey_levels(numbers: np.ndarray) -> bool:
    """Whether floats reach exactly from 0 to 255 or from 0 to 1 in many steps, as scaled pictures do.

    >>> are_grey_levels(np.linspace(0, 255, 768).reshape(24, 32)), are_grey_levels(np.linspace(0, 254, 768))
    (True, False)
    """
    ends = (numbers.min(), numbers.max())
    return numbers.dtype.kind == "f" and ends in GREY_ENDS and len(np.unique(numbers)) >= SHADES


def doubt_about_frame(celsius: np.ndarray, numbers: np.ndarray, unit: Unit) -> str:
    """What speaks against a frame's temperatures, in a sentence with the unit that is likelier; empty if nothing does.

    Args:
        celsius: (H, W) deg C.
        numbers: (H, W) as stored.
        unit: in which ``numbers`` are ``celsius``.
    """
    some = thinned(celsius)
    skin = np.mean((some >= SKIN[0]) & (some <= SKIN[1]))
    usual = np.mean((some >= SURROUNDINGS[0]) & (some <= SURROUNDINGS[1]))
    if skin >= HARDLY_ANY and usual >= 0.5:
        return ""
    ordered = np.sort(thinned(numbers), axis=None).astype(np.float64)
    scenes = [Scene(ordered, other) for other in (CELSIUS, *PRESETS.values()) if other is not unit]
    likely = [scene.unit for scene in scenes if scene.convincing and scene.share(-40, 60) >= 0.95]
    low, high = np.percentile(celsius, (1, 99))
    if likely:
        remedy = "; ".join(f"{_option(other)} would give {_range(ordered, other)}" for other in likely)
    else:
        remedy = f"right if no face is in it; --temp_preset {NO_TEMPERATURES} if its numbers are no temperatures"
    few = (
        "hardly any pixel is as warm as skin" if skin < HARDLY_ANY else "most pixels are far from a face's surroundings"
    )
    return f"read as {unit.name}, it has {low:.1f} to {high:.1f} deg C, and {few}; {remedy}"


def doubt_about_face(celsius: np.ndarray, unit: str) -> str:
    """What speaks against the temperatures of a face; empty if nothing does.

    Args:
        celsius: (N,) deg C of the face's pixels.
        unit: name of the unit that they were read in.
    """
    warmest = float(np.percentile(celsius, 95)) if celsius.size else 0.0
    if warmest <= WARMEST_FACE:
        return ""
    fahrenheit = PRESETS["fahrenheit"].celsius(warmest)
    likely = unit == CELSIUS.name and 20 < fahrenheit <= WARMEST_FACE
    remedy = f"--temp_preset fahrenheit would make it {fahrenheit:.1f}" if likely else "--temp_preset says its unit"
    return f"the warmest part of the face in it is read as {warmest:.1f} deg C, which no face has; {remedy}"


def _option(unit: Unit) -> str:
    return "--temp_scale 1 (deg C)" if unit is CELSIUS else f"--temp_preset {unit.name}"


def _range(ordered: np.ndarray, unit: Unit) -> str:
    low, high = (unit.celsius(value) for value in np.percentile(ordered, (1, 99)))
    return f"{low:.1f} to {high:.1f} deg C"
