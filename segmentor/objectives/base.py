"""The interface between the trainer's one loop and the learning strategies."""

from collections.abc import Mapping

from torch import Tensor, nn

from lib.models.output import SegOutput

CRITIC_LOSS = "critic_loss"
"""The name of the loss that a critic minimises. It sends no gradient to the network and is no part of its loss."""


class Objective(nn.Module):
    """A pixel loss and any number of terms beside it, as losses by name.

    An objective is a module: what must survive an interruption (a generator, a memory) is in its state dict. What
    learns with the network (an auxiliary network) are :meth:`auxiliary_parameters`, which join its
    optimiser; what learns against it are :meth:`critic_parameters`, with an optimiser of their own.

    A term is a module ``(images, output, labels, iteration) -> losses by name``, with arguments as of :meth:`forward`.
    One that learns against the network has it in its attribute ``critic``, and returns :data:`CRITIC_LOSS`. No loss
    sends a gradient to both sides, so that one backward pass of the sum of all serves both optimisers.

    Args:
        pixel_loss: ``(logits, labels) -> scalar``.
        terms: by name.
        takes_aux: ``pixel_loss`` takes the auxiliary logits as third argument.
    """

    def __init__(
        self, pixel_loss: nn.Module, terms: Mapping[str, nn.Module] | None = None, takes_aux: bool = False
    ) -> None:
        super().__init__()
        self.pixel_loss = pixel_loss
        self.terms = nn.ModuleDict(terms)
        self.takes_aux = takes_aux

    def forward(self, images: Tensor, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """The losses of one batch, weighted and ready to be summed.

        Args:
            images: (N, K, H, W) float32.
            output: of the network, for the images.
            labels: (N, H, W) int64, -1 = ignored.
            iteration: of the run, from 0, for warm-ups.

        Returns:
            Scalars by name: ``seg_loss``, and those of the terms.
        """
        loss = self.pixel_loss(output.logits, labels, *([output.aux] if self.takes_aux else []))
        # Outputs that no loss may read get a gradient of 0: processes that average gradients wait for every parameter.
        for extra in (*output.aux, output.embedding, output.direction):
            if extra is not None:
                loss = loss + 0.0 * extra.float().mean()
        losses = {"seg_loss": loss}
        for term in self.terms.values():
            losses.update(term(images, output, labels, iteration))
        return losses

    def validation_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """What validation reports: the pixel loss of the logits alone, a scalar."""
        return self.pixel_loss(logits, labels, *([()] if self.takes_aux else []))

    def auxiliary_parameters(self) -> list[nn.Parameter]:
        """Parameters that learn with the network: all but those of the critics."""
        of_critics = {id(parameter) for parameter in self.critic_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in of_critics]

    def critic_parameters(self) -> list[nn.Parameter]:
        """Parameters that learn against the network: those of the terms' critics."""
        critics = [getattr(term, "critic", None) for term in self.terms.values()]
        return [parameter for critic in critics if isinstance(critic, nn.Module) for parameter in critic.parameters()]
