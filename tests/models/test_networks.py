"""What every network promises, whatever its architecture."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from lib.models import NETWORKS, SegOutput, build_network
from lib.models.weights import load_weights
from lib.utils.errors import ConfigError
from tests.models.configs import network_config

NETWORK_CASES = [
    ("unet", "none"),
    ("unet_contrast", "none"),
    ("attention_unet", "none"),
    ("attention_unet_contrast", "none"),
    ("deeplab_v3", "xception_8"),
    ("deeplab_v3", "xception_16"),
    ("deeplab_v3", "resnet18_dilated8"),
    ("deeplab_v3_contrast", "resnet50_dilated8"),
    ("base_ocnet", "deepbase_resnet18_dilated8"),
    ("hrnet_w18", "none"),
    ("hrnet_w48_contrast", "none"),
    ("spatial_ocrnet", "resnet18_dilated8"),
    ("spatial_asp_ocrnet", "resnet18_dilated8"),
    ("asp_ocnet", "resnet18_dilated8"),
    ("isanet", "resnet18_dilated8"),
    ("fcnet", "resnet18_dilated8"),
    ("deeplab_v3_contrastiveseg_contrast", "resnet18_dilated8"),
    ("segfix_hrnet", "resnet18_dilated8"),
]
"""Heads on the cheapest backbone they can have."""

SLOW_CASES = [
    ("hrnet_w18_ocr_contrast", "none"),
    ("hrnet_w18_ocr_b", "none"),
    ("hrnet_w18_asp_ocr", "none"),
    ("segfix_hrnet", "hrnet18"),
    ("segfix_hrnet", "hrnet2x20"),
]
"""The same heads on bodies of many branches."""


def small(model_name: str, backbone: str, **kwargs: int) -> nn.Module:
    """The network at an eighth of its width, always with the same weights."""
    torch.manual_seed(0)
    return build_network(network_config(model_name, backbone, base_channels=8, **kwargs))


def image(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def test_every_registered_network_is_covered() -> None:
    """By one of those that its builder makes: sizes of one architecture differ in their parameters alone."""
    covered = {NETWORKS.get(name.removesuffix("_contrast")) for name, _ in [*NETWORK_CASES, *SLOW_CASES]}
    assert covered == {NETWORKS.get(name) for name in NETWORKS.names()}


def channels_of(model_name: str, classes: int = 6) -> int:
    """Channels of the logits: SegFix tells boundaries from the rest, whatever the classes are."""
    return 2 if model_name == "segfix_hrnet" else classes


@pytest.fixture(scope="module")
def network(model_name: str, backbone: str) -> nn.Module:
    """In eval mode; tests that train build their own."""
    return small(model_name, backbone).eval()


@pytest.mark.parametrize(
    ("model_name", "backbone"),
    [*NETWORK_CASES, *(pytest.param(*case, marks=pytest.mark.thorough) for case in SLOW_CASES)],
    scope="module",
)
class TestEveryNetwork:
    @pytest.mark.parametrize("size", [(32, 32), (37, 45), (64, 48)])
    def test_logits_have_the_input_size(self, network: nn.Module, model_name: str, size: tuple[int, int]) -> None:
        output = network(image(2, 1, *size))
        assert output.logits.shape == (2, channels_of(model_name), *size)
        assert output.direction is None or output.direction.shape == (2, 8, *size)

    def test_channels_and_classes_are_free(self, model_name: str, backbone: str) -> None:
        network = small(model_name, backbone, channels=3, classes=2)
        assert network(image(2, 3, 40, 33)).logits.shape == (2, channels_of(model_name, 2), 40, 33)

    @pytest.mark.parametrize(("height", "width"), [(15, 40), (40, 9), (5, 3)])
    def test_takes_frames_of_a_few_pixels(self, network: nn.Module, model_name: str, height: int, width: int) -> None:
        logits = network(image(1, 1, height, width)).logits
        assert logits.shape == (1, channels_of(model_name), height, width)
        assert logits.isfinite().all()

    def test_output_holds_what_the_registry_says(self, network: nn.Module, model_name: str, backbone: str) -> None:
        provides = NETWORKS.facts(model_name.removesuffix("_contrast"))["provides"]
        trained, evaluated = small(model_name, backbone)(image(2, 1, 48, 48)), network(image(2, 1, 48, 48))
        assert isinstance(evaluated, SegOutput)
        assert bool(trained.aux) == ("aux" in provides)
        assert evaluated.aux == ()
        for output in (trained, evaluated):
            assert (output.direction is not None) == ("direction" in provides)
            assert (output.embedding is not None) == model_name.endswith("_contrast")
            if output.embedding is not None:
                assert "embedding" in provides
                assert output.embedding.shape[:2] == (2, 64)
                lengths = output.embedding.norm(dim=1)
                torch.testing.assert_close(lengths, torch.ones_like(lengths))

    def test_gradients_reach_every_parameter(self, model_name: str, backbone: str) -> None:
        network = small(model_name, backbone)
        output = network(image(3, 1, 64, 64))
        others = [x for x in (output.embedding, output.direction) if x is not None]
        outputs = [output.logits, *output.aux, *others]
        sum((x * image(*x.shape)).sum() for x in outputs).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            # Batch norm takes back the biases before it, so only their gradients are zero.
            assert parameter.grad.abs().max() > 0 or name.endswith("bias"), name

    def test_evaluation_is_deterministic_and_independent_of_the_batch(self, network: nn.Module) -> None:
        batch = image(3, 1, 40, 48)
        first = network(batch).logits
        assert torch.equal(first, network(batch).logits)
        torch.testing.assert_close(first[1:2], network(batch[1:2]).logits, rtol=1e-4, atol=1e-5)

    def test_a_batch_of_one_trains(self, model_name: str, backbone: str) -> None:
        assert small(model_name, backbone)(image(1, 1, 64, 64)).logits.isfinite().all()

    def test_bf16_autocast_is_finite_and_close(self, network: nn.Module) -> None:
        batch = image(2, 1, 48, 40)
        with torch.autocast("cpu", torch.bfloat16):
            low = network(batch).logits
        high = network(batch).logits
        assert low.isfinite().all()
        assert (low - high).abs().max() < 0.1 * high.abs().max()

    def test_runs_on_fake_cuda_tensors(self, model_name: str, backbone: str) -> None:
        with FakeTensorMode(), torch.device("cuda"):
            output = small(model_name, backbone)(torch.empty(2, 1, 40, 48))
        assert output.logits.device.type == "cuda"
        assert output.logits.shape == (2, channels_of(model_name), 40, 48)

    def test_state_dict_round_trip(self, network: nn.Module, model_name: str, backbone: str) -> None:
        torch.manual_seed(5)
        other = build_network(network_config(model_name, backbone, base_channels=8)).eval()
        assert not torch.equal(other(image(1, 1, 32, 32)).logits, network(image(1, 1, 32, 32)).logits)
        notes = load_weights(other, {"format": 1, "config_dict": {}, "state_dict": network.state_dict()})
        assert notes == []
        assert torch.equal(other(image(1, 1, 32, 32)).logits, network(image(1, 1, 32, 32)).logits)

    @pytest.mark.thorough
    def test_exports(self, network: nn.Module) -> None:
        batch = image(1, 1, 48, 64)
        exported = torch.export.export(network, (batch,)).module()
        torch.testing.assert_close(exported(batch).logits, network(batch).logits)

    @pytest.mark.thorough
    def test_compiles_as_one_graph(self, network: nn.Module) -> None:
        network = deepcopy(network)
        for stage in getattr(network.backbone, "stages", ()) if hasattr(network, "backbone") else ():
            del stage[1:]  # modules alike, which take a minute
        batch = image(1, 1, 48, 64)
        torch.compiler.reset()
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(batch).logits, network(batch).logits)

    def test_channels_last_gives_the_same(self, model_name: str, backbone: str, network: nn.Module) -> None:
        batch = image(2, 1, 48, 64)
        last = small(model_name, backbone).eval().to(memory_format=torch.channels_last)
        torch.testing.assert_close(
            last(batch.to(memory_format=torch.channels_last)).logits,
            network(batch).logits,
            rtol=1e-4,
            atol=1e-5,
        )

    def test_the_seed_decides_the_weights(self, model_name: str, backbone: str) -> None:
        pairs = zip(small(model_name, backbone).parameters(), small(model_name, backbone).parameters(), strict=True)
        assert all(torch.equal(first, second) for first, second in pairs)


def test_unknown_names_list_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match=r"atention_unet.*did you mean attention_unet\?.*hrnet_w48"):
        build_network(network_config("atention_unet"))
    with pytest.raises(ConfigError, match="xception_8"):
        build_network(network_config("deeplab_v3", "xeption_8"))


def test_a_backbone_without_effect_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with torch.device("meta"):
        build_network(network_config("hrnet_w18", "deepbase_resnet101_dilated8", base_channels=8))
    assert "hrnet_w18" in caplog.text
    assert "deepbase_resnet101_dilated8" in caplog.text


def test_multi_grid_dilates_the_last_layer() -> None:
    config = network_config("deeplab_v3", "resnet50_dilated8", base_channels=8)
    config = config.model_copy(update={"network": config.network.model_copy(update={"multi_grid": [1, 2, 4]})})
    layers = build_network(config).backbone
    assert [block.conv2.dilation[0] for block in layers.layer3] == [1, 2, 2, 2, 2, 2]
    assert [block.conv2.dilation[0] for block in layers.layer4] == [2, 8, 16]
