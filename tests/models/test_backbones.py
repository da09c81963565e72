"""Backbones and blocks against independent references: torchvision, timm, and formulas written out."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, resnet50

from lib.models.attention_unet import AttentionGate
from lib.models.backbones.hrnet import HRNet
from lib.models.backbones.resnet import DilatedResNet
from lib.models.backbones.xception import Xception
from lib.models.deeplab_v3 import DeepLabV3, ImagePooling
from lib.models.ocnet import ObjectContext
from lib.models.weights import load_weights
from tests.models.configs import fill


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_dilated_resnet_is_torchvisions_with_strides_replaced_and_sizes_rounded_up(stride: int) -> None:
    reference = fill(resnet50(replace_stride_with_dilation=[False, stride == 8, stride < 32])).eval()
    reference.maxpool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
    network = DeepLabV3(DilatedResNet(50, in_channels=3, output_stride=stride)).eval()
    load_weights(network, reference.state_dict())
    x = torch.randn(1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = network.backbone(x)
        y = reference.maxpool(reference.relu(reference.bn1(reference.conv1(x))))
        for index, ours in enumerate(features, 1):
            y = getattr(reference, f"layer{index}")(y)
            torch.testing.assert_close(ours, y, rtol=1e-4, atol=1e-5)


def test_first_three_layers_of_resnet18_are_torchvisions() -> None:
    reference = fill(resnet18()).eval()
    network = DeepLabV3(DilatedResNet(18, in_channels=3)).eval()
    load_weights(network, reference.state_dict())
    x = torch.randn(1, 3, 65, 65, generator=torch.Generator().manual_seed(0))  # where rounding makes no difference
    with torch.inference_mode():
        y = reference.maxpool(reference.relu(reference.bn1(reference.conv1(x))))
        expected = reference.layer2(reference.layer1(y))
        torch.testing.assert_close(network.backbone(x)[1], expected, rtol=1e-4, atol=1e-5)


def test_dilated_resnet_features_of_the_published_size() -> None:
    with torch.device("meta"):
        features = DilatedResNet(101, deep_stem=True)(torch.empty(1, 1, 256, 320))
    shapes = [(256, 65, 81), (512, 33, 41), (1024, 33, 41), (2048, 33, 41)]
    assert [tuple(x.shape[1:]) for x in features] == shapes


@pytest.mark.parametrize(("output_stride", "size"), [(8, (32, 40)), (16, (16, 20))])
def test_xception_strides(output_stride: int, size: tuple[int, int]) -> None:
    with torch.device("meta"):
        low, high = Xception(output_stride=output_stride)(torch.empty(1, 1, 256, 320))
    assert low.shape == (1, 256, 32, 40)
    assert high.shape == (1, 2048, *size)
    with pytest.raises(ValueError, match="expected 8 or 16, got 32"):
        Xception(output_stride=32)


@pytest.mark.parametrize("width", [18, 32, 48])
def test_hrnet_has_as_many_parameters_as_timms(width: int) -> None:
    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        reference = timm.create_model(f"hrnet_w{width}", in_chans=1)
        ours = HRNet(width=width)
    head = ("incre_modules", "downsamp_modules", "final_layer", "classifier")
    body = sum(p.numel() for name, p in reference.named_parameters() if not name.startswith(head))
    assert sum(p.numel() for p in ours.parameters()) == body
    assert ours.channels == (width, 2 * width, 4 * width, 8 * width)


def test_attention_gate_follows_its_formula() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(6).eval()
    gating, skip = torch.randn(2, 1, 6, 5, 7)
    opened = gate.score(torch.relu(gate.gating(gating) + gate.skip(skip))).sigmoid()
    assert opened.shape == (1, 1, 5, 7)
    torch.testing.assert_close(gate(gating, skip), skip * opened)


def test_object_context_is_attention_over_all_pixels() -> None:
    torch.manual_seed(0)
    module = ObjectContext(8, 4).eval()
    x = torch.randn(2, 8, 3, 5)
    query, key, value = (layer(x).flatten(2) for layer in (module.query, module.key, module.value))
    weights = (torch.einsum("ncq,nck->nqk", query, key) / 4**0.5).softmax(dim=2)
    context = torch.einsum("nqk,nck->ncq", weights, value).unflatten(2, (3, 5))
    torch.testing.assert_close(module(x), module.out(context))


def test_image_pooling_of_one_training_image_uses_running_statistics() -> None:
    torch.manual_seed(0)
    pooling = ImagePooling(4, 3)
    x = torch.randn(1, 4, 5, 6)
    trained = pooling.train()(x)
    assert pooling.bn.num_batches_tracked == 0
    torch.testing.assert_close(trained, pooling.eval()(x))
    pooling.train()(x.expand(2, -1, -1, -1))
    assert pooling.bn.num_batches_tracked == 1
