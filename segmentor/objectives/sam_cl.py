"""SAM-CL: the self-adversarial multi-scale contrastive loss beside any pixel loss."""

import torch
from torch import Tensor, nn

from lib.loss import SAMCLLoss
from lib.models.output import SegOutput


class SAMCLTerm(nn.Module):
    """``weight`` x SAM-CL, with an auxiliary network that learns jointly.

    Args:
        samcl_loss: the contrastive loss.
        auxiliary: turns masks (N, C, H, W) into features at further scales.
        weight: of the term.
        warmup_iters: iterations over which the weight rises linearly from 0.
        seed: of the negatives' own generator, so that data order and augmentation don't depend on SAM-CL.
    """

    def __init__(
        self, samcl_loss: SAMCLLoss, auxiliary: nn.Module, *, weight: float, warmup_iters: int, seed: int
    ) -> None:
        super().__init__()
        self.samcl_loss = samcl_loss
        self.auxiliary = auxiliary
        self.weight = weight
        self.warmup_iters = warmup_iters
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, images: Tensor, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """``samcl_loss``; arguments as of :meth:`Objective.forward`."""
        permutation = self.samcl_loss.draw_permutation(self._generator)
        permutation = permutation.to(labels.device, non_blocking=True)
        weight = self.weight * min(1.0, iteration / self.warmup_iters) if self.warmup_iters else self.weight
        return {"samcl_loss": weight * self.samcl_loss(output.logits, labels, self.auxiliary, permutation)}

    def get_extra_state(self) -> Tensor:
        """The state of the negatives' generator, uint8."""
        return self._generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on with the swaps that follow ``state``."""
        self._generator.set_state(state.cpu())
