"""Frames without a file: raw numbers on a stream, and a camera that the tests play."""

import io

import cv2
import numpy as np
import pytest

from lib.thermal import Reading, streams
from lib.thermal.streams import camera_frames, raw_frames, thermal_frames
from lib.utils.errors import DataError


def face(celsius: float = 34.0) -> np.ndarray:
    """Hundredths of a kelvin of a warm disc in a room of 22 deg C; (48, 64) uint16."""
    rows, columns = np.mgrid[:48, :64]
    disc = (rows - 24) ** 2 + (columns - 32) ** 2 < 200
    return np.round(100 * (np.where(disc, celsius, 22.0) + 273.15)).astype(np.uint16)


def test_raw_frames_are_split_by_their_size_and_kind():
    first, second = np.arange(6, dtype="<u2").reshape(2, 3), np.arange(6, 12, dtype="<u2").reshape(2, 3)
    found = list(raw_frames(io.BytesIO(first.tobytes() + second.tobytes()), (3, 2), "uint16", "stream"))
    np.testing.assert_array_equal(found, [first, second])


def test_a_stream_that_ends_within_a_frame_says_what_it_lacks():
    frames = raw_frames(io.BytesIO(bytes(9)), (2, 2), "uint16", "standard input")
    next(frames)
    with pytest.raises(DataError, match=r"standard input: ends after 1 of the 8 bytes of a frame of 2x2"):
        next(frames)


def test_the_first_frame_decides_what_integers_mean_for_all():
    cold = np.full_like(face(), 27315 - 1000)  # nothing in it is as warm as a face
    frames = list(thermal_frames(iter([face(), cold]), "camera"))
    np.testing.assert_allclose(frames[0].values.max(), 34, atol=0.01)
    np.testing.assert_allclose(frames[1].values, -10, atol=0.01)
    assert all(frame.radiometric for frame in frames)


def test_what_was_said_about_the_unit_counts():
    frame = next(thermal_frames(iter([face()]), "camera", Reading(preset="none")))
    assert not frame.radiometric
    np.testing.assert_array_equal(frame.values, face())


def test_numbers_of_an_open_unit_are_refused_by_the_name_of_the_source():
    with pytest.raises(DataError, match="standard input"):
        next(thermal_frames(iter([np.full((48, 64), 7, np.uint16)]), "standard input"))


class Camera:
    """Stands for OpenCV's: what it has to give, and what it was asked for."""

    def __init__(self, frames, sixteen_bits=False, opened=True):
        self.frames, self.sixteen_bits, self.opened = iter(frames), sixteen_bits, opened
        self.released, self.settings = False, {}

    def isOpened(self):  # noqa: N802
        return self.opened

    def set(self, key, value):
        self.settings[key] = value
        return self.sixteen_bits

    def read(self):
        frame = next(self.frames, None)
        return frame is not None, frame

    def release(self):
        self.released = True


@pytest.fixture
def plug_in(monkeypatch):
    def plug(camera):
        monkeypatch.setattr(streams.cv2, "VideoCapture", lambda index: camera)
        return camera

    return plug


def test_counts_of_a_camera_come_as_they_are(plug_in):
    camera = plug_in(Camera([face()[..., None], None, face(35.0)], sixteen_bits=True))
    frames = camera_frames(0)
    np.testing.assert_array_equal(next(frames), face())
    np.testing.assert_array_equal(next(frames), face(35.0))  # one missed in between is no end
    assert camera.settings[cv2.CAP_PROP_CONVERT_RGB] == 0
    with pytest.raises(DataError, match="camera 0: gives no frames any more"):
        next(frames)
    assert camera.released


def test_pictures_of_a_camera_are_grey_levels(plug_in):
    grey = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    camera = plug_in(Camera([np.stack([grey] * 3, 2)]))
    np.testing.assert_array_equal(next(camera_frames(1)), grey)
    assert cv2.CAP_PROP_CONVERT_RGB not in camera.settings


def test_a_camera_that_is_not_there_is_named(plug_in):
    camera = plug_in(Camera([], opened=False))
    with pytest.raises(DataError, match="camera 3: can't be opened"):
        camera_frames(3)
    assert camera.released
