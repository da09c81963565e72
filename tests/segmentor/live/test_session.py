"""A live view shows the newest frame, drops what it has no time for, and stands still when it is told to."""

import threading
import time

import cv2
import numpy as np

from lib.utils.errors import DataError
from lib.vis.palette import palette_of
from segmentor.live.session import KEPT, LiveSession
from tests.segmentor.live.conftest import Played, face, find


def until(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_frame_is_shown_with_masks_and_what_was_measured(played, session):
    played.put(face())
    shown = session.newest(0, 5)
    assert (shown.number, shown.source.name) == (1, "frame1")
    picture = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] / picture.shape[1] == 48 / 64
    assert np.ptp(picture.astype(int), axis=2).max() > 40  # colours over the grey
    content = session.result(shown)
    assert [region["name"] for region in content["regions"]] == ["face", "nose", "nostrils", "nose tip"]
    assert [content["regions"][index]["mean"] for index in (0, 1)] == [34.0, 32.0]
    assert session.newest(1, 0.01) is None


def test_frames_that_come_while_the_network_is_busy_are_dropped_and_counted():
    busy, go_on = threading.Event(), threading.Event()

    def slow(name, frame):
        busy.set()
        assert go_on.wait(5)
        return find(name, frame)

    played = Played()
    with LiveSession(played.source, slow, palette_of(3)) as session:
        played.put(face(31))
        assert busy.wait(5)
        played.put(*(face(31 + index / 10) for index in range(1, 6)), None)
        until(lambda: session.state()["dropped"] == 4)
        go_on.set()
        until(lambda: session.state()["frames"] == 2)
        assert session.newest(0, 5).source.name == "frame6"
        assert session.state()["state"] == "the source has ended"


def test_while_paused_the_frame_stays_and_what_passes_is_not_counted_as_dropped(played, session):
    played.put(face())
    session.newest(0, 5)
    session.pause(True)
    for _ in range(3):
        played.put(face(33))
        time.sleep(0.01)
    assert session.newest(1, 0.05) is None
    assert session.state()["paused"]
    dropped = session.state()["dropped"]
    session.pause(False)
    played.put(face(32))
    assert session.newest(1, 5).source.name == "frame5"
    assert dropped == 0


def test_a_file_stands_still_while_paused():
    played = Played(waits=True)
    with LiveSession(played.source, find, palette_of(3)) as session:
        played.put(face())
        session.newest(0, 5)
        session.pause(True)
        played.put(face(33), face(32), None)
        assert session.newest(1, 0.05) is None
        session.pause(False)
        until(lambda: session.state()["state"] == "the source has ended")
        until(lambda: session.state()["frames"] + session.state()["dropped"] == 3)


def test_results_can_be_asked_for_until_they_have_gone(played, session):
    for index in range(KEPT + 1):
        played.put(face())
        session.newest(index, 5)
    assert session.recent(1) is None
    assert session.recent(2).number == 2


def test_what_stops_a_source_is_said(played, session):
    played.put(face(), DataError("camera 0: gives no frames any more"))
    until(lambda: session.state()["failed"])
    assert session.state()["state"] == "camera 0: gives no frames any more"


def test_what_stops_the_network_is_said():
    def broken(name, frame):
        raise RuntimeError("out of memory")

    played = Played()
    with LiveSession(played.source, broken, palette_of(3)) as session:
        played.put(face())
        until(lambda: session.state()["failed"])
        assert session.state()["state"] == "out of memory"
        played.put(None)
