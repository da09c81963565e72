"""The network of a run, with the weights that its config names."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from lib.models.build import build_network
from lib.models.weights import load_weights
from lib.utils.config import Config
from lib.utils.errors import CheckpointError

logger = logging.getLogger("samcl")


def build_network_with_weights(config: Config, checkpoint: Mapping[str, Any] | None = None) -> nn.Module:
    """The network that ``config`` describes, on the CPU, with the weights of ``network.resume`` or ``.pretrained``.

    Args:
        config: of the run.
        checkpoint: the content of that file, where it has been read already.

    Raises:
        ConfigError: no such network.
        CheckpointError: the weights can't be read, or don't fit and ``network.resume_strict`` is on.
    """
    network = build_network(config)
    weights = config.network.resume or config.network.pretrained
    if weights:
        try:
            notes = load_weights(
                network,
                checkpoint or weights,
                strict=config.network.resume_strict,
                accept_backbone=config.phase == "train",
            )
        except CheckpointError as error:
            beside = Path(weights).with_suffix(".yaml")
            hint = f"\nThe config of its own run is {beside}: name it with --configs." if beside.is_file() else ""
            raise CheckpointError(f"{f'{weights}: ' if checkpoint else ''}{error}{hint}") from error
        for note in notes:
            # With strict loading nothing is left to warn of.
            logger.log(logging.INFO if config.network.resume_strict else logging.WARNING, note)
    return network
