"""A lock keeps other processes out for as long as its process lives, and not a moment longer."""

import os
import signal
import subprocess
import sys

import pytest

from lib.utils.errors import CheckpointError, OutputError
from lib.utils.lock import RunLock

HOLD = """
import os, sys, time
from pathlib import Path
from lib.utils.lock import RunLock
lock = RunLock(Path(sys.argv[1]), "the run")
if os.fork() == 0:
    time.sleep(60)  # as a worker process that outlives its parent for a while
    sys.exit()
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process, with a child, that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    process.stdout.readline()
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_second_process_is_refused_and_told_of_the_first(tmp_path, holder):
    with pytest.raises(
        CheckpointError, match=rf"the run is being written by process {holder.pid} on \S+; .*another name"
    ):
        RunLock(tmp_path / "lock", "the run")


def test_a_killed_process_leaves_no_lock_behind_although_its_children_live(tmp_path, holder):
    holder.kill()
    holder.wait()
    RunLock(tmp_path / "lock", "the run").release()


def test_a_released_lock_lets_others_in(tmp_path):
    lock = RunLock(tmp_path / "new" / "lock", "the run")
    lock.release()
    lock.release()
    code = "import sys; from pathlib import Path; from lib.utils.lock import RunLock; RunLock(Path(sys.argv[1]), 'x')"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "new" / "lock")], check=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        RunLock(tmp_path / "file" / "lock", "the run")


def test_a_withdrawn_lock_leaves_neither_file_nor_folders(tmp_path):
    lock = RunLock(tmp_path / "new" / "er" / "lock", "the run")
    (tmp_path / "new" / "mine").touch()
    lock.withdraw()
    lock.withdraw()
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "mine"]
    RunLock(tmp_path / "lock", "the run").release()
    RunLock(tmp_path / "lock", "the run").withdraw()
    assert (tmp_path / "lock").exists()


def test_who_waits_for_a_withdrawn_file_locks_a_new_one(tmp_path, monkeypatch):
    first, opened = RunLock(tmp_path / "lock", "the run"), os.open

    def open_and_let_go(path, *flags):
        file = opened(path, *flags)
        first.withdraw()
        return file

    monkeypatch.setattr(os, "open", open_and_let_go)
    RunLock(tmp_path / "lock", "the run").release()
    assert (tmp_path / "lock").exists()
