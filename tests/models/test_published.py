"""The networks are the published ones: same parameters, same keys under the renaming, same logits."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.models import build_network
from lib.models.weights import load_weights
from tests.models.configs import fill, network_config, probe, published_fill

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
needs_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"reference values are not at {GOLDEN}")

# Stem of the reference files to (model_name, backbone).
PUBLISHED = {
    "unet": ("unet", "none"),
    "unet_contrast": ("unet_contrast", "none"),
    "attention_unet": ("attention_unet", "none"),
    "attention_unet_contrast": ("attention_unet_contrast", "none"),
    "deeplab_v3_xception_8": ("deeplab_v3", "xception_8"),
    "deeplab_v3_xception_16": ("deeplab_v3", "xception_16"),
    "deeplab_v3_resnet101_dilated8": ("deeplab_v3", "resnet101_dilated8"),
    "base_ocnet_deepbase_resnet101_dilated8": ("base_ocnet", "deepbase_resnet101_dilated8"),
}

# Parameters at 6 classes and 1 channel. The HRNet of the published SAM-CL was none, so its counts are this code's own.
PARAMETERS = {
    ("unet", "none"): 31_036_806,
    ("attention_unet", "none"): 34_877_746,
    ("deeplab_v3", "xception_8"): 54_707_030,
    ("deeplab_v3", "xception_16"): 54_707_030,
    ("deeplab_v3", "resnet101_dilated8"): 59_334_182,
    ("base_ocnet", "deepbase_resnet101_dilated8"): 57_972_812,
    ("hrnet_w18", "none"): 10_219_638,
    ("hrnet_w32", "none"): 31_382_304,
    ("hrnet_w48", "none"): 69_996_048,
}

# Logits of class 0, 1, 3, 5 at four pixels, at an eighth of the width, weights from ``fill``, image ``probe(70, 90)``:
# computed here when the full networks agreed with the published ones, so that any change of structure shows.
LOGITS = {
    ("unet", "none"): (-0.161251, -0.265257, 0.118139, -0.105857),
    ("attention_unet", "none"): (-0.116979, -0.256367, 0.098799, -0.103747),
    ("deeplab_v3", "xception_8"): (0.004844, -0.096230, -0.299373, 0.093430),
    ("deeplab_v3", "xception_16"): (0.004187, -0.095109, -0.300624, 0.092435),
    ("deeplab_v3", "resnet18_dilated8"): (0.006335, -0.052864, -0.378476, 0.085852),
    ("deeplab_v3", "resnet101_dilated8"): (-0.001851, -0.143707, -0.419003, 0.108762),
    ("base_ocnet", "deepbase_resnet101_dilated8"): (-0.009033, -0.289230, 0.384748, -0.183194),
    ("hrnet_w48", "none"): (6.590866, -26.491739, -37.325310, -4.374941),
}


@pytest.mark.parametrize(("model_name", "backbone"), PARAMETERS)
def test_parameter_count(model_name: str, backbone: str) -> None:
    with torch.device("meta"):
        network = build_network(network_config(model_name, backbone))
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[model_name, backbone]


@pytest.mark.parametrize(("model_name", "backbone"), LOGITS)
def test_logits_stay_what_they_were(model_name: str, backbone: str) -> None:
    network = fill(build_network(network_config(model_name, backbone, base_channels=8))).eval()
    with torch.inference_mode():
        logits = network(probe(70, 90)).logits[0]
    values = torch.stack([logits[0, 0, 0], logits[1, 20, 30], logits[3, 40, 60], logits[5, 69, 89]])
    torch.testing.assert_close(values, torch.tensor(LOGITS[model_name, backbone]), rtol=1e-4, atol=1e-5)


@needs_golden
@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_every_published_weight_finds_its_place(name: str, prefix: str) -> None:
    spec = json.loads((GOLDEN / "networks" / f"{name}.json").read_text())
    with torch.device("meta"):
        network = build_network(network_config(*PUBLISHED[name]))
        weights = {prefix + key: torch.empty(shape) for key, shape in spec.items()}
    (note,) = load_weights(network, {"config_dict": {}, "state_dict": weights})
    assert "published" in note


@needs_golden
@pytest.mark.parametrize("path", sorted(GOLDEN.glob("logits_*.npz")), ids=lambda path: path.stem)
def test_logits_match_the_published_network(path: Path) -> None:
    name = path.stem.removeprefix("logits_")
    spec = json.loads((GOLDEN / "networks" / f"{name}.json").read_text())
    with torch.device("meta"):
        network = build_network(network_config(*PUBLISHED[name]))
    network = network.to_empty(device="cpu").eval()
    load_weights(network, {key: published_fill(key, tuple(shape)) for key, shape in spec.items()})
    with torch.inference_mode():
        logits = network(probe()).logits
    golden = np.load(path)
    assert logits.shape == tuple(golden["shape"])
    sample = logits[0][:, golden["row"]][:, :, golden["col"]].numpy()
    np.testing.assert_allclose(sample, golden["sample"], rtol=0, atol=1e-4)
    np.testing.assert_allclose([logits.mean(), logits.std()], [golden["mean"], golden["std"]], rtol=0, atol=1e-4)
