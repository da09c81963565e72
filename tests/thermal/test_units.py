"""What integers mean, over the scenes that cameras see: the right unit or none, whatever else is in the frame."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.thermal.units import CELSIUS, GUESSED, PRESETS, Unit, decide_unit
from lib.utils.errors import DataError

UNITS = [
    *(CELSIUS, *PRESETS.values(), Unit("tenths of a deg F", 0.1 / 1.8, -32 / 1.8)),
    *(Unit("hundredths of a deg F", 0.01 / 1.8, -32 / 1.8), Unit("fiftieths of a kelvin", 0.02, -273.15)),
]
NAMES = [unit.name for unit in UNITS]
HEIGHT, WIDTH = 48, 64


def drawn_face(
    room: float = 21, skin: float = 33.5, size: float = 0.3, spread: float = 1.2, seed: int = 0
) -> np.ndarray:
    """(48, 64) deg C: a room that is warmer at the top, hair, a face with a cold nose and warm eyes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / np.array([HEIGHT, WIDTH]).reshape(2, 1, 1)
    radius = np.hypot((y - 0.5) / 1.2, (x - 0.5) * WIDTH / HEIGHT) / np.sqrt(size / np.pi)
    celsius = room + 1 - 2 * y
    celsius = np.where(radius < 1.15, (room + skin) / 2, celsius)
    celsius = np.where(radius < 1, skin + spread * np.cos(3 * radius + 2 * y), celsius)
    celsius = np.where(radius < 0.15, skin - 2 * spread, celsius)
    return celsius + rng.normal(0, 0.08, celsius.shape)


def with_object(celsius: np.ndarray, temperature: float, share: float, top: float = 0.0) -> np.ndarray:
    """The frame with rows at one side, ``share`` of all, in an object of ``temperature`` deg C."""
    columns = round(share * WIDTH)
    left = round(top * (WIDTH - columns))
    celsius = celsius.copy()
    celsius[:, left : left + columns] = temperature + np.linspace(-1, 1, HEIGHT)[:, None]
    return celsius


def stored(celsius: np.ndarray, unit) -> np.ndarray:
    return np.round((celsius - unit.offset) / unit.scale).astype(np.int64)


faces = st.builds(
    drawn_face,
    room=st.floats(-10, 27),
    skin=st.floats(32, 35.5),
    size=st.floats(0.05, 0.6),
    spread=st.floats(0.3, 1.6),
    seed=st.integers(0, 999),
)
objects = st.builds(
    lambda temperature, share, top: (temperature, share, top),
    st.floats(-55, 15) | st.floats(45, 110) | st.floats(110, 380),
    st.floats(0, 0.4),
    st.floats(0, 0.3) | st.just(1.0),
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(face=faces, thing=objects)
def test_a_face_is_read_right_or_refused_whatever_hot_or_cold_object_is_beside_it(name, face, thing):
    unit = UNITS[NAMES.index(name)]
    celsius = with_object(face, *thing)
    assume(np.mean((celsius >= 28) & (celsius <= 40)) >= 0.02)  # the object leaves some of the face to be seen
    numbers = stored(celsius, unit)
    try:
        decided = decide_unit(numbers, "frame")
    except DataError:
        return
    assert np.abs(decided.celsius(numbers) - unit.celsius(numbers)).max() < 0.05


@given(face=faces, thing=objects, counts=st.floats(20, 60), at_zero=st.floats(6000, 9000))
def test_raw_counts_of_14_bits_are_never_temperatures(face, thing, counts, at_zero):
    with pytest.raises(DataError, match="--temp_preset none"):
        decide_unit(np.round(at_zero + counts * with_object(face, *thing)).astype(np.int64), "frame")


@pytest.mark.parametrize("unit", GUESSED, ids=lambda unit: unit.name)
@pytest.mark.parametrize("room", [12, 19, 24])
@pytest.mark.parametrize("things", [(), ((60, 0.015),), ((-30, 0.05),), ((60, 0.015), (-30, 0.05))], ids=str)
def test_a_hot_cup_and_a_cold_sky_do_not_change_the_answer(unit, room, things):
    face = drawn_face(room)
    for index, (temperature, share) in enumerate(things):
        face = with_object(face, temperature, share, float(index))
    assert decide_unit(stored(face, unit), "frame") is unit


@pytest.mark.parametrize("name", ["centikelvin", "centi_celsius"])
@pytest.mark.parametrize("thing", [(300, 0.4, 1.0), (60, 0.05, 1.0), (-20, 0.12, 0.0)], ids=str)
def test_larger_objects_do_not_change_the_usual_units_either(name, thing):
    numbers = stored(with_object(drawn_face(20, size=0.15), *thing), PRESETS[name])
    assert decide_unit(numbers, "frame") is PRESETS[name]


@pytest.mark.parametrize("unit", GUESSED, ids=lambda unit: unit.name)
@pytest.mark.parametrize(("wall", "skin"), [(19, 34), (22, 35), (15, 32), (24, 35)])
def test_usual_scenes_are_told(unit, wall, skin):
    assert decide_unit(stored(np.where(np.arange(500) < 150, skin, wall), unit), "frame") is unit


@pytest.mark.parametrize("name", ["milli_celsius", "kelvin", "flir_tlinear_high", "fahrenheit"])
def test_units_that_are_never_guessed_are_refused(name):
    with pytest.raises(DataError, match=f"{name}.*--temp_preset.*{name} "):
        decide_unit(stored(drawn_face(), PRESETS[name]), "frame")


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(15000 + 100 * drawn_face(24), id="counts_of_a_flir"),
        pytest.param(6200 + 40 * drawn_face(24), id="counts_of_14_bits"),
        pytest.param(np.clip(8 * (drawn_face() - 15), 0, 255), id="grey_levels"),
        pytest.param(np.linspace(0, 65535, 500), id="stretched"),
        pytest.param(100 * (np.full(500, 30) + 273.15), id="no_contrast"),
        pytest.param(100 * (drawn_face() - 15 + 273.15), id="nobody"),
    ],
)
def test_raw_counts_grey_levels_and_empty_scenes_are_refused_with_the_remedies(numbers):
    with pytest.raises(DataError) as caught:
        decide_unit(np.round(numbers).astype(np.int64), "frame.png")
    message = str(caught.value)
    assert message.startswith("frame.png: ")
    assert all(name in message for name in (*PRESETS, "--temp_preset none", "raw counts"))


def test_where_two_units_qualify_both_are_named():
    warm_room = drawn_face(27, skin=31, spread=1.2, size=0.4)
    with pytest.raises(DataError, match="possible are .*(decikelvin and centi_celsius|centi_celsius and decikelvin)"):
        decide_unit(stored(warm_room, PRESETS["centi_celsius"]), "frame")


@given(low=st.integers(0, 65535), span=st.integers(0, 65535))
def test_a_decision_is_always_a_scene_with_skin(low, span):
    numbers = np.linspace(low, min(low + span, 65535), 200).astype(np.int64)
    try:
        unit = decide_unit(numbers, "frame")
    except DataError:
        return
    celsius = unit.celsius(numbers)
    assert np.mean((celsius >= 28) & (celsius <= 40)) >= 0.02
    assert np.mean((celsius >= -25) & (celsius <= 50)) >= 0.55
