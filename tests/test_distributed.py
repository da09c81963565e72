"""Several processes, started by torchrun: they compute what one does, write once, and end together."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from lib.metrics.history import read_history
from lib.utils.checkpoint import load_checkpoint
from lib.utils.distributed import World, report_failure, run_under_torchrun
from lib.utils.errors import ConfigError, DataError
from lib.utils.runtime import Runtime, start_runtime
from scripts.small_run import prepare
from tests import two_processes
from tests.processes import run_once, run_twice
from tests.two_processes import BATCH, CASES, WHOLE

ROOT = Path(__file__).resolve().parent.parent
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
MARK = "SAMCL_TEST_JOB"
SECONDS = 240


def begin(*command) -> subprocess.Popen:
    """Start a command whose descendants can all be found by a mark in their environment."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", MARK: uuid.uuid4().hex}
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.mark = environment[MARK]
    return process


def end(process: subprocess.Popen) -> tuple[int, str, str]:
    """Wait for a command; its status and what it printed. None of its descendants is left."""
    try:
        out, err = process.communicate(timeout=SECONDS)
        assert not descendants(process)
    finally:
        for pid in [process.pid, *descendants(process)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    return process.returncode, out, err


def descendants(process: subprocess.Popen) -> dict[int, str]:
    """Process id and LOCAL_RANK, empty without, of all that carry the mark of ``process`` and are alive, but itself."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            entries = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:  # ended meanwhile, or not a process
            continue
        if f"{MARK}={process.mark}" in entries and alive and int(folder.name) != process.pid:
            found[int(folder.name)] = next((e[11:] for e in entries if e.startswith("LOCAL_RANK=")), "")
    return found


def frames(folder: Path, sizes: list[tuple[int, int]]) -> None:
    """Random labelled frames of the given (H, W) in ``folder/{image,label}``."""
    rng = np.random.default_rng(len(sizes))
    for part in ("image", "label"):
        (folder / part).mkdir(parents=True)
    for index, size in enumerate(sizes):
        np.save(folder / "image" / f"{index}.npy", rng.normal(25, 5, size).astype(np.float32))
        Image.fromarray(rng.integers(0, 2, size, dtype=np.uint8)).save(folder / "label" / f"{index}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Frames to train on, a set that two processes can't share evenly, and one that leaves nothing for the second."""
    folder = tmp_path_factory.mktemp("two")
    prepare(folder)
    frames(folder / "uneven", [(32, 40), (32, 40), (48, 40), (32, 40), (32, 56)])
    frames(folder / "single", [(32, 40)])
    return folder


def training(folder: Path, name: str, iterations: int, *more: str) -> tuple:
    """The arguments of a run of network ``plain`` whose losses don't depend on how batches are shared out."""
    return (
        *(folder, "--configs", folder / "small_run.yaml", "--phase", "train"),
        *("--model_name", "plain", "--loss_type", "fs_ce_loss", *WHOLE, f"train.batch_size={BATCH}"),
        *("--checkpoints_name", name, "--max_iters", iterations, "lr.lr_policy=step", "solver.test_interval=5"),
        *("--log_to_file", "y", "--log_file", folder / "logs" / f"{name}.log", "--rewrite", "n", *more),
    )


@pytest.fixture(scope="module")
def shared_run(folder) -> tuple[int, str, str]:
    """The end of a run of 6 iterations that torchrun started."""
    return end(begin(*TORCHRUN, "-m", "tests.two_processes", *map(str, training(folder, "shared", 6))))


@pytest.fixture(scope="module")
def found(folder) -> list[dict]:
    """What each of two processes has found."""
    run_twice(two_processes.compare, folder)
    return [torch.load(folder / f"compare_{rank}.pth", weights_only=True) for rank in (0, 1)]


def alone(folder, name, rank=0, batch=None):
    """The same step in this process, on the whole batch or what process ``rank`` would get of it."""
    config = two_processes.config_of(folder, name)
    with start_runtime(config) as runtime:
        return two_processes.one_step(config, Runtime(runtime.device, None, World(rank=rank)), batch)


def half(batch, rank):
    """The share of process ``rank`` of two."""
    return {name: values[rank * BATCH // 2 : (rank + 1) * BATCH // 2] for name, values in batch.items()}


def assert_close(gradients, expected):
    """To a millionth of the largest gradient, or of 1 where that is more."""
    assert gradients.keys() == expected.keys()
    scale = max(1.0, *(float(value.abs().max()) for value in expected.values()))
    for name, value in expected.items():
        torch.testing.assert_close(
            gradients[name], value, rtol=0, atol=1e-6 * scale, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.parametrize("name", [name for name, pairs in CASES.items() if WHOLE[0] in pairs])
def test_gradients_and_losses_are_those_of_one_process_with_the_whole_batch(folder, found, name):
    expected = alone(folder, name)
    first, second = (process[name] for process in found)
    assert torch.equal(torch.cat([p["batch"]["image"] for p in (first, second)]), expected["batch"]["image"])
    for loss, value in expected["losses"].items():
        mean = (first["losses"][loss] + second["losses"][loss]) / 2
        torch.testing.assert_close(mean, value, rtol=1e-6, atol=1e-6)
    for process in (first, second):
        assert_close(process["gradients"], expected["gradients"])


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_the_mean_over_the_processes_halves(folder, found, name):
    whole = alone(folder, name)["batch"]
    halves = [alone(folder, name, rank, half(whole, rank)) for rank in (0, 1)]
    mean = {key: (value + halves[1]["gradients"][key]) / 2 for key, value in halves[0]["gradients"].items()}
    for process, expected in zip(found, halves, strict=True):
        assert torch.equal(process[name]["batch"]["image"], expected["batch"]["image"])
        assert_close(process[name]["losses"], expected["losses"])
        assert_close(process[name]["gradients"], mean)


def test_the_memory_holds_what_both_saw_in_the_order_of_the_batch(folder, found):
    expected = alone(folder, "memory")["buffers"]
    first, second = (process["memory"]["buffers"] for process in found)
    assert any("regions.slots" in name for name in expected)
    for name, value in expected.items():
        assert torch.equal(first[name], second[name])
        if "regions" in name or name.endswith("written"):
            torch.testing.assert_close(first[name], value, rtol=0, atol=1e-6)
    assert all((value > 0).all() for name, value in first.items() if name.endswith("written"))


def test_scores_of_uneven_shares_are_exactly_those_of_one_process(folder, found):
    config = two_processes.config_of(folder, "cross-entropy")
    with start_runtime(config) as runtime:
        expected = two_processes.scores(config, runtime, [folder / "uneven", folder / "single"])
    for process in found:
        for (matrix, images, loss), (whole, count, value) in zip(process["scores"], expected, strict=True):
            assert torch.equal(matrix, whole)
            assert images == count
            assert loss == pytest.approx(value, rel=1e-6)
    assert [entry[1] for entry in expected] == [5, 1]


def test_the_first_process_alone_writes_and_reports(folder, shared_run):
    status, out, err = shared_run
    assert status == 0, err
    written = [json.loads((folder / f"written_{rank}.json").read_text()) for rank in (0, 1)]
    assert any(path.endswith("shared_latest.pth") for path in written[0])
    assert any(path.endswith("shared.log") for path in written[0])
    assert written[1] == []
    log = (folder / "logs" / "shared.log").read_text()
    assert [int(n) for n in re.findall(r"iteration (\d+)/6", log)] == [1, 2, 3, 4, 5, 6]
    assert log.count("2 processes") == 1


def test_runs_go_on_with_fewer_and_with_more_processes(folder, shared_run):
    assert shared_run[0] == 0, shared_run[2]
    latest = folder / "checkpoints" / "shared_latest.pth"
    go_on = ("--resume", latest, "--resume_continue", "y")
    for iterations, launch in ((9, run_once), (12, run_twice)):
        launch(two_processes.train, *training(folder, "shared", iterations, *go_on))
        assert load_checkpoint(latest)["training"]["iteration"] == iterations
    run_once(two_processes.train, *training(folder, "straight", 12))

    shared, straight = (
        load_checkpoint(folder / "checkpoints" / f"{name}_latest.pth") for name in ("shared", "straight")
    )
    for name, value in straight["state_dict"].items():
        torch.testing.assert_close(shared["state_dict"][name], value, rtol=0, atol=1e-5)
    rows = [read_history(folder / "checkpoints" / f"{name}_history.csv") for name in ("shared", "straight")]
    shown, expected = ({row[0]: row[3] for row in table if row[1:3] == ("loss", "total")} for table in rows)
    assert list(shown) == list(expected) == list(range(1, 13))
    assert list(shown.values()) == pytest.approx(list(expected.values()), abs=1e-5)


def spoil(folder: Path) -> str:
    """A training set of 40 frames, of which one that no check before training reads has a label without a class."""
    for index in range(10, 40):
        for part, ending in (("image", ".npy"), ("label", ".png")):
            source = folder / "data" / "train" / part / f"train{index % 10}{ending}"
            (source.parent / f"train{index}{ending}").write_bytes(source.read_bytes())
    names = sorted(path.stem for path in (folder / "data" / "train" / "label").iterdir())
    label = np.full((32, 40), 9, np.uint8)
    Image.fromarray(label).save(folder / "data" / "train" / "label" / f"{names[1]}.png")
    return names[1]


def long_run(folder: Path, name: str) -> tuple:
    return (
        *("main.py", "--configs", folder / "small_run.yaml", "--phase", "train", "--checkpoints_name", name),
        *("--max_iters", 100_000, "solver.test_interval", 100_000, "train.batch_size", 2, "data.workers", 1),
    )


def wait_until(condition, *processes):
    limit = time.monotonic() + SECONDS
    while not condition():
        assert all(process.poll() is None for process in processes), [p.communicate() for p in processes]
        assert time.monotonic() < limit
        time.sleep(0.05)


def has_begun(folder: Path, name: str) -> bool:
    """Whether the run has done its third step."""
    history = folder / "checkpoints" / f"{name}_history.csv"
    return history.exists() and len(history.read_text().splitlines()) >= 4


def test_a_process_that_fails_or_is_killed_ends_the_job_which_says_why(tmp_path):
    """Both at once: two jobs on a machine don't get into each other's way."""
    prepare(tmp_path / "killed")
    prepare(tmp_path / "failing")
    bad = spoil(tmp_path / "failing")
    failing = begin(*TORCHRUN, *long_run(tmp_path / "failing", "failing"))
    killed = begin(sys.executable, *long_run(tmp_path / "killed", "killed"), "--gpu", "0", "1")
    try:
        wait_until(lambda: has_begun(tmp_path / "killed", "killed"), killed)
        second = min(pid for pid, rank in descendants(killed).items() if rank == "1")
        os.kill(second, signal.SIGKILL)
    finally:
        results = {"killed": end(killed), "failing": end(failing)}

    status, _, err = results["killed"]
    assert status == 128 + signal.SIGKILL
    assert err.rstrip().splitlines()[-1].startswith("error: process 1 of 2 failed first: ended by SIGKILL")
    assert "Traceback" not in err

    status, _, err = results["failing"]
    assert status == 1
    assert f"{bad}.png: label value 9 without a class" in err.rpartition("Root Cause")[2]


def test_processes_save_and_end_when_torchrun_is_killed(tmp_path):
    prepare(tmp_path)
    job = begin(sys.executable, *long_run(tmp_path, "orphaned"), "--gpu", "0", "1")
    try:
        wait_until(lambda: has_begun(tmp_path, "orphaned"), job)
        job.kill()
        wait_until(lambda: not descendants(job))
    finally:
        end(job)
    assert load_checkpoint(tmp_path / "checkpoints" / "orphaned_latest.pth")["training"]["iteration"] >= 3


def failure(exitcode: int, seconds: float, error: BaseException | None = None, folder: Path | None = None):
    """What torchrun finds of a process that ended at that time, with the word that it left for an error."""
    path = folder / f"{uuid.uuid4().hex}.json"
    if error is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TORCHELASTIC_ERROR_FILE", str(path))
            patch.setattr(time, "time", lambda: seconds)
            assert report_failure(error, str(error))
    found = ProcessFailure(local_rank=0, pid=1, exitcode=exitcode, error_file=str(path))
    if error is None:
        found.timestamp = int(seconds)
    return found


@pytest.mark.parametrize(
    ("failures", "first", "status", "reason"),
    [
        ([(1, 5.2, DataError("a.png")), (1, 5.1, DataError("b.png"))], 1, 1, "b.png"),
        ([(1, 5.1, RuntimeError("[gloo/transport/tcp] closed by peer")), (1, 5.2, DataError("b.png"))], 1, 1, "b.png"),
        ([(1, 5.1, dist.DistBackendError("NCCL")), (-9, 5.9, None)], 1, 137, "ended by SIGKILL"),
        ([(-15, 5.0, None), (1, 6.5, RuntimeError("out of memory"))], 1, 1, "out of memory"),
        ([(2, 5.0, ConfigError("two\nlines")), (-15, 5.0, None)], 0, 2, "two\nlines"),
        ([(3, 5.0, None), (-15, 5.0, None)], 0, 3, "exit status is 3"),
    ],
)
def test_the_process_that_failed_first_is_told_from_those_that_followed(
    tmp_path, monkeypatch, failures, first, status, reason
):
    found = {rank: failure(*each, folder=tmp_path) for rank, each in enumerate(failures)}

    def fail(options):
        raise ChildFailedError("main.py", found)

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # put back afterwards
    monkeypatch.setattr("torch.distributed.run.run", fail)
    told, message = run_under_torchrun(["main.py"], 2)
    assert told == status
    assert message.startswith(f"process {first} of 2 failed first: ")
    assert reason in message


def test_without_torchrun_no_word_is_left(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_ERROR_FILE", raising=False)
    assert not report_failure(DataError("a.png"), "a.png")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", "/nowhere/error.json")
    assert not report_failure(DataError("a.png"), "a.png")
