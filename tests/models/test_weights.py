"""Loading weights: whose they are is recognised, and what doesn't fit is named."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18, resnet50

from lib.models import build_network
from lib.models.weights import load_weights
from lib.utils.errors import CheckpointError
from tests.models.configs import network_config


def unet(**kwargs: int) -> nn.Module:
    return build_network(network_config("unet", base_channels=4, **kwargs))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("wrap", ["state_dict", "model", None])
def test_every_form_of_file_loads(tmp_path: Path, prefix: str, wrap: str | None) -> None:
    source, target = unet(), unet()
    weights = {prefix + key: value for key, value in source.state_dict().items()}
    torch.save({wrap: weights, "config_dict": {"lr": 0.1}} if wrap else weights, tmp_path / "x.pth")
    assert load_weights(target, tmp_path / "x.pth") == []
    assert same(source.state_dict(), target.state_dict())


def test_all_faults_are_listed_and_nothing_is_loaded() -> None:
    target = unet()
    before = {key: value.clone() for key, value in target.state_dict().items()}
    weights = unet(classes=3).state_dict()
    del weights["encoder.0.0.weight"]
    weights["stray.weight"] = torch.zeros(2)
    with pytest.raises(CheckpointError) as caught:
        load_weights(target, weights)
    message = str(caught.value)
    assert "4 weights don't fit UNet" in message
    assert "missing: encoder.0.0.weight (4, 1, 3, 3)" in message
    assert "wrong shape: classifier.weight: expected (6, 4, 1, 1), got (3, 4, 1, 1)" in message
    assert "wrong shape: classifier.bias: expected (6,), got (3,)" in message
    assert "left over: stray.weight (2,)" in message
    assert "--resume_strict n" in message
    assert same(before, target.state_dict())


def test_without_strict_what_fits_is_loaded_and_the_rest_reported() -> None:
    source, target = unet(classes=3), unet()
    (note,) = load_weights(target, source.state_dict(), strict=False)
    assert "classifier.weight" in note
    assert torch.equal(target.encoder[0][0].weight, source.encoder[0][0].weight)


def test_published_names_appear_in_faults() -> None:
    weights = {"Conv1.conv.0.weight": torch.zeros(4, 1, 3, 3), "Conv_1x1.weight": torch.zeros(9, 4, 1, 1)}
    network = build_network(network_config("attention_unet", base_channels=4))
    with pytest.raises(CheckpointError, match=r"wrong shape: Conv_1x1\.weight: expected \(6, 4, 1, 1\)"):
        load_weights(network, weights)


@pytest.mark.parametrize("strict", [True, False])
def test_weights_of_another_network_are_refused(strict: bool) -> None:
    attention = build_network(network_config("attention_unet", base_channels=4))
    with pytest.raises(CheckpointError, match=r"none of its \d+ weights fits.*network\.model_name"):
        load_weights(unet(), {f"x.{key}": value for key, value in attention.state_dict().items()}, strict)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {}}, {0: torch.zeros(1)}])
def test_content_without_weights_is_refused(content: dict) -> None:
    with pytest.raises(CheckpointError, match="expected weights by name"):
        load_weights(unet(), content)


def test_a_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "run": Path("x")}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="x.pth"):
        load_weights(unet(), tmp_path / "x.pth")


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_torchvisions_resnet_fills_the_backbone(tmp_path: Path, channels: int) -> None:
    reference = resnet18()
    weights = reference.state_dict()
    if channels == 1:  # as the oldest files are
        weights = {key: value for key, value in weights.items() if not key.endswith("num_batches_tracked")}
    torch.save(weights, tmp_path / "resnet18.pth")
    network = build_network(network_config("deeplab_v3", "resnet18_dilated8", channels=channels))
    head = network.classifier.weight.clone()
    notes = load_weights(network, tmp_path / "resnet18.pth")
    assert any("ImageNet" in note for note in notes)
    assert torch.equal(network.backbone.layer4[1].bn2.weight, reference.layer4[1].bn2.weight)
    assert torch.equal(network.classifier.weight, head)
    grey = torch.randn(1, 1, 32, 32)
    torch.testing.assert_close(
        network.backbone.stem.conv1(grey.expand(-1, channels, -1, -1)),
        reference.conv1(grey.expand(-1, 3, -1, -1)),
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_backbone_alone_is_refused_where_a_whole_network_is_needed() -> None:
    network = build_network(network_config("deeplab_v3", "resnet18_dilated8", channels=3))
    before = network.backbone.layer4[1].bn2.weight.clone()
    with pytest.raises(CheckpointError, match=r"network\.pretrained"):
        load_weights(network, resnet18().state_dict(), accept_backbone=False)
    assert torch.equal(network.backbone.layer4[1].bn2.weight, before)


def test_another_resnet_is_refused_by_name() -> None:
    with torch.device("meta"):
        network = build_network(network_config("deeplab_v3", "resnet18_dilated8"))
        weights = resnet50().state_dict()
    with pytest.raises(CheckpointError, match=r"left over: layer1\.0\.conv3\.weight"):
        load_weights(network, weights)


def test_a_7x7_stem_does_not_fit_a_deep_one() -> None:
    with torch.device("meta"):
        network = build_network(network_config("base_ocnet", "deepbase_resnet18_dilated8"))
        weights = resnet18().state_dict()
    with pytest.raises(CheckpointError, match=r"wrong shape: conv1\.weight(.|\n)*missing: backbone\.stem\.conv2"):
        load_weights(network, weights)


def test_hrnets_imagenet_classifier_fills_the_backbone(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    reference = timm.create_model("hrnet_w18").eval()
    torch.save({"state_dict": reference.state_dict()}, tmp_path / "hrnet.pth")
    network = build_network(network_config("hrnet_w18")).eval()
    notes = load_weights(network, tmp_path / "hrnet.pth")
    assert any("ImageNet" in note for note in notes)
    grey = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        x = reference.act1(reference.bn1(reference.conv1(grey.expand(-1, 3, -1, -1))))
        x = reference.layer1(reference.act2(reference.bn2(reference.conv2(x))))
        maps = reference.stage2([transition(x) for transition in reference.transition1])
        ours = network.backbone.layer1(network.backbone.stem(grey))
        ours = network.backbone.stages[0]([transition(ours) for transition in network.backbone.transitions[0]])
    torch.testing.assert_close(ours[1], maps[1], rtol=1e-4, atol=1e-5)  # the branch that nothing is upsampled for


def test_an_hrnet_of_a_former_version_keeps_the_bias_of_its_classifier() -> None:
    former = build_network(network_config("hrnet_w18", base_channels=8)).eval()
    former.classifier.bias = nn.Parameter(torch.randn(6))
    network = build_network(network_config("hrnet_w18", base_channels=8)).eval()
    assert load_weights(network, former.state_dict()) == []
    image = torch.randn(1, 1, 32, 32)
    assert torch.equal(network(image).logits, former(image).logits)


def test_imagenet_weights_of_openseg_fill_deep_stems_and_hrnet2x() -> None:
    for name, backbone in (("base_ocnet", "deepbase_resnet18_dilated8"), ("segfix_hrnet", "hrnet2x20")):
        network = build_network(network_config(name, backbone, channels=3, base_channels=8))
        ours = network.backbone.state_dict()
        weights = {openseg_name(backbone, key): torch.full_like(value, 2) for key, value in ours.items()}
        weights["fc.weight"] = torch.zeros(1000, 8)
        notes = load_weights(network, weights)
        assert any("ImageNet" in note for note in notes)
        assert all((value == 2).all() for value in network.backbone.state_dict().values())


def openseg_name(backbone: str, key: str) -> str:
    """What openseg's ImageNet classifiers call a weight."""
    if backbone.startswith("deepbase"):
        return key.removeprefix("stem.")
    stage = re.sub(r"^transitions\.", "transition", re.sub(r"^stages\.(\d)", lambda m: f"stage{int(m[1]) + 1}", key))
    return re.sub(r"^stem\.0\.", "conv1.", re.sub(r"^stem\.1\.", "bn1.", stage))


def test_pretrained_weights_of_a_wrong_kind_say_which_file_fits() -> None:
    with torch.device("meta"):
        network = build_network(network_config("hrnet_w48_ocr"))
        deep = build_network(network_config("isanet", "deepbase_resnet18_dilated8"))
        weights = resnet18().state_dict()
    with pytest.raises(CheckpointError, match=r"hrnetv2_w48_imagenet_pretrained\.pth"):
        load_weights(network, weights)
    with pytest.raises(CheckpointError, match=r"resnet18-imagenet\.pth of openseg"):
        load_weights(deep, weights)
