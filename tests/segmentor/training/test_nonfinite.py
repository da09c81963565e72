"""A step that isn't finite changes nothing, is found, told of and saved for study; a bounded number may be left out."""

import copy
import math
import os
import re
from contextlib import suppress

import numpy as np
import pytest
import torch

from lib.utils.checkpoint import load_checkpoint
from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from segmentor.training.nonfinite import LossRecord, rebuild_batch
from tests.processes import in_two_processes
from tests.segmentor.steps import ObservedStep

CASES = {
    "SGD": (),
    "Adam, SAM-CL": ("optim.optim_method=adam", "gcl.loss_weight=2", "gcl.apply_spectral_norm=y"),
    "AdamW, memory": (
        *("optim.optim_method=adamw", "network.model_name=unet_contrast", "loss.loss_type=mem_contrast_ce_loss"),
        *("contrast.proj_dim=4", "contrast.memory_size=9"),
    ),
    "adversarial": ("loss.loss_type=segan_loss",),
}


def poison(trainer, *steps):
    """Let the images of some steps (from 0) hold a pixel that isn't a number."""
    batches = trainer.batches

    class Poisoned:
        num_samples = batches.num_samples

        def __iter__(self):
            for step, batch in enumerate(batches, trainer.iteration):
                if step in steps:
                    batch["image"][0, 0, 5, 7] = math.nan
                yield batch

    trainer.batches = Poisoned()


def states(trainer):
    """Everything that a step changes but its count and the learning rate."""
    step = trainer.step.state_dict()
    optimizers = [step[name]["state"] for name in ("optimizer", "critic_optimizer") if step[name]]
    buffers = [dict(module.named_buffers()) for module in (trainer.network, trainer.objective)]
    parameters = [dict(module.named_parameters()) for module in (trainer.network, trainer.objective)]
    return copy.deepcopy([*optimizers, *buffers, *parameters])


def tensors_in(tree):
    if isinstance(tree, torch.Tensor):
        yield tree
    else:
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from tensors_in(value)


@pytest.mark.parametrize("bad", [0, 2])
@pytest.mark.parametrize("case", CASES)
def test_a_step_that_is_not_finite_changes_no_state(make_config, case, bad):
    config = make_config("solver.on_nonfinite=skip", "solver.max_iters=4", "solver.test_interval=9", *CASES[case])
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        poison(trainer, bad)
        before, same = [], []

        def compare(result, iteration):
            # An optimiser may make its state, of zeros, in its first step.
            old, new = ([t for t in tensors_in(state) if t.any()] for state in (before.pop(), states(trainer)))
            same.append(len(old) == len(new) and all(map(torch.equal, old, new)))

        ObservedStep(trainer, lambda batch, iteration: before.append(states(trainer)), compare)
        trainer.run()
    assert same == [iteration == bad for iteration in range(4)]
    assert trainer.nonfinite.count == 1
    assert all(t.isfinite().all() for t in tensors_in(states(trainer)))


def test_it_is_found_at_the_next_display_step_with_all_that_is_needed_for_study(make_config):
    config = make_config("solver.display_iter=3", "gcl.loss_weight=2")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        poison(trainer, 1)
        with pytest.raises(FloatingPointError) as caught:
            trainer.run()
    assert trainer.iteration == 3
    message = str(caught.value)
    path = trainer.checkpoints.sibling_path("nonfinite_2.npz")
    expected = rebuild_batch(config, 1)
    assert re.match(r"loss not finite in iteration 2 \(seg_loss nan, samcl_loss nan\); the step was left out", message)
    assert f"its frames {', '.join(expected['name'])} are in {path}" in message
    assert "lower lr.base_lr" in message
    assert "solver.on_nonfinite skip" in message
    with np.load(path) as saved:
        assert np.array_equal(saved["image"], expected["image"].numpy())
        assert np.array_equal(saved["label"], expected["label"].numpy())
        assert saved["name"].tolist() == expected["name"]


def test_a_full_disk_hides_no_loss_that_is_not_finite(make_config, small_disk):
    # Room for the table of losses, none for a batch.
    config = make_config(f"checkpoints.checkpoints_root={small_disk}", "solver.display_iter=1")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        poison(trainer, 1)
        with open(small_disk / "filler", "wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(small_disk / "filler", (small_disk / "filler").stat().st_size - 3 * 4096)
        with pytest.raises(
            FloatingPointError,
            match=r"in iteration 2 .*its frames .* are not kept \(.*\.npz: can't be written: No space",
        ):
            trainer.run()
    assert not trainer.checkpoints.sibling_path("nonfinite_2.npz").exists()


def test_the_batch_of_a_step_is_made_again(make_config):
    config = make_config("data.drop_last=n", "data.workers=2")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        for index, batch in zip(range(5), trainer.batches, strict=False):
            again = rebuild_batch(config, index)
            assert torch.equal(batch["image"], again["image"])
            assert batch["name"] == again["name"]


def test_left_out_steps_are_bounded_also_over_interruptions(make_config):
    pairs = ("solver.on_nonfinite=skip", "solver.max_nonfinite=2", "solver.display_iter=1")
    config = make_config("solver.max_iters=3", *pairs)
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        poison(trainer, 0, 2)
        trainer.run()
        latest = trainer.checkpoints.path("latest")
        assert load_checkpoint(latest)["training"]["nonfinite"] == 2
        config = make_config(f"network.resume={latest}", "network.resume_continue=y", *pairs)
        trainer = Trainer(config, runtime)
        poison(trainer, 4)
        with pytest.raises(FloatingPointError, match=r"in iteration 5 .*more than solver.max_nonfinite \(2\)"):
            trainer.run()


def test_losses_that_are_displayed_leave_it_out():
    record = LossRecord()
    for index, value in enumerate([1.0, math.nan, 3.0]):
        record.add(index, {"seg_loss": torch.tensor(value)}, torch.tensor(math.isnan(value)))
    assert [step.index for step in record.read()] == [1]
    assert record.means() == {"seg_loss": 2.0}
    assert math.isnan(record.means()["seg_loss"])


def test_losses_are_read_now_and_then_although_none_are_displayed():
    record = LossRecord()
    for index in range(100):
        assert not record.is_full
        record.add(index, {"seg_loss": torch.tensor(1.0)}, torch.tensor(index == 70))
    assert record.is_full
    assert [step.index for step in record.read()] == [70]


def train_with_one_bad_process(runtime, config, results):
    trainer = Trainer(config, runtime)
    if runtime.world.rank == 1:
        poison(trainer, 1)
    before = {}

    def remember(batch, iteration):
        if iteration == 1:
            before.update(copy.deepcopy(trainer.network.state_dict()))

    def compare(result, iteration):
        if iteration == 1:
            results["unchanged"] = all(torch.equal(v, before[k]) for k, v in trainer.network.state_dict().items())

    ObservedStep(trainer, remember, compare)
    try:
        trainer.run()
    except FloatingPointError as error:
        results["message"] = str(error)


def test_what_one_process_finds_masks_the_step_of_all(make_config, tmp_path):
    results = in_two_processes(train_with_one_bad_process, make_config(), tmp_path)
    assert [result["unchanged"] for result in results] == [True, True]
    assert results[0]["message"] == results[1]["message"]
    # Each shows its own losses, as the others' are what they were.
    assert re.search(r"iteration 2 \(process 0: seg_loss \d.*; process 1: seg_loss nan\)", results[0]["message"])
