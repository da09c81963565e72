"""A run that was killed goes on as if nothing had been, whatever it optimises: real processes, really killed."""

import pytest

from lib.utils.checkpoint import load_checkpoint
from scripts.kill_and_resume import Lost, Run, kill_and_resume
from scripts.small_run import prepare

FAMILIES = {
    "pixel loss": (),
    "auxiliary output": (
        *("loss.loss_type=fs_auxce_loss", "network.model_name=base_ocnet"),
        "network.backbone=deepbase_resnet18_dilated8",
    ),
    "SAM-CL": ("gcl.loss_weight=2", "optim.optim_method=adamw", "solver.display_iter=3"),
    "memory": (
        *("network.model_name=unet_contrast", "loss.loss_type=mem_contrast_ce_loss"),
        *("contrast.proj_dim=4", "contrast.memory_size=20", "contrast.warmup_iters=2"),
    ),
    "adversarial": ("loss.loss_type=segan_loss", "lr.lr_policy=plateau"),
}
ITERATIONS = 12


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """A folder with frames, and the config that learns them."""
    folder = tmp_path_factory.mktemp("small")
    return folder, prepare(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_and_resumed_runs_are_the_uninterrupted_one_to_the_bit(small_run, family):
    name = family.replace(" ", "_")
    straight = Run(*small_run, f"{name}_straight", FAMILIES[family], ITERATIONS)
    straight.live(workers=0)
    for workers in (0, 2) if family == "pixel loss" else (2,):
        killed = Run(*small_run, f"{name}_killed_{workers}", FAMILIES[family], ITERATIONS)
        # Three frames a batch of ten: after five steps, or a few more, it is the middle of an epoch.
        assert not killed.live(workers, dies=killed.latest.exists)
        assert load_checkpoint(killed.latest)["training"]["iteration"] == 5
        assert killed.live(workers)
        killed.compare(straight)


@pytest.mark.thorough
def test_random_kills_lose_nothing(tmp_path):
    kill_and_resume(tmp_path, kills=3, seed=1, speak=lambda line: None)


def test_a_difference_is_found(small_run):
    runs = [Run(*small_run, f"rate{seed}", [f"lr.base_lr=0.{seed}"], iterations=1) for seed in (1, 2)]
    for run in runs:
        run.live(workers=0)
    with pytest.raises(Lost, match="differ"):
        runs[0].compare(runs[1])
    runs[0].compare(runs[0])
