"""SegFix's second output: the direction from a boundary to the interior."""

from torch import Tensor, nn

from lib.loss.segfix import DirectionLoss
from lib.models.output import SegOutput


class DirectionTerm(nn.Module):
    """The loss of the directions, where the network itself sees a boundary.

    Args:
        loss: of directions, boundary logits and targets.
    """

    def __init__(self, loss: DirectionLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, images: Tensor, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """``direction_loss``; arguments as of :meth:`Objective.forward`, labels being SegFix's targets."""
        assert output.direction is not None, "names are checked before a run: the network has directions"
        return {"direction_loss": self.loss(output.direction, output.logits, labels)}
