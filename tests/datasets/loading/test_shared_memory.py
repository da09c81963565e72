"""Workers read ahead; where they can't hand their batches over, the run ends with the remedy and waits for nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.datasets.loading import loader as loading
from lib.datasets.loading import shared_memory
from lib.datasets.loading.loader import BatchLoader
from lib.utils.errors import DataError

ROOT = Path(__file__).resolve().parents[3]
MB = 10**6


class Frames:
    """What a loader needs to know of a data set."""

    cache = None

    def __len__(self):
        return 4


def endless(keys):
    return {"image": torch.zeros(2, 3), "name": keys}


def unpicklable_value(keys):
    return {"image": torch.zeros(2), "name": lambda: None}


def unpicklable_error(keys):
    class Local(Exception):
        pass

    raise Local("local")


def dies(keys):
    os._exit(3)


def killed(keys):
    os.kill(os.getpid(), 9)


def leaves(keys):
    raise SystemExit(4)


def out_of_memory(keys):
    raise MemoryError("no memory")


def leaves_a_mark(folder, keys):
    (folder / str(keys[0])).touch()
    return {"image": torch.zeros(2), "name": keys}


def large(keys):
    return {"image": torch.zeros(2), "frame": [np.zeros(MB)]}  # which doesn't fit into a pipe


def loader_of(read, **options):
    return BatchLoader(read, [[0], [1], [2]], 2, False, Frames(), **options)


@pytest.mark.parametrize("read", [unpicklable_value, unpicklable_error, dies, killed, leaves])
def test_whatever_ends_a_worker_ends_the_iteration(read):
    with pytest.raises(DataError, match=r"process that loads frames has ended[\s\S]*--workers 0"):
        list(loader_of(read))


def test_an_exception_arrives_as_it_was_raised():
    with pytest.raises(MemoryError, match="no memory"):
        list(loader_of(out_of_memory))


def test_workers_that_were_begun_read_before_a_batch_is_asked_for(tmp_path):
    loader = loader_of(partial(leaves_a_mark, tmp_path))
    loader.begin()
    end = time.monotonic() + 60
    while not (tmp_path / "0").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    for _ in range(2):  # and again from the start
        assert [batch["name"] for batch in loader] == [[0], [1], [2]]


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="its workers can't wait for a parent's signal or death")
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_workers_end_with_a_parent_that_is_killed(method):
    script = f"""
import multiprocessing, os, signal, time
from {__name__} import large, loader_of
multiprocessing.set_start_method("{method}")
batches = iter(loader_of(large))
next(batches)
print(len(multiprocessing.active_children()), flush=True)
time.sleep(1)  # until they have read all that they may read ahead
os.kill(os.getpid(), signal.SIGKILL)
"""
    # Its output ends with the last process that has inherited it: workers that live on are a timeout.
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert int(killed.stdout) >= 1


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_workers_say_nothing_of_a_parent_that_is_killed_while_it_takes_a_batch(method):
    script = f"""
import multiprocessing, multiprocessing.connection, os, signal, time
from {__name__} import endless, loader_of
multiprocessing.set_start_method("{method}")
batches = iter(loader_of(endless))

def die(connection, key):
    time.sleep(0.5)  # until the worker waits for the answer to what it has sent
    os.kill(os.getpid(), signal.SIGKILL)

multiprocessing.connection.answer_challenge = die
next(batches)
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert "Traceback" not in killed.stderr


def test_a_batch_that_finds_no_room_is_an_error_with_the_remedy(monkeypatch):
    def full(self):
        raise RuntimeError("unable to allocate shared memory(shm): No space left on device (28)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    with pytest.raises(DataError, match=r"No space left.*--shm-size.*--workers 0"):
        list(loader_of(endless))


def test_too_little_is_found_before_the_first_batch(monkeypatch):
    monkeypatch.setattr(loading, "available_cores", lambda: 8)
    monkeypatch.setattr(shared_memory, "free_shared_memory", lambda: 64 * MB)
    with pytest.raises(DataError, match=r"64 MB left.*2 loading processes take up to 100 MB.*--shm-size.*--workers 0"):
        loader_of(endless, batch_bytes=20 * MB)
    with pytest.raises(DataError, match="up to 70 MB"):
        loader_of(endless, batch_bytes=10 * MB, taken_bytes=20 * MB)
    assert loader_of(endless, batch_bytes=10 * MB).shared_bytes == 50 * MB
    assert BatchLoader(endless, [[0]], 0, False, Frames(), batch_bytes=100 * MB).shared_bytes == 0
    monkeypatch.setattr(shared_memory, "free_shared_memory", lambda: None)
    loader_of(endless, batch_bytes=1000 * MB)


def test_the_size_of_batches_is_that_of_their_tensors(make_config):
    config = make_config("data.workers=1")
    for loader in (build_train_loader(config), build_eval_loader(config)):
        batch = next(iter(loader))
        held = sum(value.nbytes for value in batch.values() if isinstance(value, torch.Tensor))
        assert loader.shared_bytes == 3 * held


@pytest.mark.skipif(not shutil.which("unshare") or os.geteuid() != 0, reason="mounts a file system")
def test_a_training_with_a_small_dev_shm_ends_within_seconds(make_config, tmp_path):
    make_config("data.workers=2")
    command = (
        f"mount -t tmpfs -o size=64k tmpfs /dev/shm && exec {sys.executable} main.py --configs {tmp_path}/discs.yaml"
    )
    script = ["unshare", "-m", "bash", "-c", f"{command} --workers 2"]
    result = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if "Operation not permitted" in result.stderr or "permission denied" in result.stderr:
        pytest.skip("may not mount")
    assert result.returncode == 1
    assert "--shm-size" in result.stderr
    assert "--workers 0" in result.stderr
