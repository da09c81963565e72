"""Work in the background: bounded, in order where it should be, its errors are heard. Masks as benchmarks take them."""

import threading
import time

import numpy as np
import pytest

from lib.datasets.labels import read_label
from lib.utils.config import load_config
from lib.utils.manifest import Manifest
from segmentor.evaluation.frame_files import Background, FrameFiles


@pytest.mark.parametrize("threads", [1, 3])
def test_at_most_so_much_is_unfinished(threads):
    unfinished, worst, lock = 0, 0, threading.Lock()

    def work():
        nonlocal unfinished
        time.sleep(0.002)
        with lock:
            unfinished -= 1

    with Background(threads, max_pending=4) as background:
        for _ in range(40):
            with lock:
                unfinished += 1
                worst = max(worst, unfinished)
            background.submit(work)
    assert unfinished == 0
    assert worst <= 5


def test_one_thread_keeps_the_order():
    done = []
    with Background(1, max_pending=3) as background:
        for index in range(30):
            background.submit(lambda index=index: (time.sleep(0.002 * (index % 2)), done.append(index)))
    assert done == list(range(30))


def run(count, fails_at, most):
    def work(index):
        if index == fails_at:
            raise OSError("disk full")

    with Background(2, most) as background:
        for index in range(count):
            background.submit(work, index)


@pytest.mark.parametrize("fails_at", [0, 9])
def test_an_error_is_raised_at_the_latest_at_the_end(fails_at):
    with pytest.raises(OSError, match="disk full"):
        run(10, fails_at, most=3)
    with pytest.raises(OSError, match="disk full"):
        run(10, fails_at, most=100)


def stop(done):
    with Background(1, max_pending=100) as background:
        for index in range(50):
            background.submit(lambda index=index: (time.sleep(0.05), done.append(index)))
        raise KeyboardInterrupt


def test_what_has_not_begun_is_dropped_where_an_error_ends_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt):
        stop(done)
    assert len(done) < 50


def test_every_thread_is_started_as_asked_for():
    started, used = [], set()
    with Background(2, 4, lambda: started.append(threading.get_ident())) as background:
        for _ in range(20):
            background.submit(lambda: (time.sleep(0.002), used.add(threading.get_ident())))
    assert used <= set(started)
    assert len(set(started)) == len(started)


@pytest.mark.parametrize("raw", [False, True])
def test_masks_hold_classes_or_the_values_of_label_files(tmp_path, raw):
    data = ["data.num_classes=3", "data.remap_classes=[-1,0,-1,1,1,2]"]
    config = load_config("", pairs=[*data, f"test.raw_labels={raw}", "test.save_vis=n"])[0]
    label = np.array([[0, 1, 2], [2, 2, 0]], np.uint8)
    FrameFiles(config, Manifest(tmp_path, "results")).write("a", np.zeros((2, 3), np.float32), label, None)
    expected = [[1, 3, 5], [5, 5, 1]] if raw else label.tolist()
    assert read_label(tmp_path / "label" / "a.png").tolist() == expected
