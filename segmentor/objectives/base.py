"""The interface between the trainer's one loop and the learning strategies."""

from torch import Tensor, nn

from lib.models.output import SegOutput


class Objective(nn.Module):
    """Turns a network's output and the labels into losses by name, whose sum is minimised.

    An objective is a module: what learns with the network (an auxiliary network) is a child of it and joins the
    optimiser, and what must survive an interruption (a generator, a memory) is in its state dict.

    Args:
        pixel_loss: ``(logits, labels) -> scalar``, the loss that validation reports.
    """

    def __init__(self, pixel_loss: nn.Module) -> None:
        super().__init__()
        self.pixel_loss = pixel_loss

    def forward(self, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """The losses of one batch, weighted and ready to be summed.

        Args:
            output: of the network, for N frames.
            labels: (N, H, W) int64, -1 = ignored.
            iteration: of the run, from 0, for warm-ups.

        Returns:
            Scalars by name.
        """
        return {"seg_loss": self.pixel_loss(output.logits, labels)}
