"""Fixtures of the tests in this folder."""

import logging

import pytest
from torch import Tensor, nn

from lib.models import NETWORKS, SegOutput
from tests.small_disk import remount, small_disk

__all__ = ["remount", "small_disk"]


class Tiny(nn.Module):
    """A network of one convolution with a batch norm: what is tested is what is done with it."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, num_classes, 3, padding=1), nn.BatchNorm2d(num_classes))

    def forward(self, images: Tensor) -> SegOutput:
        return SegOutput(self.layers(images))


@pytest.fixture
def new_networks(monkeypatch):
    """A registry of networks that forgets what a test adds; it has :class:`Tiny` as ``tiny``."""
    monkeypatch.setattr(NETWORKS, "_builders", dict(NETWORKS._builders))
    monkeypatch.setattr(NETWORKS, "_facts", dict(NETWORKS._facts))
    NETWORKS.register("tiny", provides=(), backbone=False)(lambda config: Tiny(config.data.num_classes))
    return NETWORKS


@pytest.fixture
def project_log(caplog):
    """What the project logs, from INFO on."""
    with caplog.at_level(logging.INFO, "samcl"):
        yield caplog
