"""Folding batch norms changes no output by more than rounding, and nothing that still learns."""

import copy

import pytest
import torch
from torch import nn

from lib.models import build_network
from lib.models.folding import fold_batch_norms
from tests.models.configs import network_config


def trained(network):
    """The network in evaluation mode, its norms with statistics and scales of some data rather than fresh ones."""
    generator = torch.Generator().manual_seed(0)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        for tensor in (norm.weight.data, norm.running_var):
            tensor.uniform_(0.5, 2, generator=generator)
        for tensor in (norm.bias.data, norm.running_mean):
            tensor.uniform_(-1, 1, generator=generator)
    return network.eval()


def norms_of(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(
    ("name", "backbone"),
    [("unet", "none"), ("attention_unet", "none"), ("deeplab_v3", "resnet18_dilated8"), ("hrnet_w18", "none")],
)
@torch.inference_mode()
def test_networks_say_the_same_with_fewer_norms_or_none(name, backbone):
    torch.manual_seed(0)
    network = trained(build_network(network_config(name, backbone, base_channels=8)))
    folded, image = fold_batch_norms(copy.deepcopy(network)), torch.randn(2, 1, 32, 48)
    assert norms_of(folded) < norms_of(network)
    assert norms_of(folded) == 0 or name != "unet"
    expected = network(image).logits
    torch.testing.assert_close(folded(image).logits, expected, rtol=1e-3, atol=1e-4 * expected.abs().max())


@pytest.mark.parametrize("biased", [False, True])
@torch.inference_mode()
def test_a_convolution_takes_the_norm_with_and_without_a_bias(biased):
    sequence = trained(nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, bias=biased), nn.BatchNorm2d(4), nn.ReLU()))
    image = torch.randn(2, 3, 9, 9)
    expected = sequence(image)
    torch.testing.assert_close(fold_batch_norms(sequence)(image), expected, rtol=1e-5, atol=1e-6)
    assert not norms_of(sequence)


def test_norms_that_follow_no_convolution_or_use_the_batch_stay():
    others = [nn.Sequential(nn.ReLU(), nn.BatchNorm2d(2)), nn.Sequential(nn.Conv2d(1, 2, 1), nn.GroupNorm(1, 2))]
    batches = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, track_running_stats=False)).eval()
    learning = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).train()
    for network in (*others, batches, learning):
        before = str(network)
        assert str(fold_batch_norms(network)) == before
