"""The networks of openseg.pytorch and ContrastiveSeg: same parameters, same keys under the renaming, same outputs."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lib.models import build_network
from lib.models.blocks import resize
from lib.models.inplace_abn import InPlaceABN, use_inplace_abn
from lib.models.weights import load_weights
from lib.utils.errors import CheckpointError
from tests.models.configs import network_config, probe_rgb, published_fill

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden" / "rgb"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"reference values are not at {GOLDEN}")
RESNET = "deepbase_resnet101_dilated8"

# Stem of the reference files to (model_name, backbone) and parameters at 19 classes and 3 channels, as published.
PUBLISHED = {
    "hrnet_w48": ("hrnet_w48", "none", 70_006_560),
    "hrnet_w48_ocr": ("hrnet_w48_ocr", "none", 74_522_182),
    "hrnet_w48_ocr_b": ("hrnet_w48_ocr_b", "none", 68_952_550),
    "hrnet_w48_asp_ocr": ("hrnet_w48_asp_ocr", "none", 75_977_664),
    "hrnet_w48_contrast": ("hrnet_w48_contrast", "none", 70_711_696),
    "hrnet_w48_ocr_contrast": ("hrnet_w48_ocr_contrast", "none", 75_227_318),
    "hrnet_w48_mem": ("hrnet_w48_contrast", "none", 70_711_696),
    "spatial_ocrnet": ("spatial_ocrnet", RESNET, 57_988_838),
    "spatial_asp_ocrnet": ("spatial_asp_ocrnet", RESNET, 67_256_166),
    "base_ocnet": ("base_ocnet", RESNET, 57_987_302),
    "asp_ocnet": ("asp_ocnet", RESNET, 62_477_414),
    "isanet": ("isanet", RESNET, 59_167_718),
    "fcnet": ("fcnet", RESNET, 56_802_240),
    "segfix_hrnet": ("segfix_hrnet", "hrnet48", 65_697_344),
    "segfix_hrnet2x20": ("segfix_hrnet", "hrnet2x20", 47_406_208),
    "deeplab_v3_contrastiveseg": ("deeplab_v3_contrastiveseg", RESNET, 89_570_278),
    "deeplab_v3_contrast": ("deeplab_v3_contrastiveseg_contrast", RESNET, 94_295_270),
}
OPENSEG = [name for name in PUBLISHED if not name.endswith(("contrast", "mem", "contrastiveseg"))]
"""Those that are published with InPlace-ABN."""


@cache
def network_of(name: str, bn_type: str = "torchbn") -> nn.Module:
    """On the meta device, where loading weights changes nothing: the tests share it."""
    model_name, backbone, _ = PUBLISHED[name]
    with torch.device("meta"):
        return build_network(
            network_config(model_name, backbone, channels=3, classes=19, bn_type=bn_type, proj_dim=256)
        )


def specification(name: str, inplace: bool = False) -> dict[str, list[int]]:
    """Published key to shape; with InPlace-ABN a pair of batch norm and ReLU is one module, and counts no batches."""
    spec = json.loads((GOLDEN / "networks" / f"{name}.json").read_text())
    if not inplace:
        return spec
    pairs = {key.removesuffix(".running_mean") for key in spec if key.endswith(".0.running_mean")}
    renamed = {}
    for key, shape in spec.items():
        owner, _, leaf = key.rpartition(".")
        if leaf != "num_batches_tracked":
            renamed[f"{owner.removesuffix('.0')}.{leaf}" if owner in pairs else key] = shape
    return renamed


def empty(spec: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """Weights without values."""
    with torch.device("meta"):
        return {key: torch.empty(shape) for key, shape in spec.items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameter_count(name: str) -> None:
    assert sum(p.numel() for p in network_of(name).parameters()) == PUBLISHED[name][2]


@needs_golden
@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
@pytest.mark.parametrize(
    ("name", "inplace"),
    [
        *((name, False) for name in PUBLISHED),
        *(pytest.param(name, True, marks=pytest.mark.thorough) for name in OPENSEG),
    ],
)
def test_every_published_weight_finds_its_place(name: str, inplace: bool) -> None:
    weights = empty(specification(name, inplace))
    (note,) = load_weights(network_of(name, "inplace_abn" if inplace else "torchbn"), {"state_dict": weights})
    assert "published" in note


@needs_golden
@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("name", ["spatial_ocrnet", "asp_ocnet"])
def test_weights_of_the_other_arithmetic_are_refused(name: str, inplace: bool) -> None:
    network = network_of(name, "torchbn" if inplace else "inplace_abn")
    remedy = "network.bn_type inplace_abn$" if inplace else "network.bn_type torchsyncbn$"
    with pytest.raises(CheckpointError, match=remedy):
        load_weights(network, empty(specification(name, inplace)), strict=False)


def outputs_of(network: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """Logits and auxiliary logits at the features' size, and the embedding, by their prefixes in reference files."""
    found: dict[str, Tensor] = {}

    def keep(prefix: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda module, inputs, output: found.__setitem__(prefix, output))

    keep("", network.classifier if hasattr(network, "classifier") else network.head)
    if hasattr(network, "auxiliary"):
        keep("aux_", network.auxiliary)
    with torch.inference_mode():
        output = network(image)
        if hasattr(network, "auxiliary") and "aux_" not in found:
            network.auxiliary(network.backbone.head_features(image)[0])
    torch.testing.assert_close(output.logits, resize(found[""], image.shape[-2:]), rtol=0, atol=0)
    if output.embedding is not None:
        found["embed_"] = output.embedding
    return found


@needs_golden
@pytest.mark.thorough
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("logits_*.npz")), ids=lambda path: path.stem)
def test_outputs_match_the_published_network(path: Path) -> None:
    golden, name = np.load(path), path.stem.removeprefix("logits_")
    inplace = name.endswith("_inplace_abn")
    name = name.removesuffix("_inplace_abn")
    network = deepcopy(network_of(name, "inplace_abn" if inplace else "torchbn")).to_empty(device="cpu").eval()
    spec, options = specification(name, inplace), (float(golden["gain"]), bool(golden["signed_scales"]))
    load_weights(network, {key: published_fill(key, tuple(shape), *options) for key, shape in spec.items()})
    outputs = outputs_of(network, probe_rgb())
    prefixes = {key.removesuffix("sample") for key in golden if key.endswith("sample")}
    assert outputs.keys() == prefixes
    for prefix in prefixes:
        output = outputs[prefix]
        if output.shape != tuple(golden[f"{prefix}shape"]):  # published at the image's size
            output = resize(output, golden[f"{prefix}shape"][-2:].tolist())
        sample = output[0][:, golden[f"{prefix}row"]][:, :, golden[f"{prefix}col"]].numpy()
        tolerance = 2e-5 * float(golden[f"{prefix}max_abs"])
        np.testing.assert_allclose(sample, golden[f"{prefix}sample"], rtol=0, atol=tolerance)
        assert abs(output.abs().max().item() - golden[f"{prefix}max_abs"]) <= tolerance


def test_inplace_abn_follows_its_formula() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.BatchNorm2d(3), nn.ReLU(), nn.ModuleDict({"backbone": nn.ReLU()})["backbone"])
    use_inplace_abn(network)
    norm, activation, _ = network
    assert isinstance(norm, InPlaceABN)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(4, 3, 5, 6, dtype=torch.float64)
    norm.double()
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
    weight, bias = norm.weight.view(1, -1, 1, 1), norm.bias.view(1, -1, 1, 1)
    expected = (x - mean) * (variance + 1e-5).rsqrt() * (weight.abs() + 1e-5) + bias
    torch.testing.assert_close(norm(x), expected)
    torch.testing.assert_close(activation(expected), torch.where(expected > 0, expected, 0.01 * expected))


def test_inplace_abn_keeps_the_relus_of_backbones() -> None:
    with torch.device("meta"):
        network = build_network(network_config("spatial_ocrnet", "resnet18_dilated8", bn_type="inplace_abn"))
    kinds = {name: type(m) for name, m in network.named_modules() if isinstance(m, nn.ReLU | nn.LeakyReLU)}
    assert {kind for name, kind in kinds.items() if name.startswith("backbone.")} == {nn.ReLU}
    assert {kind for name, kind in kinds.items() if not name.startswith("backbone.")} == {nn.LeakyReLU}
    assert {type(m) for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {InPlaceABN}
