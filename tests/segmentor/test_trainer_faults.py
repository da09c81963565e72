"""Full disks, vanished folders, damaged checkpoints and second runs of a name: told of clearly, and nothing is lost."""

import errno
import os
import shutil

import pytest
import torch

from lib.utils.checkpoint import load_checkpoint
from lib.utils.errors import CheckpointError, OutputError
from lib.utils.runtime import start_runtime
from scripts.small_run import prepare, start
from segmentor.trainer import Trainer
from tests.segmentor.steps import ObservedStep


def train(config, before_step=lambda iteration: None):
    """Run ``config``; ``before_step`` is called in every step."""
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        ObservedStep(trainer, before=lambda batch, iteration: before_step(iteration))
        trainer.run()
    return trainer


def fill(disk):
    """Leave no byte free."""
    with open(disk / "filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)):
                pass
        except OSError:
            pass


EVERY_STEP = ("solver.display_iter=1", "checkpoints.save_iters=1", "solver.test_interval=9")


def on(disk):
    return f"checkpoints.checkpoints_root={disk}"


def test_a_full_disk_ends_the_run_with_its_last_checkpoint_whole(make_config, small_disk):
    config = make_config(on(small_disk), "network.base_channels=2", *EVERY_STEP)
    with pytest.raises(OutputError, match=r"run_latest\.pth: can't be written: No space left.*make room"):
        train(config, lambda iteration: fill(small_disk) if iteration == 3 else None)
    folder = small_disk / config.checkpoints.checkpoints_dir
    found = {path.name: load_checkpoint(path)["training"]["iteration"] for path in folder.glob("*.pth")}
    assert found == {"run_latest.pth": 3, "run_previous.pth": 2}
    assert not list(folder.glob(".*.tmp"))
    (small_disk / "filler").unlink()
    latest = folder / "run_latest.pth"
    goes_on = (f"network.resume={latest}", "network.resume_continue=y")
    assert train(make_config(on(small_disk), "network.base_channels=2", *goes_on)).iteration == 6


@pytest.mark.parametrize("fault", [errno.EROFS, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_ends_the_run_with_its_last_checkpoint_whole(make_config, tmp_path, monkeypatch, fault):
    def fail(descriptor):
        raise OSError(fault, os.strerror(fault))

    config = make_config(*EVERY_STEP)
    with pytest.raises(OutputError, match=rf"run_latest\.pth: can't be written: {os.strerror(fault)}"):
        train(config, lambda iteration: monkeypatch.setattr(os, "fsync", fail) if iteration == 2 else None)
    folder = tmp_path / config.checkpoints.checkpoints_dir
    assert load_checkpoint(folder / "run_latest.pth")["training"]["iteration"] == 2
    assert not list(folder.glob(".*.tmp"))


def test_a_read_only_disk_is_refused_before_the_first_step(make_config, small_disk, remount):
    remount("ro")
    with pytest.raises(OutputError, match="Read-only"):
        train(make_config(on(small_disk)), lambda iteration: pytest.fail("a step was made"))


def test_a_folder_that_vanishes_ends_the_run_and_is_not_made_again(make_config, tmp_path):
    config = make_config(on(tmp_path / "mount"), *EVERY_STEP)
    with pytest.raises(OutputError, match=r"its folder .* has vanished .*another folder"):
        train(config, lambda iteration: shutil.rmtree(tmp_path / "mount") if iteration == 2 else None)
    assert not (tmp_path / "mount").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_logs_that_cannot_be_written_do_not_end_the_run_but_are_told_of(make_config, small_disk, project_log):
    log = (f"logging.log_file={small_disk}/train.log", "logging.log_to_file=y")
    trainer = train(make_config(*EVERY_STEP, *log), lambda iteration: fill(small_disk) if iteration == 2 else None)
    assert trainer.iteration == 6
    assert any("TensorBoard ends here, and the run goes on: " in record.getMessage() for record in project_log.records)


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_a_damaged_checkpoint_is_refused_and_the_whole_one_before_it_offered(make_config):
    checkpoints = train(make_config("checkpoints.save_iters=2")).checkpoints
    latest, previous = checkpoints.path("latest"), checkpoints.sibling_path("previous.pth")
    damage(latest)
    with pytest.raises(CheckpointError) as caught:
        train(make_config(f"network.resume={latest}", "network.resume_continue=y"))
    assert f"{latest}: damaged" in str(caught.value)
    assert f"whole, after iteration 4: --resume {previous} --resume_continue y" in str(caught.value)
    # The offer works, and the damaged file doesn't take the place of the whole one.
    resume = (f"network.resume={previous}", "network.resume_continue=y")
    assert train(make_config("checkpoints.save_iters=9", *resume)).iteration == 6
    assert load_checkpoint(latest)["training"]["iteration"] == 6
    assert load_checkpoint(previous)["training"]["iteration"] == 4


def test_nothing_is_offered_where_nothing_is_whole(make_config):
    checkpoints = train(make_config("checkpoints.save_iters=2")).checkpoints
    for name in ("latest.pth", "previous.pth"):
        damage(checkpoints.sibling_path(name))
    with pytest.raises(CheckpointError) as caught:
        train(make_config(f"network.resume={checkpoints.path('latest')}", "network.resume_continue=y"))
    assert "is whole" not in str(caught.value)


def test_a_checkpoint_is_read_once_on_resume(make_config, monkeypatch):
    latest = train(make_config("solver.max_iters=2")).checkpoints.path("latest")
    loads = []
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda path, **named: (loads.append(path), load(path, **named))[1])
    train(make_config(f"network.resume={latest}", "network.resume_continue=y"))
    assert loads == [latest]


def test_what_killed_runs_left_half_written_is_cleared_away(make_config, tmp_path):
    folder = tmp_path / make_config().checkpoints.checkpoints_dir
    folder.mkdir(parents=True)
    theirs = [folder / ".run2_latest.pth.7.tmp", folder / ".run_latest.pth.tmp"]
    ours = [
        folder / f".run_{name}.7.tmp" for name in ("latest.pth", "previous_2.yaml", "history.csv", "nonfinite_3.npz")
    ]
    for path in (*theirs, *ours):
        path.touch()
    train(make_config("solver.max_iters=1"))
    assert all(path.exists() for path in theirs)
    assert not any(path.exists() for path in ours)


def test_overwrite_removes_former_versions_and_batches_for_study(make_config):
    checkpoints = train(make_config("checkpoints.save_iters=1", "checkpoints.keep=4")).checkpoints
    checkpoints.sibling_path("nonfinite_3.npz").touch()
    assert checkpoints.sibling_path("previous_3.pth").exists()
    train(make_config("checkpoints.overwrite=y", "solver.max_iters=1"))
    left = {path.name for path in checkpoints.path("latest").parent.glob("run_*")}
    kinds = ("latest", "max_performance", "min_loss")
    assert left == {"run_history.csv", *(f"run_{kind}.{end}" for kind in kinds for end in ("pth", "yaml"))}


def test_a_run_that_fails_at_its_first_step_costs_nothing_of_the_one_that_it_overwrites(make_config):
    def out_of_memory(iteration):
        raise RuntimeError("out of memory")

    before = train(make_config(*EVERY_STEP)).checkpoints.path("latest")
    content = {path.name: path.read_bytes() for path in before.parent.glob("*.pth")}
    with pytest.raises(RuntimeError, match="out of memory"):
        train(make_config("checkpoints.overwrite=y", *EVERY_STEP), out_of_memory)
    assert {path.name: path.read_bytes() for path in before.parent.glob("*.pth")} == content


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        (["data.data_dir=/nowhere"], "/nowhere"),
        (["network.resume=/nowhere/net.pth"], r"net\.pth"),
        (["data.num_classes=2", "data.class_names=null"], "class"),
    ],
)
def test_a_run_that_is_refused_leaves_nothing_behind(make_config, tmp_path, pairs, error):
    root = tmp_path / "scratch" / "Processed"
    config = make_config(on(root), *pairs)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=error):
        train(config)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_is_refused_leaves_those_of_other_names_alone(make_config, tmp_path):
    folder = train(make_config(*EVERY_STEP)).checkpoints.path("latest").parent
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match="/nowhere"):
        train(make_config("data.data_dir=/nowhere", "checkpoints.checkpoints_name=other"))
    with pytest.raises(CheckpointError, match="--overwrite y"):
        train(make_config())
    assert sorted(folder.iterdir()) == before


def test_a_second_run_of_a_name_is_refused_while_the_first_one_trains(tmp_path):
    config = prepare(tmp_path)
    pairs = ["solver.max_iters=100000", "checkpoints.save_iters=100000", "checkpoints.overwrite=y"]
    first = start(config, pairs, tmp_path / "first.txt")
    try:
        history = tmp_path / "checkpoints" / "model_history.csv"
        while not history.exists():
            first.join(0.01)
        before = history.read_bytes()
        second = start(config, pairs, tmp_path / "second.txt")
        second.join(60)
        assert second.exitcode == 1
        said = (tmp_path / "second.txt").read_text()
        assert f"the run model in {tmp_path / 'checkpoints'} is being written by process {first.pid} on " in said
        assert history.read_bytes().startswith(before)
    finally:
        os.kill(first.pid, 9)
        first.join()
    third = start(config, [*pairs, "solver.max_iters=1"], tmp_path / "third.txt")
    third.join(60)
    assert third.exitcode == 0
