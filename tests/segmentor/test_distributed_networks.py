"""What several devices need of every network and objective: gradients everywhere, batch norms that can be shared."""

from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lib.models import NETWORKS
from lib.models.build import build_network
from lib.models.inplace_abn import InPlaceABN, synchronise_inplace_abn
from lib.utils import distributed
from lib.utils import runtime as runtimes
from lib.utils.config import Config, load_config
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.objectives import build_objective
from segmentor.trainer import Trainer
from segmentor.training.step import TrainingModel
from tests.models.configs import network_config
from tests.processes import in_two_processes

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
BACKBONE = "resnet18_dilated8"


def shipped() -> dict[str, Config]:
    """Every different network and objective of the shipped configs, at reduced width, by the first config with it."""
    found = {}
    for path in sorted(CONFIGS.rglob("*")):
        if path.suffix not in (".json", ".yaml") or path.parent.name == "_base_":
            continue
        small = ["network.base_channels=4"]
        contrast = load_config(path)[0].pixel_contrast
        if contrast is not None:
            small += ["pixel_contrast.max_samples=64"]
            small += ["pixel_contrast.memory_size=20"] if contrast.memory_size else []
        config = load_config(path, pairs=small, checks=[check_names])[0]
        include = {"network": ..., "samcl": ..., "pixel_contrast": ..., "loss": {"loss_type"}}
        # Five benchmarks of colour pictures share their networks: one of each will do.
        if config.data.num_channels == 1:
            include |= {"data": {"num_classes"}, "loss": ...}
        parts = config.model_dump(include=include)
        found.setdefault(str(parts), (path.stem, config))
    return dict(found.values())


SHIPPED = shipped()


def gradients(config: Config, iteration: int) -> dict[str, torch.Tensor | None]:
    """Of every parameter of network and objective, after a step on noise."""
    torch.manual_seed(0)
    model = TrainingModel(build_network(config), build_objective(config)).train()
    labels = torch.randint(-1, config.scored.num_classes, (2, 64, 64))
    images = torch.randn(2, config.data.num_channels, 64, 64)
    sum(model(images, labels, iteration).values()).backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("iteration", [0, 10**6], ids=["at the start", "after warm-ups"])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_parameter_of_every_shipped_config_gets_a_gradient(name, iteration):
    """What DistributedDataParallel waits for in every step, unless it has to look for parameters without."""
    found = gradients(SHIPPED[name], iteration)
    assert found
    assert not [name for name, gradient in found.items() if gradient is None]


def test_a_parameter_without_gradient_would_be_seen():
    config = SHIPPED["U_Base"]

    class Idle(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.idle = inner, nn.Parameter(torch.ones(1))

        def forward(self, images):
            return self.inner(images)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "build_network", lambda c, build=build_network: Idle(build(c)))
        assert [name for name, gradient in gradients(config, 0).items() if gradient is None] == ["network.idle"]


def small(name: str) -> nn.Module:
    """A network of reduced width."""
    backbone = BACKBONE if NETWORKS.facts(name)["backbone"] else "none"
    return build_network(network_config(name, backbone, base_channels=4))


def norms(module: nn.Module) -> set[type]:
    return {type(part) for part in module.modules() if isinstance(part, _BatchNorm)}


ONE_OF_A_KIND = {NETWORKS.get(name): name for name in NETWORKS.names()}
"""By builder: sizes of one architecture differ in their parameters alone."""


@pytest.mark.parametrize("name", ONE_OF_A_KIND.values())
def test_every_batch_norm_can_be_synchronised_and_keeps_its_weights(name):
    network = small(name).eval()
    image = torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        expected = network(image).logits
        converted = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        assert norms(converted) == {nn.SyncBatchNorm}
        assert torch.equal(converted(image).logits, expected)


@pytest.mark.parametrize("pairs", [("gcl.loss_weight=2",), ("loss.loss_type=segan_loss",)], ids=["SAM-CL", "SegAN"])
def test_a_trainer_synchronises_network_and_objective_and_optimises_what_it_trains(make_config, monkeypatch, pairs):
    monkeypatch.setattr("segmentor.trainer.synchronises_batch_norm", lambda bn_type, runtime: True)
    config = make_config(*pairs)
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
    assert norms(trainer.network) == norms(trainer.objective) == {nn.SyncBatchNorm}
    assert norms(trainer.step._model) == {nn.SyncBatchNorm}
    optimised = {id(p) for group in trainer.optimizer.param_groups for p in group["params"]}
    assert {id(parameter) for parameter in trainer.network.parameters()} <= optimised


@pytest.mark.parametrize(
    ("gpu", "local_rank", "expected"), [(None, 0, 0), (None, 2, 2), ([3, 1], 0, 3), ([3, 1], 1, 1)]
)
def test_the_device_is_that_of_the_local_rank(make_config, monkeypatch, gpu, local_rank, expected):
    """On the second of two machines: the rank counts all processes, the device those of the machine."""
    for name, value in {"RANK": 4 + local_rank, "WORLD_SIZE": 8, "LOCAL_RANK": local_rank}.items():
        monkeypatch.setenv(name, str(value))
    chosen, connected = [], []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(dist, "init_process_group", lambda *place, **device: connected.append((*place, device)))
    monkeypatch.setattr(runtimes, "seed_everything", lambda seed, rank: None)
    device = torch.device("cuda", expected)
    with start_runtime(make_config(f"gpu={gpu or 'null'}")) as runtime:
        assert runtime.device == device
        assert runtime.world == distributed.World(4 + local_rank, 8, local_rank)
    assert chosen == [device]
    assert connected == [("nccl", {"device_id": device})]


def norm_a_share(runtime, config, results):
    """One process of two: an InPlace-ABN in training on its share of a batch, 1 and 3 images."""
    norm, whole = inplace_abn_and_batch()
    synchronise_inplace_abn(norm)
    share = whole[:1] if runtime.world.rank == 0 else whole[1:]
    share = share.clone().requires_grad_()
    output = norm(share)
    (output * torch.arange(output.numel()).view(output.shape).sin()).sum().backward()
    for name, value in {"output": output, "gradient": share.grad, "weight": norm[0].weight.grad}.items():
        results[name] = value.detach()
    results |= {name: value.clone() for name, value in norm[0].named_buffers()}


def inplace_abn_and_batch():
    torch.manual_seed(0)
    norm = nn.Sequential(InPlaceABN(3)).train()
    nn.init.uniform_(norm[0].weight, -1, 1)
    return norm, 5 + 2 * torch.randn(4, 3, 6, 5)


def test_inplace_abn_over_two_processes_is_that_of_the_whole_batch(make_config, tmp_path):
    first, second = in_two_processes(norm_a_share, make_config(), tmp_path)
    norm, whole = inplace_abn_and_batch()
    whole.requires_grad_()
    output = norm(whole)
    factors = [torch.arange(part["output"].numel()).view(part["output"].shape).sin() for part in (first, second)]
    (output * torch.cat(factors)).sum().backward()
    close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-5)
    close(torch.cat([first["output"], second["output"]]), output.detach())
    close(torch.cat([first["gradient"], second["gradient"]]), whole.grad)
    close(first["weight"] + second["weight"], norm[0].weight.grad)
    for name, value in norm[0].named_buffers():
        for part in (first, second):
            close(part[name], value)
