"""Videos: there once they are whole."""

import logging

import cv2
import numpy as np
import pytest

from lib.vis import video
from lib.vis.video import VideoFile


def picture(level, height=48, width=64):
    return np.full((height, width, 3), level, np.uint8)


def read(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        found, frame = capture.read()
        if not found:
            return capture.get(cv2.CAP_PROP_FPS), frames
        frames.append(frame[:, :, ::-1])


def test_pictures_come_back_in_order_and_colour(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)] * 4
    with VideoFile(tmp_path / "new" / "v.mp4", 7.5) as file:
        for colour in colours:
            file.write(picture(0) + np.array(colour, np.uint8))
    fps, frames = read(tmp_path / "new" / "v.mp4")
    assert fps == pytest.approx(7.5)
    assert len(frames) == len(colours)
    for frame, colour in zip(frames, colours, strict=True):
        assert frame.shape == (48, 64, 3)
        np.testing.assert_allclose(frame.mean((0, 1)), colour, atol=12)


def test_other_sizes_are_fitted_and_odd_ones_made_even(tmp_path):
    with VideoFile(tmp_path / "v.mp4", 10) as file:
        for size in ((47, 63), (100, 20), (10, 12), (480, 640)):
            file.write(picture(200, *size))
    frames = read(tmp_path / "v.mp4")[1]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 4
    assert frames[3].mean() > 180  # of the same shape, larger: fills it
    for index in (1, 2):  # black beside them
        assert frames[index][24, 32].mean() > 150
        assert frames[index][24, 2].mean() < 30


def test_while_it_is_written_there_is_no_file_under_its_name(tmp_path):
    path = tmp_path / "v.mp4"
    with VideoFile(path, 10) as file:
        for level in range(5):
            file.write(picture(level))
        assert not path.exists()
        assert all(entry.name.startswith(".") for entry in tmp_path.iterdir())
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4"]


def write_and_fail(path):
    with VideoFile(path, 10) as file:
        for level in range(5):
            file.write(picture(level))
        raise RuntimeError


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        write_and_fail(tmp_path / "v.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pictures_are_no_video(count, tmp_path):
    with VideoFile(tmp_path / "v.mp4", 10) as file:
        for _ in range(count):
            file.write(picture(0))
    assert not list(tmp_path.iterdir())


def test_without_an_encoder_a_warning_says_so_once(tmp_path, monkeypatch, capfd):
    said, handler = [], logging.Handler()
    handler.emit = said.append
    monkeypatch.setattr(video.logger, "handlers", [handler])
    monkeypatch.setattr(video, "CODECS", ("nope",))
    with VideoFile(tmp_path / "v.mp4", 10) as file:
        for level in range(4):
            file.write(picture(level))
    assert len(said) == 1
    assert "can't write videos" in said[0].getMessage()
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""
