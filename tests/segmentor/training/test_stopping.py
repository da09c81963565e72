"""Signals stop a run in good order, a second one at once; all processes of a run stop after the same step."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lib.metrics.history import read_history
from lib.utils.checkpoint import load_checkpoint
from lib.utils.distributed import World
from lib.utils.errors import Interrupted
from scripts.kill_and_resume import Run
from scripts.small_run import prepare, start
from segmentor.trainer import Trainer
from segmentor.training.stopping import StopSignals
from tests.processes import in_two_processes
from tests.segmentor.steps import ObservedStep

REPO = Path(__file__).resolve().parents[3]
LONG = 100_000
"""Iterations that no test waits for."""


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """A folder with frames, and the config that learns them."""
    folder = tmp_path_factory.mktemp("small")
    return folder, prepare(folder)


def wait_until(condition, seconds=100.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def begin(small_run, name, *pairs):
    """Start a long run and wait for its third step; returns its files and its process."""
    folder, config = small_run
    run = Run(folder, config, name)
    pairs = [
        f"checkpoints.checkpoints_name={name}",
        f"solver.max_iters={LONG}",
        f"checkpoints.save_iters={LONG}",
        *pairs,
    ]
    process = start(config, [*pairs, f"solver.test_interval={LONG}"], folder / f"{name}.txt")
    wait_until(lambda: run.steps_done() >= 3)
    return run, process


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_after_the_step_and_has_a_status_of_its_own(small_run, number, status):
    run, process = begin(small_run, f"stopped{status}", "data.workers=2")
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == status
    saved = load_checkpoint(run.latest)["training"]["iteration"]
    assert saved == run.steps_done() >= 3
    said = (small_run[0] / f"stopped{status}.txt").read_text()
    assert f"after iteration {saved}; go on with --resume {run.latest} --resume_continue y" in said
    assert "Traceback" not in said


def test_a_stopped_run_goes_on_as_if_nothing_had_been(small_run):
    straight = Run(*small_run, "straight", iterations=12)
    straight.live(workers=0)
    stopped = Run(*small_run, "stopped", iterations=12)
    folder, config = small_run
    process = start(config, ["checkpoints.checkpoints_name=stopped", "solver.max_iters=12"], folder / "stopped.txt")
    wait_until(lambda: stopped.steps_done() >= 2)
    process.terminate()
    process.join(60)
    assert process.exitcode in (143, 0)
    assert stopped.live(workers=0)
    stopped.compare(straight)


def test_a_second_signal_stops_at_once(small_run):
    run, process = begin(small_run, "twice")
    # Both come in the same step, as the process sleeps while they are sent.
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode in (-signal.SIGTERM, -signal.SIGINT)
    assert not run.latest.exists()


@pytest.mark.parametrize(("processes", "seconds", "ends"), [(1, 0.5, True), (2, 0.5, False), (2, 5.0, True)])
def test_a_signal_that_torchrun_passes_on_as_well_is_no_second_one(monkeypatch, processes, seconds, ends):
    killed = []
    monkeypatch.setattr(torch.distributed, "new_group", lambda **named: None)
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(number))
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    signals = StopSignals(World(size=processes))
    for now in (100.0, 100.0 + seconds):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        signals._receive(signal.SIGTERM, None)
    assert killed == [signal.SIGTERM] * ends


def test_all_processes_stop_after_the_same_step_when_torchrun_is_asked_to(small_run):
    folder, config = small_run
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "main.py"),
        *("--configs", str(config), "--phase", "train", "train.batch_size", "4", "checkpoints.checkpoints_name", "two"),
        *("solver.max_iters", str(LONG), "checkpoints.save_iters", str(LONG), "solver.test_interval", str(LONG)),
    ]
    run, output = Run(folder, config, "two"), folder / "two.txt"
    with open(output, "w") as file:
        process = subprocess.Popen(
            command, cwd=REPO, stdout=file, stderr=file, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    try:
        wait_until(lambda: run.steps_done() >= 3)
        process.terminate()
        process.wait(60)
    finally:
        process.kill()
        process.wait()
    said = output.read_text()
    stops = {line for line in said.splitlines() if "stopped by SIGTERM after iteration" in line}
    saved = load_checkpoint(run.latest)["training"]["iteration"]
    assert len(stops) == 1
    assert said.count("stopped by SIGTERM after iteration") == 2
    assert f"after iteration {saved};" in stops.pop()
    assert saved == max(row[0] for row in read_history(run.history))


def train_until_one_is_signalled(runtime, config, results):
    trainer = Trainer(config, runtime)

    def signal_one(result, iteration):
        if iteration == 2 and runtime.world.rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    ObservedStep(trainer, after=signal_one)
    try:
        trainer.run()
    except Interrupted as stop:
        latest = str(trainer.checkpoints.path("latest"))
        results |= {"iteration": trainer.iteration, "signal": int(stop.signum), "latest": latest}


def test_all_processes_stop_after_the_same_step_when_one_is_asked_to(make_config, tmp_path):
    config = make_config("solver.max_iters=1000", "solver.test_interval=1000", "checkpoints.save_iters=1000")
    first, second = in_two_processes(train_until_one_is_signalled, config, tmp_path)
    assert first == second
    assert first["signal"] == signal.SIGTERM
    # What a process has received goes round while the next step runs.
    assert first["iteration"] == 4
    assert load_checkpoint(first["latest"])["training"]["iteration"] == 4
