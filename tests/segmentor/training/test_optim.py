"""Learning rates: the published groups, and the policies against PyTorch's own schedulers."""

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, lr_scheduler

from lib.models import build_network
from segmentor.training.optim import Schedule, build_optimizer, learning_rate_factor


def run_of(scheduler, optimizer, steps):
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("pairs", "reference"),
    [
        (("lr.lr_policy=lambda_poly",), lambda o: lr_scheduler.PolynomialLR(o, total_iters=20, power=0.9)),
        (
            ("lr.lr_policy=lambda_cosine", "lr.lambda_cosine.final_ratio=0.1"),
            lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.005),
        ),
        (
            ("lr.lr_policy=step", "lr.step.step_size=4", "lr.step.gamma=0.5"),
            lambda o: lr_scheduler.StepLR(o, 4, 0.5),
        ),
        (
            ("lr.lr_policy=multistep", "lr.multistep.stepvalue=[3,9]", "lr.multistep.gamma=0.2"),
            lambda o: lr_scheduler.MultiStepLR(o, [3, 9], 0.2),
        ),
    ],
)
def test_policy_equals_pytorchs(make_config, pairs, reference):
    factor = learning_rate_factor(make_config("solver.max_iters=20", *pairs))
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=0.05)
    expected = run_of(reference(optimizer), optimizer, 20)
    assert [0.05 * factor(t) for t in range(20)] == pytest.approx(expected)


def test_warm_up_rises_to_the_policy(make_config):
    factor = learning_rate_factor(make_config("lr.is_warm=y", "lr.warm.warm_iters=4", "lr.lr_policy=step"))
    assert [factor(t) for t in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_groups_are_the_published_ones(make_config):
    network = nn.ModuleDict(
        {name: nn.Linear(1, 1) for name in ("backbone", "aux_layer", "upsample_proj", "classifier")}
    )
    optimizer = build_optimizer(
        network, nn.Conv2d(1, 1, 1).parameters(), make_config("lr.base_lr=0.01", "lr.nbb_mult=3")
    )
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert {name: rates[id(module.weight)] for name, module in network.items()} == pytest.approx(
        {"backbone": 0.01, "aux_layer": 0.1, "upsample_proj": 0.1, "classifier": 0.03}
    )
    assert len(rates) == 10


def test_auxiliary_classifiers_learn_as_other_heads_do(make_config):
    """As in the published code, in which none bears a name that learns ten times as fast."""
    config = make_config(
        *("lr.base_lr=0.01", "lr.nbb_mult=3", "network.model_name=base_ocnet", "network.base_channels=1"),
        *("network.backbone=deepbase_resnet18_dilated8", "loss.loss_type=fs_auxce_loss"),
    )
    network = build_network(config)
    rates = {id(p): group["lr"] for group in build_optimizer(network, [], config).param_groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        assert rates[id(parameter)] == pytest.approx(0.01 if name.startswith("backbone.") else 0.03), name


def test_plateau_lowers_the_rate_when_the_score_stops_rising(make_config):
    config = make_config("lr.lr_policy=plateau", "lr.plateau.patience=1", "lr.plateau.factor=0.1", "lr.base_lr=1")
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=1)
    schedule = Schedule(optimizer, config)
    for miou in (0.5, 0.6, 0.6, 0.6):
        schedule.after_validation(miou)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        ("sgd", lambda weights: SGD(weights, 0.05, momentum=0.9, weight_decay=5e-4, fused=False)),
        ("adam", lambda weights: Adam(weights, 0.05, weight_decay=1e-4, fused=False)),
        ("adamw", lambda weights: AdamW(weights, 0.05, weight_decay=1e-4, fused=False)),
    ],
)
def test_optimisers_are_pytorchs_also_for_channels_last_weights_and_after_a_resume(make_config, method, reference):
    def small_network():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)).to(memory_format=torch.channels_last)

    images = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(1))
    ours, theirs = small_network(), small_network()
    config = make_config(f"optim.optim_method={method}")
    optimizer, expected = build_optimizer(ours, [], config), reference(theirs.parameters())
    for step in range(6):
        if step == 3:
            state = optimizer.state_dict()
            optimizer = build_optimizer(ours, [], config)
            optimizer.load_state_dict(state)
        for network, one in ((ours, optimizer), (theirs, expected)):
            one.zero_grad()
            network(images).square().mean().backward()
            one.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-6)
