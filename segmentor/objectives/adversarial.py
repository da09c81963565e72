"""Adversarial training: a critic that tells predicted from true masks beside a pixel loss."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lib.loss.masks import full_precision, one_hot, valid_mask
from lib.models.output import SegOutput
from segmentor.objectives.base import CRITIC_LOSS

CriticOutputs = Sequence[Tensor]
"""What a critic returns for a batch of masks: features or scores, the batch as first dimension."""


class AdversarialTerm(nn.Module):
    """``weight`` x what the network loses to a critic, and what the critic loses to it.

    Both losses start from the same weights of both sides, and both sides then step at once (simultaneous rather than
    alternating gradient descent), which needs one pass of the network in an iteration. Predicted masks are the
    softmax; both masks are 0 at ignored pixels.

    Args:
        critic: ``(images, masks) -> CriticOutputs``.
        network_loss: ``(outputs for predictions, outputs for truths) -> scalar``, minimised by the network.
        critic_loss: the same, minimised by the critic.
        weight: of the network's side.
    """

    def __init__(
        self,
        critic: nn.Module,
        network_loss: Callable[[CriticOutputs, CriticOutputs], Tensor],
        critic_loss: Callable[[CriticOutputs, CriticOutputs], Tensor],
        *,
        weight: float,
    ) -> None:
        super().__init__()
        self.critic = critic
        self.network_loss = network_loss
        self.critic_loss = critic_loss
        self.weight = weight

    def forward(self, images: Tensor, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """``adversarial_loss`` and ``critic_loss``; arguments as of :meth:`Objective.forward`."""
        logits = full_precision(output.logits)
        predicted = logits.softmax(dim=1) * valid_mask(labels).unsqueeze(1)
        truth = one_hot(labels, logits.shape[1], dtype=logits.dtype)
        for_network = _outputs_for_both(self._frozen_critic, images, predicted, truth)
        for_critic = _outputs_for_both(self.critic, images, predicted.detach(), truth)
        return {
            "adversarial_loss": self.weight * self.network_loss(*for_network),
            CRITIC_LOSS: self.critic_loss(*for_critic),
        }

    def _frozen_critic(self, images: Tensor, masks: Tensor) -> CriticOutputs:
        """The critic's outputs, with a gradient for the masks and none for the critic."""
        frozen = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
        return functional_call(self.critic, frozen, (images, masks))


def _outputs_for_both(
    critic: Callable[[Tensor, Tensor], CriticOutputs], images: Tensor, predicted: Tensor, truth: Tensor
) -> tuple[CriticOutputs, CriticOutputs]:
    """The critic's outputs for predicted and for true masks, which pass it as one batch."""
    both = critic(torch.cat([images, images]), torch.cat([predicted, truth]))
    predictions, truths = zip(*(part.chunk(2) for part in both), strict=True)
    return predictions, truths
