"""How a prediction shares the cores: no more threads compute than were allowed, whatever the device."""

import threading

import numpy as np
import pytest
import torch

from lib.thermal import ThermalFrame
from segmentor.prediction.pipeline import MAX_WORKERS, PreparedFrame, batches_of, plan_pipeline, prefetched


@pytest.fixture
def threads():
    """Sets PyTorch's threads; puts them back in the end."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("cores", [1, 2, 7, 24])
def test_workers_on_a_cpu_compute_with_all_cores_and_no_more(threads, cores):
    threads(cores)
    pipeline = plan_pipeline(torch.device("cpu"), 16)
    assert pipeline.workers == min(cores, MAX_WORKERS)
    assert cores / 2 < pipeline.workers * pipeline.threads <= cores
    with pipeline.computing():
        assert torch.get_num_threads() == pipeline.threads
    assert torch.get_num_threads() == cores


def test_batches_are_as_large_as_asked_for_and_no_larger_than_a_cpu_likes():
    sizes = [plan_pipeline(torch.device(kind), size).batch_size for kind in ("cpu", "cuda") for size in (1, 16)]
    assert sizes == [1, 4, 1, 16]


def test_a_gpus_network_has_one_batch_at_a_time():
    turn = plan_pipeline(torch.device("cuda"), 16).network_turn
    with turn:
        assert not turn.acquire(blocking=False)


def frames(*sizes):
    thermal = ThermalFrame(np.zeros((2, 2), np.float32), True, "")
    return [PreparedFrame(str(index), index, thermal, torch.zeros(1, *size), None) for index, size in enumerate(sizes)]


def test_batches_hold_frames_of_one_shape_in_order():
    small, large = (2, 2), (4, 2)
    batches = list(batches_of(frames(small, small, small, large, small, small), 2))
    assert [[frame.position for frame in batch] for batch in batches] == [[0, 1], [2], [3], [4, 5]]


def test_what_is_fetched_ahead_comes_in_order_from_a_started_thread():
    started, fetched = [], []

    def items():
        for index in range(9):
            fetched.append(threading.get_ident())
            yield index

    assert list(prefetched(items(), 3, lambda: started.append(threading.get_ident()))) == list(range(9))
    assert set(fetched) == set(started) != {threading.get_ident()}
