"""A long run holds no more at its end than in its middle; the short form of a soak, and what it would see."""

import os
from dataclasses import replace

import pytest

from scripts.soak import Leak, Sample, judge, sample, soak

STEADY = Sample(memory=500.0, files=40, threads=9, processes=3)


@pytest.mark.thorough
def test_a_run_of_some_steps_is_steady_and_leaves_no_more_than_its_files(tmp_path):
    judge(soak(tmp_path, steps=160))
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    kinds = ("latest", "previous", "max_performance", "min_loss")
    files = {f"model_{kind}.{end}" for kind in kinds for end in ("pth", "yaml")}
    assert left == {*files, "model_history.csv", ".model.lock"}
    assert len(list((tmp_path / "logs" / "tensorboard" / "model").iterdir())) == 1


@pytest.mark.parametrize("what", ["memory", "files", "threads"])
def test_growth_is_seen(what):
    samples = [replace(STEADY, **{what: getattr(STEADY, what) + step}) for step in range(90)]
    with pytest.raises(Leak, match=f"^{what} grew"):
        judge(samples)


def test_processes_that_pile_up_are_seen():
    samples = [
        replace(STEADY, processes=3 + step // 10, memory=500.0 + 50 * (step // 10), threads=9 + step // 10)
        for step in range(90)
    ]
    with pytest.raises(Leak, match="^processes grew .* from 10 to 11$"):
        judge(samples)


def test_what_comes_and_goes_while_workers_start_and_end_is_no_growth():
    alone = Sample(memory=200.0, files=12, threads=3, processes=1)
    assert "500 ->      500 MB" in judge([alone] * 5 + [STEADY] * 30 + [alone] * 5)


def test_a_sample_sees_this_process():
    before = sample(os.getpid())
    read, write = os.pipe()
    assert sample(os.getpid()).files == before.files + 2
    os.close(read)
    os.close(write)
    assert before.memory > 10
    assert before.threads >= 1


def test_a_run_that_fails_is_no_steady_run(tmp_path):
    with pytest.raises(Leak, match="status 2"):
        soak(tmp_path, steps=1, pairs=["loss.loss_type=no_loss"])
