"""What integers mean, over the scenes that cameras see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.thermal import PRESETS
from lib.thermal.units import CELSIUS, decide_unit
from lib.utils.errors import DataError


@st.composite
def indoor_scenes(draw):
    """deg C of a person of 31 to 37 deg C before something of 12 to 26."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wall, skin = draw(st.floats(12, 26)), draw(st.floats(31, 37))
    share = draw(st.floats(0.1, 0.9))
    return np.where(rng.random(500) < share, skin, wall) + rng.normal(0, 0.2, 500)


@pytest.mark.parametrize("name", PRESETS)
@given(celsius=indoor_scenes())
def test_indoor_scenes_with_a_person_are_never_mistaken(name, celsius):
    unit = PRESETS[name]
    counts = np.round((celsius - unit.offset) / unit.scale).astype(np.int64)
    try:
        decided = decide_unit(counts, "frame")
    except DataError:
        return  # unclear is allowed, wrong is not
    assert decided is unit


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("wall", "skin"), [(19, 34), (22, 35), (15, 32), (24, 35)])
def test_usual_scenes_are_told(name, wall, skin):
    unit = PRESETS[name]
    celsius = np.where(np.arange(500) < 150, skin, wall)
    assert decide_unit(np.round((celsius - unit.offset) / unit.scale), "frame") is unit


def test_whole_degrees_are_told():
    assert decide_unit(np.where(np.arange(500) < 150, 34, 20), "frame") is CELSIUS


@given(
    low=st.integers(0, 65535),
    span=st.integers(0, 65535),
)
def test_a_decision_is_always_a_scene(low, span):
    counts = np.linspace(low, min(low + span, 65535), 200)
    try:
        unit = decide_unit(counts, "frame")
    except DataError as error:
        assert all(name in str(error) for name in PRESETS)  # noqa: PT017
        return
    celsius = unit.celsius(np.percentile(counts, (1, 99)))
    assert -20 <= celsius[0] <= celsius[1] - 1 <= 49
