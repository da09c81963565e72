"""Frames whose numbers are hardly the deg C of a face: a warning with the likelier unit, or a refusal."""

import logging

import numpy as np
import pytest

from lib.thermal import PRESETS, FrameReader, Reading, read_thermal
from lib.thermal.plausibility import doubt_about_face, doubt_about_frame
from lib.thermal.units import CELSIUS
from lib.utils.errors import DataError
from tests.thermal.files import csv_text, npy, scene


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"), [("a.npy", npy(scene() * 1.8 + 32)), ("a.csv", csv_text(scene() * 1.8 + 32))]
)
def test_deg_f_that_are_not_said_are_warned_of_and_read_when_named(write, caplog, name, content):
    path = write(name, content)
    with caplog.at_level(logging.WARNING, "samcl"):
        read_thermal(path)
    assert f"{path}: read as deg C" in caplog.text
    assert "hardly any pixel is as warm as skin; --temp_preset fahrenheit would give 19" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "samcl"):
        frame = read_thermal(path, Reading(preset="fahrenheit"))
    assert np.abs(frame.values - scene()).max() < 0.001
    assert not caplog.text


def test_a_reader_warns_once(write, caplog):
    reader = FrameReader()
    with caplog.at_level(logging.WARNING, "samcl"):
        for index in range(3):
            reader.read(write(f"{index}.npy", npy(scene() * 1.8 + 32)))
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("numbers", "likely"),
    [
        (10 * scene(), "--temp_preset deci_celsius"),
        (scene() * 1.8 + 32, "--temp_preset fahrenheit"),
        (scene() - 30, "right if no face is in it; --temp_preset none"),
        (scene() / 300, "--temp_preset none"),
        (np.linspace(0.5, 250, 768).reshape(24, 32), "--temp_preset none"),
    ],
)
def test_the_likelier_unit_is_named(numbers, likely):
    assert likely in doubt_about_frame(numbers, numbers, CELSIUS)


def test_deg_c_taken_for_something_else_is_found():
    fahrenheit = PRESETS["fahrenheit"]
    assert "--temp_scale 1 (deg C) would give 19" in doubt_about_frame(fahrenheit.celsius(scene()), scene(), fahrenheit)


@pytest.mark.parametrize("object_at", [-40, 60, 300])
@pytest.mark.parametrize("size", [(24, 32), (240, 320), (512, 640)])
def test_faces_with_hot_and_cold_objects_are_not_doubted(object_at, size):
    celsius = scene(0, *size)
    celsius[:, : size[1] // 4] = object_at
    assert doubt_about_frame(celsius, celsius, CELSIUS) == ""


@pytest.mark.parametrize("high", [1, 255])
def test_scaled_grey_levels_are_refused_unless_it_is_said_what_they_are(write, high):
    scaled = (scene() - scene().min()) / np.ptp(scene()) * np.float32(high)
    path = write("a.npy", npy(scaled))
    with pytest.raises(DataError, match=f"exactly from 0 to {high}.*--temp_preset none.*--temp_scale 1"):
        read_thermal(path)
    assert not read_thermal(path, Reading(preset="none")).radiometric
    assert (read_thermal(path, Reading(scale=1)).values == scaled).all()


def test_a_face_above_45_deg_c_is_doubted():
    assert doubt_about_face(scene(), "deg C") == ""
    assert doubt_about_face(np.zeros(0), "deg C") == ""
    text = doubt_about_face(np.full(50, 93.2), "deg C")
    assert "93.2 deg C" in text
    assert "--temp_preset fahrenheit would make it 34.0" in text
    assert "--temp_preset says its unit" in doubt_about_face(np.full(50, 93.2), "centikelvin")
