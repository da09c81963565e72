"""What every network returns."""

from typing import NamedTuple

import torch


class SegOutput(NamedTuple):
    """The output of every segmentation network; nobody has to guess what a network returned.

    Attributes:
        logits: (N, C, H, W), at the input's size.
        embedding: (N, D, h, w), L2-normalised over D, of networks with a projection head; None otherwise.
        aux: auxiliary logits, each (N, C, h, w); empty for networks without an auxiliary classifier.
        direction: (N, directions, H, W) logits of the direction from a boundary to the interior, of SegFix.
    """

    logits: torch.Tensor
    embedding: torch.Tensor | None = None
    aux: tuple[torch.Tensor, ...] = ()
    direction: torch.Tensor | None = None
