"""Training: learns, is reproducible, resumes exactly, and keeps what exists."""

import math
import multiprocessing
import shutil

import numpy as np
import pytest
import torch

from lib.utils.checkpoint import load_checkpoint
from lib.utils.distributed import World
from lib.utils.errors import CheckpointError, DataError
from lib.utils.runtime import Runtime, start_runtime
from segmentor.tester import Tester
from segmentor.trainer import Trainer, synchronises_batch_norm
from segmentor.training.monitor import Monitor
from tests.conftest import config_maker
from tests.segmentor.steps import ObservedStep

SAM_CL = ("gcl.loss_weight=2", "critic.model_name=samcl_auxiliary_4", "loss.critic_loss_type=samcl_loss_4")


def train(config):
    """Run ``config``; returns the trainer."""
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.run()
    return trainer


@pytest.fixture(scope="module")
def trained(data_dir, tmp_path_factory):
    """A finished run of six iterations with SAM-CL, which tests only read."""
    return train(config_maker(data_dir, tmp_path_factory.mktemp("trained"))(*SAM_CL))


@pytest.fixture(scope="module")
def root(trained):
    """The pair that puts another run beside :func:`trained`."""
    return f"checkpoints.checkpoints_root={trained.config.checkpoints.checkpoints_root}"


@pytest.fixture
def recorded_losses(monkeypatch):
    """What every display step reported, as (iteration, losses)."""
    records = []
    display = Monitor.display

    def record(self, iteration, losses, *rest):
        records.append((iteration, losses))
        display(self, iteration, losses, *rest)

    monkeypatch.setattr(Monitor, "display", record)
    return records


def test_learns_an_easy_set(make_config):
    trainer = train(make_config("solver.max_iters=80", "solver.test_interval=40", *SAM_CL))
    assert trainer.best["miou"] > 0.8


def test_same_seed_same_losses(make_config, recorded_losses):
    config = make_config("checkpoints.overwrite=y", "solver.display_iter=1", *SAM_CL)
    train(config)
    first = recorded_losses[:]
    recorded_losses.clear()
    train(config)
    assert recorded_losses == first
    assert len({losses["seg_loss"] for _, losses in first}) == len(first)


def test_another_seed_gives_other_losses(make_config, recorded_losses):
    for seed in (1, 2):
        train(make_config("checkpoints.overwrite=y", f"seed={seed}", "solver.max_iters=1", "solver.display_iter=1"))
    assert recorded_losses[0] != recorded_losses[1]


def test_data_and_initial_weights_are_the_same_with_sam_cl_on_and_off(make_config, recorded_losses):
    first_step = ("checkpoints.overwrite=y", "solver.max_iters=1", "solver.display_iter=1")
    train(make_config(*first_step))
    train(make_config(*first_step, *SAM_CL))
    without, with_samcl = (losses for _, losses in recorded_losses)
    assert without["seg_loss"] == with_samcl["seg_loss"]
    assert set(with_samcl) == {"seg_loss", "samcl_loss"}


@pytest.mark.parametrize(("workers", "more"), [(0, SAM_CL), (2, SAM_CL), (0, ("optim.optim_method=adam",))])
def test_resumed_run_equals_uninterrupted_run_to_the_bit(make_config, recorded_losses, workers, more):
    options = (f"data.workers={workers}", "solver.display_iter=1", "data.drop_last=n", *more)
    straight = train(make_config("checkpoints.checkpoints_name=straight", *options))
    losses = dict(recorded_losses)
    recorded_losses.clear()

    # Three steps of batch 4 end in the middle of nothing; five end in the middle of an epoch of twelve frames.
    cut = make_config(
        "checkpoints.checkpoints_name=cut", "checkpoints.save_iters=5", "solver.test_interval=2", *options
    )
    with start_runtime(cut) as runtime:
        trainer = Trainer(cut, runtime)
        save = trainer._save

        def save_and_die(kind):
            save(kind)
            if kind == "latest":
                raise KeyboardInterrupt

        trainer._save = save_and_die
        with pytest.raises(KeyboardInterrupt):
            trainer.run()
        # Else the trainer is part of a cycle, and workers hang for 20 s whose loader the collector of cycles ends.
        del trainer._save
    latest = trainer.checkpoints.path("latest")
    resumed = train(
        make_config(
            "checkpoints.checkpoints_name=cut",
            f"network.resume={latest}",
            "network.resume_continue=y",
            *options,
        )
    )
    assert resumed.iteration == straight.iteration == 6
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    for name, value in straight.objective.state_dict().items():
        assert torch.equal(value, resumed.objective.state_dict()[name]), name
    assert straight.optimizer.state_dict()["param_groups"] == resumed.optimizer.state_dict()["param_groups"]
    assert losses == dict(recorded_losses)


def test_processes_of_validation_start_before_the_first_step(make_config):
    """Else they would keep a copy of all memory that the steps before them have used."""
    others, started = set(multiprocessing.active_children()), []
    config = make_config("data.workers=1", "solver.max_iters=4", "solver.test_interval=2")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        ObservedStep(trainer, before=lambda *_: started.append(len(set(multiprocessing.active_children()) - others)))
        trainer.run()
    assert started == [2] * 4


def test_workers_change_nothing(make_config, recorded_losses):
    for workers in (0, 2):
        train(make_config("checkpoints.overwrite=y", "solver.display_iter=1", f"data.workers={workers}"))
    assert recorded_losses[: len(recorded_losses) // 2] == recorded_losses[len(recorded_losses) // 2 :]


def test_existing_run_is_refused_and_kept(trained):
    latest = trained.checkpoints.path("latest")
    before = latest.read_bytes()
    with pytest.raises(CheckpointError, match="--overwrite y"):
        train(trained.config)
    assert latest.read_bytes() == before


def test_overwrite_leaves_nothing_of_the_old_run(make_config):
    trainer = train(make_config())
    trainer.checkpoints.path("min_loss").write_bytes(b"old")
    train(make_config("checkpoints.overwrite=y"))
    assert trainer.checkpoints.path("min_loss").read_bytes() != b"old"


def test_a_run_that_goes_on_under_another_name_has_best_checkpoints_of_its_own(make_config, project_log):
    first = train(make_config())
    resume = (f"network.resume={first.checkpoints.path('latest')}", "network.resume_continue=y", "solver.max_iters=7")
    other = train(make_config("checkpoints.checkpoints_name=other", *resume))
    assert "best so far is not of this run" in project_log.text
    for kind, score in (("max_performance", "miou"), ("min_loss", "loss")):
        best = load_checkpoint(other.checkpoints.path(kind))["training"]["best"][score]
        assert best == other.best[score]
    first.checkpoints.path("min_loss").unlink()
    again = train(make_config(*resume))
    assert again.checkpoints.path("min_loss").exists()
    assert again.best["miou"] >= first.best["miou"]


def test_checkpoint_holds_the_network_alone_beside_everything_else(trained):
    content = load_checkpoint(trained.checkpoints.path("latest"))
    assert set(content["state_dict"]) == set(trained.network.state_dict())
    assert any(key.startswith("terms.samcl.auxiliary.") for key in content["training"]["objective"])
    assert content["config_dict"]["solver"]["max_iters"] == 6
    beside = trained.checkpoints.path("latest").with_suffix(".yaml").read_text()
    assert beside == trained.config.to_yaml()
    assert not list(trained.checkpoints.path("latest").parent.glob("*tmp*"))


def test_resume_without_continue_takes_the_weights_alone(make_config, trained):
    config = make_config(f"network.resume={trained.checkpoints.path('latest')}")
    with start_runtime(config) as runtime:
        second = Trainer(config, runtime)
    assert second.iteration == 0
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name])


def test_resume_continue_with_bare_weights_names_the_remedy(make_config, trained, tmp_path):
    torch.save({"state_dict": trained.network.state_dict()}, tmp_path / "bare.pth")
    with pytest.raises(CheckpointError, match="leave --resume_continue out"):
        train(make_config(f"network.resume={tmp_path / 'bare.pth'}", "network.resume_continue=y"))


def test_test_reproduces_the_best_validation_exactly(make_config, trained, tmp_path):
    best = trained.checkpoints.path("max_performance")
    config = make_config("phase=test", f"network.resume={best}", f"test.out_dir={tmp_path / 'out'}")
    with start_runtime(config) as runtime:
        assert Tester(config, runtime).run()["miou"] == trained.best["miou"]


def test_diverged_run_stops_and_keeps_its_checkpoint(make_config):
    with pytest.raises(FloatingPointError, match="base_lr"):
        train(
            make_config(
                "lr.base_lr=1000",
                "optim.sgd.momentum=0.99",
                "solver.max_iters=60",
                "loss.loss_type=rmi_loss",
                "loss.params.loss_weight=1e9",
            )
        )


def test_missing_data_is_named_before_the_first_step(make_config, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        train(make_config(f"data.data_dir={tmp_path / 'nowhere'}"))


@pytest.mark.parametrize("policy", ["lambda_cosine", "step", "multistep", "plateau"])
def test_every_policy_trains_and_resumes(make_config, policy):
    pairs = (f"lr.lr_policy={policy}", "lr.multistep.stepvalue=[2,4]")
    latest = train(make_config("solver.max_iters=3", *pairs)).checkpoints.path("latest")
    resumed = train(make_config(f"network.resume={latest}", "network.resume_continue=y", *pairs))
    assert np.isfinite(resumed.best["loss"])


def test_resuming_one_run_under_the_name_of_another_is_refused(make_config, trained, root):
    other = trained.checkpoints.path("latest")
    before = other.read_bytes()
    mine = train(make_config("solver.max_iters=1", *SAM_CL)).checkpoints.path("latest")
    with pytest.raises(CheckpointError, match="exists"):
        train(make_config(root, f"network.resume={mine}", "network.resume_continue=y", *SAM_CL))
    assert other.read_bytes() == before


@pytest.mark.parametrize("change", ["lr.lr_policy=step", "lr.base_lr=0.5", "optim.sgd.momentum=0.5"])
def test_resuming_with_another_optimiser_is_refused(make_config, trained, root, change):
    resume = (f"network.resume={trained.checkpoints.path('latest')}", "network.resume_continue=y")
    with pytest.raises(CheckpointError, match="the config beside it"):
        train(make_config(root, *resume, *SAM_CL, change))


def test_diverged_weights_are_never_saved(make_config):
    config = make_config(
        *("solver.max_iters=9", "solver.display_iter=9", "solver.test_interval=9", "checkpoints.save_iters=2")
    )
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)

        def diverge(result, iteration):
            if iteration == 3:
                next(trainer.network.parameters()).data.fill_(math.nan)

        ObservedStep(trainer, after=diverge)
        with pytest.raises(FloatingPointError, match="diverged"):
            trainer.run()
    content = load_checkpoint(trainer.checkpoints.path("latest"))
    assert content["training"]["iteration"] == 2
    assert all(torch.isfinite(value).all() for value in content["state_dict"].values())


def test_validation_frames_of_the_same_name_in_two_folders_train(make_config, data_dir, tmp_path):
    shutil.copytree(data_dir, tmp_path / "copy")
    train(make_config(f"data.data_dir=[{data_dir},{tmp_path / 'copy'}]", "solver.max_iters=1"))


@pytest.mark.parametrize("bn_type", ["torchsyncbn", "torchbn"])
@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("processes", [1, 2])
def test_batch_norm_is_synchronised_where_asked_for_and_possible(bn_type, device, processes):
    runtime = Runtime(torch.device(device), None, World(size=processes))
    expected = bn_type == "torchsyncbn" and device == "cuda" and processes == 2
    assert synchronises_batch_norm(bn_type, runtime) == expected
