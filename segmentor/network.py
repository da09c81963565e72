"""The network of a run, with the weights that its config names."""

import logging

from torch import nn

from lib.models.build import build_network
from lib.models.weights import load_weights
from lib.utils.config import Config

logger = logging.getLogger("samcl")


def build_network_with_weights(config: Config) -> nn.Module:
    """The network that ``config`` describes, on the CPU, with the weights of ``network.resume`` or ``.pretrained``.

    Raises:
        ConfigError: no such network.
        CheckpointError: the weights can't be read, or don't fit and ``network.resume_strict`` is on.
    """
    network = build_network(config)
    weights = config.network.resume or config.network.pretrained
    if weights:
        for note in load_weights(network, weights, strict=config.network.resume_strict):
            logger.warning(note)
    return network
