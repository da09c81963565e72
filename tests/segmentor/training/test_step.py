"""A training step never waits for the device, starts without what it doesn't need, and may be compiled."""

import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from segmentor.training import compilation
from tests.synchronisation import WaitingOperators

REPO = Path(__file__).resolve().parents[3]
OBJECTIVES = {
    "RMI": ("optim.optim_method=adam",),
    "RMI, SAM-CL": ("gcl.loss_weight=2",),
    "dice, SAM-CL": ("gcl.loss_weight=2", "loss.loss_type=dice_loss", "optim.optim_method=adamw"),
    "auxiliary output": (
        *("loss.loss_type=fs_auxce_loss", "network.model_name=base_ocnet"),
        "network.backbone=deepbase_resnet18_dilated8",
    ),
    "SegAN": ("loss.loss_type=segan_loss",),
    "SegGAN": ("loss.loss_type=seggan_loss",),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_no_operator_of_a_step_waits_for_the_device(make_config, objective):
    config = make_config(*OBJECTIVES[objective])
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.network.train()
        batches = iter(trainer.batches)
        trainer.step(next(batches), 0)
        batch = next(batches)
        if "samcl" in trainer.objective.terms:
            # Drawn on the host, whatever the device.
            trainer.objective.terms["samcl"].samcl_loss.draw_permutation = lambda generator: torch.tensor([1, 2, 0])
        with WaitingOperators() as waiting:
            result = trainer.step(batch, 1)
            trainer.record.add(1, result.losses, result.nonfinite)
        assert waiting.found == []


def test_small_gradients_do_not_vanish_in_float16(make_config):
    config = make_config("solver.precision=fp16", "loss.params.loss_weight=1e-6", "optim.sgd.weight_decay=0")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.network.train()
        assert not trainer.step(next(iter(trainer.batches)), 0).nonfinite
        first = next(trainer.network.parameters())
        momentum = trainer.optimizer.state[first]["momentum_buffer"]
        assert momentum.isfinite().all()
        assert (momentum != 0).all()


FIRST_STEP = """
import sys
from segmentor import trainer
from lib.utils.config import load_config
from lib.utils.runtime import start_runtime
config = load_config(sys.argv[1], pairs=["logging.log_to_file=y", "gcl.loss_weight=2"])[0]
with start_runtime(config) as runtime:
    t = trainer.Trainer(config, runtime)
    t.step(next(iter(t.batches)), 0)
slow = ("tensorboard", "torch.utils.tensorboard", "matplotlib", "scipy", "torchvision", "torch._dynamo", "sympy")
print([name for name in slow if name in sys.modules])
"""


def test_nothing_slow_is_imported_before_the_first_step(make_config, tmp_path):
    (tmp_path / "config.yaml").write_text(make_config().to_yaml())
    command = [sys.executable, "-c", FIRST_STEP, str(tmp_path / "config.yaml")]
    assert subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def losses_of(make_config, *pairs):
    config = make_config("checkpoints.overwrite=y", "solver.max_iters=2", *pairs)
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.network.train()
        results = [trainer.step(batch, step) for step, batch in zip(range(2), trainer.batches, strict=False)]
        return [{name: float(loss) for name, loss in result.losses.items()} for result in results], trainer


@pytest.fixture
def warnings(caplog, monkeypatch):
    """What the project's log warned of."""
    monkeypatch.setattr(logging.getLogger("samcl"), "propagate", True)
    return caplog


def test_what_cannot_be_compiled_runs_as_it_is_and_says_so(make_config, monkeypatch, warnings):
    def compile_nothing(function):
        def fail(*arguments, **named):
            raise RuntimeError("no C++ compiler\nand many lines more")

        return fail

    monkeypatch.setattr(compilation.torch, "compile", compile_nothing)
    expected, plain = losses_of(make_config, "gcl.loss_weight=2")
    got, trainer = losses_of(make_config, "gcl.loss_weight=2", "solver.compile=y")
    assert got == expected
    assert trainer.network.state_dict().keys() == plain.network.state_dict().keys()
    said = [record.getMessage() for record in warnings.records if "solver.compile" in record.getMessage()]
    assert len(said) == 3
    assert said[0] == "solver.compile: the network can't be compiled, and runs as it is (RuntimeError: no C++ compiler)"


@pytest.mark.thorough
def test_compiled_losses_are_the_same(make_config, monkeypatch, warnings):
    # Traced as ever, but without the machine code, whose making takes minutes.
    monkeypatch.setattr(compilation.torch, "compile", partial(torch.compile, backend="eager"))
    expected, _ = losses_of(make_config)
    got, _ = losses_of(make_config, "solver.compile=y")
    assert not [record for record in warnings.records if "solver.compile" in record.getMessage()]
    for one, other in zip(expected, got, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
