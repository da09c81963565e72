"""A training step never waits for the device, starts without what it doesn't need, and may be compiled."""

import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from segmentor.training import compilation

REPO = Path(__file__).resolve().parents[3]
WAITING = {"_local_scalar_dense", "item", "nonzero", "is_nonzero", "masked_select", "_unique2", "unique_dim", "equal"}
WAITING |= {"bincount", "repeat_interleave", "_linalg_check_errors"}
"""Operators whose result the host must have, or whose size depends on values."""


class WaitingOperators(TorchDispatchMode):
    """Lists the operators that would wait for a device."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        name = function._schema.name.partition("::")[2]
        by_mask = name.startswith("index") and any(
            isinstance(index, torch.Tensor) and index.dtype is torch.bool
            for index in (arguments[1] if len(arguments) > 1 and isinstance(arguments[1], list | tuple) else ())
        )
        if name in WAITING or by_mask:
            self.found.append(name)
        return function(*arguments, **(named or {}))


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


def test_the_list_of_waiting_operators_sees_them():
    values = torch.arange(3.0)
    with WaitingOperators() as waiting:
        float(values.sum())
        values[values > 1]
        values.nonzero()
        bool(values.any())
    assert set(waiting.found) == {"_local_scalar_dense", "index", "nonzero"}


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


def test_compiled_losses_are_the_same(make_config, monkeypatch, warnings):
    # Traced as ever, but without the machine code, whose making takes minutes.
    monkeypatch.setattr(compilation.torch, "compile", partial(torch.compile, backend="eager"))
    expected, _ = losses_of(make_config)
    got, _ = losses_of(make_config, "solver.compile=y")
    assert not [record for record in warnings.records if "solver.compile" in record.getMessage()]
    for one, other in zip(expected, got, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
