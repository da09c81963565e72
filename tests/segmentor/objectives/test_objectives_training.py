"""Every objective trains by the one trainer, goes on exactly after an interruption, and shows its losses."""

import json

import pytest
import torch

from lib.utils.config import load_config
from lib.utils.errors import CheckpointError
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.objectives import loss_types
from segmentor.trainer import Trainer
from segmentor.training.monitor import Monitor
from tests.utils.published_configs import CONTRAST_NETWORKS, MEMORY_NETWORKS, published

NETWORK_WITH = {
    "aux": ("network.model_name=base_ocnet", "network.backbone=deepbase_resnet18_dilated8"),
    "direction": ("network.model_name=segfix_hrnet", "network.backbone=resnet18_dilated8"),
}
CONTRAST = tuple(
    f"pixel_contrast.{pair}"
    for pair in ("proj_dim=4", "memory_size=9", "warmup_iters=1", "max_views=3", "pixel_update_freq=2")
)
SAM_CL = ("samcl.loss_weight=2", "samcl.scales=4")
ON_TOP = [
    *(f"{name} with SAM-CL" for name in ("segan_loss", "seggan_loss")),
    *(f"fs_ce_loss with {terms}" for terms in ("contrast", "contrast and SAM-CL")),
]
OBJECTIVES = [*loss_types(), *ON_TOP]


def pairs_for(name):
    """The smallest settings under which an objective does all that it ever does."""
    loss_type, _, terms = name.partition(" with ")
    needed = (pair for need in loss_types()[loss_type] for pair in NETWORK_WITH[need])
    on_top = (*(CONTRAST if "contrast" in terms else ()), *(SAM_CL if "SAM-CL" in terms else ()))
    return [f"loss.loss_type={loss_type}", *needed, *on_top]


def train(config, keep_at=None, copy=None):
    """Run ``config``; keeps the checkpoint of iteration ``keep_at`` as ``copy``."""
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        save = trainer._save

        def save_and_keep(kind):
            save(kind)
            if trainer.iteration == keep_at and kind == "latest":
                copy.write_bytes(trainer.checkpoints.path("latest").read_bytes())

        trainer._save = save_and_keep
        trainer.run()
    return trainer


@pytest.mark.parametrize("name", OBJECTIVES)
def test_trains_and_resumes_to_the_bit(make_config, tmp_path, name):
    pairs = ["solver.max_iters=4", "solver.test_interval=9", "checkpoints.save_iters=2", *pairs_for(name)]
    copy = tmp_path / "after_two.pth"
    straight = train(make_config("checkpoints.checkpoints_name=straight", *pairs), 2, copy)
    goes_on = ("checkpoints.checkpoints_name=resumed", f"network.resume={copy}", "network.resume_continue=y")
    resumed = train(make_config(*goes_on, *pairs))
    for part in ("network", "objective"):
        expected, got = getattr(straight, part).state_dict(), getattr(resumed, part).state_dict()
        assert expected.keys() == got.keys()
        for key, value in expected.items():
            assert torch.equal(value, got[key]), key
    assert straight.best == resumed.best


@pytest.fixture
def shown(monkeypatch):
    """What every display step reported: the losses in the log, and all that went to TensorBoard."""
    records = {}
    monkeypatch.setattr(Monitor, "_scalars", lambda self, iteration, values: records.update(values))
    return records


@pytest.mark.parametrize("loss_type", ["segan_loss", "seggan_loss"])
def test_both_sides_learn_and_are_shown(make_config, shown, loss_type):
    config = make_config(f"loss.loss_type={loss_type}", "solver.max_iters=2")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        before = [parameter.detach().clone() for parameter in trainer.objective.critic_parameters()]
        of_network = {id(p) for group in trainer.optimizer.param_groups for p in group["params"]}
        trainer.run()
    after = trainer.objective.critic_parameters()
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert not of_network & set(map(id, after))
    assert shown["loss/total"] == pytest.approx(shown["loss/seg_loss"] + shown["loss/adversarial_loss"], rel=1e-6)
    assert "loss/critic_loss" in shown


def test_adversarial_training_learns_an_easy_set(make_config):
    pairs = ("solver.max_iters=60", "solver.test_interval=30", "network.base_channels=8")
    assert train(make_config("loss.loss_type=segan_loss", *pairs)).best["miou"] > 0.7


def test_resuming_with_another_objective_names_the_remedy(make_config):
    latest = train(make_config("solver.max_iters=2")).checkpoints.path("latest")
    with pytest.raises(CheckpointError, match="leave --resume_continue out"):
        train(make_config("loss.loss_type=segan_loss", f"network.resume={latest}", "network.resume_continue=y"))


@pytest.mark.parametrize(("model", "backbone"), CONTRAST_NETWORKS + MEMORY_NETWORKS)
def test_contrast_configs_in_the_published_style_train(make_config, data_dir, tmp_path, model, backbone):
    small = make_config()
    path = tmp_path / "published.json"
    path.write_text(json.dumps(published(model, backbone, contrast=True, gcl=True)))
    pairs = [
        *("gpu=[-1]", f"data.data_dir={data_dir}", "network.base_channels=4", "train.batch_size=2"),
        *("train.data_transformer.input_size=[64,48]", "train_trans.random_crop.crop_size=[64,48]"),
        *("solver.max_iters=2", "solver.precision=fp32", "logging.log_to_file=n", "logging.stdout_level=error"),
        f"checkpoints.checkpoints_root={small.checkpoints.checkpoints_root}",
    ]
    config, _ = load_config(path, pairs=pairs, checks=[check_names])
    assert config.pixel_contrast is not None
    assert train(config).iteration == 2
