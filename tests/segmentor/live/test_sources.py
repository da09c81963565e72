"""Live sources: frames come in their own time, once each, and what can't be read stops nothing."""

import io
import logging
import threading
import time

import numpy as np
import pytest

from lib.thermal import Reading
from lib.utils.errors import DataError
from segmentor.live import sources
from segmentor.live.sources import open_source


def frame(celsius: float) -> np.ndarray:
    return np.full((6, 8), celsius, np.float32) + np.eye(6, 8, dtype=np.float32)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(sources, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(sources, "PATIENCE_SECONDS", 0.02)


def test_a_growing_folder_begins_with_its_newest_file_and_goes_on_with_each_that_comes(tmp_path, caplog):
    for index in (9, 10):
        np.save(tmp_path / f"frame{index}.npy", frame(20 + index))
    frames = open_source(str(tmp_path), Reading()).frames()
    assert next(frames).name == "frame10"
    (tmp_path / "frame11.npy").write_bytes(b"damaged")
    (tmp_path / "notes.txt").write_text("no frame")
    np.save(tmp_path / "frame12.npy", frame(32))
    with caplog.at_level(logging.WARNING, "samcl"):
        found = next(frames)
    assert found.name == "frame12"
    np.testing.assert_array_equal(found.frame.values, frame(32))
    assert "frame11.npy" in caplog.text


def test_a_file_that_is_still_being_written_is_read_when_it_is_whole(tmp_path):
    content = io.BytesIO()
    np.save(content, frame(30))
    path, half = tmp_path / "frame.npy", len(content.getvalue()) // 2
    path.write_bytes(content.getvalue()[:half])
    grown = threading.Timer(0.01, lambda: path.write_bytes(content.getvalue()))
    frames = open_source(str(tmp_path), Reading()).frames()
    grown.start()
    np.testing.assert_array_equal(next(frames).frame.values, frame(30))


def test_a_folder_that_vanishes_is_an_error(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    frames = open_source(str(folder), Reading()).frames()
    folder.rmdir()
    with pytest.raises(DataError, match="can't be read any more"):
        next(frames)


def test_a_file_is_played_at_its_rate_and_does_not_hurry_after_a_pause(tmp_path):
    np.save(tmp_path / "sequence.npy", np.stack([frame(20 + index) for index in range(6)]))
    source = open_source(str(tmp_path / "sequence.npy"), Reading(), fps=50)
    assert source.waits
    frames, start = source.frames(), time.monotonic()
    first = [next(frames) for _ in range(3)]
    assert time.monotonic() - start >= 0.04
    assert [found.seconds for found in first] == [0, 0.02, 0.04]
    time.sleep(0.1)
    next(frames)
    start = time.monotonic()
    assert [found.name for found in frames] == ["sequence_000004", "sequence_000005"]
    assert time.monotonic() - start >= 0.035


def test_standard_input_has_raw_frames_with_names_of_their_own():
    data = np.stack([frame(20), frame(30)])
    source = open_source("-", Reading(raw_size=(8, 6)), raw_kind="float32", stream=io.BytesIO(data.tobytes()))
    found = list(source.frames())
    np.testing.assert_array_equal([each.frame.values for each in found], data)
    assert all(each.name.startswith("stdin_") for each in found)


def test_a_number_is_a_camera_unless_a_file_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "camera_frames", lambda index: iter([frame(20 + index)]))
    source = open_source("2", Reading())
    assert (source.title, source.waits) == ("camera 2", False)
    np.testing.assert_array_equal(next(source.frames()).frame.values, frame(22))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2").mkdir()
    assert open_source("2", Reading()).title == "2"


def test_what_is_not_there_is_named():
    with pytest.raises(DataError, match=r"nowhere\.npy: no such file or folder"):
        open_source("nowhere.npy", Reading())
