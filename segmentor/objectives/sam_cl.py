"""SAM-CL: a pixel loss plus the self-adversarial multi-scale contrastive loss."""

import torch
from torch import Tensor, nn

from lib.loss import SAMCLLoss
from lib.models.output import SegOutput
from segmentor.objectives.base import Objective


class SAMCLObjective(Objective):
    """Pixel loss + ``weight`` x SAM-CL (the paper's total loss), the auxiliary network learning jointly.

    Args:
        pixel_loss: ``(logits, labels) -> scalar``.
        samcl_loss: the contrastive term.
        auxiliary: turns masks (N, C, H, W) into features at further scales.
        weight: of the contrastive term.
        warmup_iters: iterations over which the weight rises linearly from 0.
        seed: of the negatives' own generator, so that data order and augmentation don't depend on SAM-CL.
    """

    def __init__(
        self,
        pixel_loss: nn.Module,
        samcl_loss: SAMCLLoss,
        auxiliary: nn.Module,
        *,
        weight: float,
        warmup_iters: int,
        seed: int,
    ) -> None:
        super().__init__(pixel_loss)
        self.samcl_loss = samcl_loss
        self.auxiliary = auxiliary
        self.weight = weight
        self.warmup_iters = warmup_iters
        self._generator = torch.Generator().manual_seed(seed)

    def forward(self, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """As :meth:`Objective.forward`; adds ``samcl_loss``."""
        losses = super().forward(output, labels, iteration)
        permutation = self.samcl_loss.draw_permutation(self._generator)
        permutation = permutation.to(labels.device, non_blocking=True)
        weight = self.weight * min(1.0, iteration / self.warmup_iters) if self.warmup_iters else self.weight
        losses["samcl_loss"] = weight * self.samcl_loss(output.logits, labels, self.auxiliary, permutation)
        return losses

    def get_extra_state(self) -> Tensor:
        """The state of the negatives' generator, uint8."""
        return self._generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Go on with the swaps that follow ``state``."""
        self._generator.set_state(state.cpu())
