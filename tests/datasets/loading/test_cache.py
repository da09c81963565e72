"""The cache: frames come back as they went in, from one memory for all processes, within its bound."""

import fcntl
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.loading.cache import FrameCache

SIZE = (20, 24)


def frame_of(index: int, shape: tuple[int, ...] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(index)
    return rng.random(shape, np.float32), rng.integers(0, 255, shape[:2], np.uint8)


def assert_frame(kept: tuple, index: int, shape: tuple[int, ...] = SIZE) -> None:
    for mine, yours in zip(kept, frame_of(index, shape), strict=True):
        assert mine.dtype == yours.dtype
        np.testing.assert_array_equal(mine, yours)


@given(
    sizes=st.lists(st.none() | st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=1, max_size=12),
    channels=st.integers(1, 3),
    max_bytes=st.integers(0, 1500),
)
def test_what_fits_comes_back_and_the_rest_is_not_kept(sizes, channels, max_bytes):
    cache = FrameCache(sizes, channels, True, max_bytes)
    shapes = [size and size + (() if channels == 1 else (channels,)) for size in sizes]
    for index, shape in enumerate(shapes):
        assert cache.get(index) is None
        if shape:
            cache.put(index, *frame_of(index, shape))
    kept = [index for index in range(len(sizes)) if cache.get(index) is not None]
    for index in kept:
        assert_frame(cache.get(index), index, shapes[index])
    assert len(kept) == cache.count
    values = sum(int(np.prod(shapes[index])) * 4 + int(np.prod(sizes[index])) for index in kept)
    assert not kept or values <= cache.nbytes <= max_bytes
    largest = max((5 * channels * size[0] * size[1] for size in sizes if size), default=0)
    assert cache.count == sum(size is not None for size in sizes) or cache.nbytes + largest + 4 > max_bytes


def test_kept_frames_cannot_be_changed_and_are_kept_once():
    cache = FrameCache([SIZE], 1, True, 1e6)
    cache.put(0, *frame_of(0))
    cache.put(0, *frame_of(1))
    assert_frame(cache.get(0), 0)
    for array in cache.get(0):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    assert np.shares_memory(cache.get(0)[0], cache.get(0)[0])


def test_frames_without_labels_come_back_without():
    cache = FrameCache([SIZE], 1, False, 1e6)
    cache.put(0, frame_of(0)[0], None)
    image, label = cache.get(0)
    np.testing.assert_array_equal(image, frame_of(0)[0])
    assert label is None


def test_memory_is_taken_as_it_is_filled():
    before = _shared_kilobytes()
    cache = FrameCache([(1000, 1000)] * 1000, 1, True, 5.1e9)
    assert cache.count == 1000
    assert cache.get(999) is None
    assert _shared_kilobytes() - before < 1000
    cache.put(500, *frame_of(0, (1000, 1000)))
    assert 4000 < _shared_kilobytes() - before < 10000


def _shared_kilobytes() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("needs /proc to see the memory of a process")
    return int(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("RssShmem")))


def fill_and_check(cache: FrameCache, number: int, rounds: int, results) -> None:
    """Put and get all frames in an order of its own; tells whether all that came back was whole."""
    rng = np.random.default_rng(number)
    whole, missing = True, 0
    for _ in range(rounds):
        for index in rng.permutation(40).tolist():
            kept = cache.get(index)
            if kept is None:
                missing += 1
                cache.put(index, *frame_of(index))
            else:
                whole &= all(np.array_equal(*pair) for pair in zip(kept, frame_of(index), strict=True))
    results.put((whole, missing))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_fill_one_memory_together(method):
    context = multiprocessing.get_context(method)
    cache = FrameCache([SIZE] * 40, 1, True, 1e6)
    cache.put(0, *frame_of(0))
    results = context.Queue()
    processes = [context.Process(target=fill_and_check, args=(cache, number, 3, results)) for number in range(2)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert all(whole for whole, _ in found)
    assert sum(missing for _, missing in found) < 60  # what one has read, the others need not
    for index in range(40):
        assert_frame(cache.get(index), index)


def fill_half_and_die(cache: FrameCache) -> None:
    def half_a_frame(index: int):
        image, label = views(index)
        image[: SIZE[0] // 2] = 1
        os.kill(os.getpid(), 9)

    views, cache._views = cache._views, half_a_frame
    cache.put(0, *frame_of(0))


def test_what_a_killed_process_left_half_filled_is_filled_by_another():
    cache = FrameCache([SIZE], 1, True, 1e6)
    process = multiprocessing.get_context("fork").Process(target=fill_half_and_die, args=(cache,))
    process.start()
    process.join()
    assert process.exitcode == -9
    assert cache.get(0) is None
    cache.put(0, *frame_of(0))
    assert_frame(cache.get(0), 0)


def hold(cache: FrameCache, held, seen) -> None:
    with cache._locked(0, fcntl.LOCK_EX):
        held.set()
        seen.wait(60)


def test_a_frame_that_is_being_filled_is_left_alone():
    context = multiprocessing.get_context("fork")
    cache, held, seen = FrameCache([SIZE] * 2, 1, True, 1e6), context.Event(), context.Event()
    process = context.Process(target=hold, args=(cache, held, seen))
    process.start()
    assert held.wait(60)
    for index in range(2):
        cache.put(index, *frame_of(index))
    found = [cache.get(index) is not None for index in range(2)]
    seen.set()
    process.join()
    assert found == [False, True]
    assert cache.get(0) is None
