"""Two processes train every kind of objective as one."""

import torch

from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from tests.processes import run_twice

CONTRAST = ("network.model_name=unet_contrast", "contrast.proj_dim=4", "contrast.memory_size=50")
CASES = {
    "memory": ("loss.loss_type=mem_contrast_ce_loss", "contrast.warmup_iters=1", *CONTRAST),
    "warm-up": ("loss.loss_type=contrast_ce_loss", "contrast.warmup_iters=9", *CONTRAST),
    "unread embedding": ("loss.loss_type=rmi_loss", *CONTRAST[:1]),
    "unread auxiliary output": (
        *("loss.loss_type=rmi_loss", "network.model_name=base_ocnet"),
        "network.backbone=deepbase_resnet18_dilated8",
    ),
    "SegAN with SAM-CL": ("loss.loss_type=segan_loss", "gcl.loss_weight=2"),
    "SegGAN": ("loss.loss_type=seggan_loss",),
}


def train_all(configs, folder):
    """One process of several: train every config and leave what its network and objective have become."""
    states = {}
    with start_runtime(next(iter(configs.values()))) as runtime:
        for name, config in configs.items():
            trainer = Trainer(config, runtime)
            trainer.run()
            # Batch statistics included: the last thing a run does is to validate, with those that are saved.
            states[name] = {**trainer.network.state_dict(), **trainer.objective.state_dict()}
    torch.save(states, folder / f"{runtime.world.rank}.pth")


def test_two_processes_hold_the_same_and_remember_what_both_saw(make_config, tmp_path):
    configs = {
        name: make_config("solver.max_iters=3", f"checkpoints.checkpoints_name=case{index}", *pairs)
        for index, (name, pairs) in enumerate(CASES.items())
    }
    run_twice(train_all, configs, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pth", weights_only=True) for rank in (0, 1))
    for name in CASES:
        assert first[name].keys() == second[name].keys()
        for key, value in first[name].items():
            assert torch.equal(value, second[name][key]), (name, key)

    alone = make_config("solver.max_iters=3", "checkpoints.checkpoints_name=alone", *CASES["memory"])
    with start_runtime(alone) as runtime:
        trainer = Trainer(alone, runtime)
        trainer.run()
    memory = trainer.objective.terms["contrast"].memory
    for ring in ("pixels", "regions"):
        written = first["memory"][f"terms.contrast.memory.{ring}.written"]
        assert torch.equal(written, getattr(memory, ring).written)
        assert (written > 0).all()
