"""SAM-CL: a mask should be closer to its truth than to the truth with swapped classes, at several scales.

Self-adversarial multi-scale contrastive learning for semantic segmentation of thermal facial images, BMVC 2022. With Y
the predicted mask (anchor), Y+ the truth (positive), Y- the truth with swapped classes (negative), F_0 the identity and
F_k the scales of an auxiliary network, the loss is

    sum_k max(0, margin + d_k(F_k(Y), F_k(Y+)) - d_k(F_k(Y), F_k(Y-))).

Masks are (N, C, H, W), zero at ignored pixels.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.class_swaps import checked_confusable, draw_confusion, draw_derangement
from lib.loss.dice import dice_distance_of_sums
from lib.loss.masks import full_precision, no_autocast, one_hot, soft_masks, valid_mask
from lib.loss.rmi import RMILoss
from lib.ops.mask_triplet import MaskTriplet, mask_triplet, overlaps
from lib.utils.errors import ConfigError

MODES = ("overlap", "paper", "published")
NEGATIVES = ("derangement", "confusable")

Distances = tuple[Tensor, Tensor]
"""From the anchor to the positive and from the anchor to the negative: two scalars."""


class AuxiliaryNetwork(Protocol):
    """What the loss asks of the auxiliary network, see :class:`lib.models.samcl_auxiliary.SAMCLAuxiliary`."""

    def __call__(self, masks: Tensor) -> tuple[Tensor, ...]:
        """Masks (N, C, H, W) -> features (N, C, h_k, w_k) at each scale k."""
        ...

    def features_of_triplet(self, masks: MaskTriplet) -> Sequence[Sequence[Tensor]]:
        """The features (N, C, h_k, w_k) of anchor, positive and negative at each scale k."""
        ...


def bray_curtis_distance(features: Tensor, truth: Tensor, eps: float = 1e-3) -> Tensor:
    """Mean over channels of sum|a - t| / (sum(a + t) + eps N h w), sums over batch and positions.

    Bray, Curtis: An ordination of the upland forest communities of southern Wisconsin, 1957. For masks it is one minus
    Dice. ``eps`` keeps channels that are (nearly) silent in both from counting.

    Args:
        features: a, (N, C, h, w), not negative.
        truth: t, the same.

    Returns:
        A scalar in [0, 1].

    >>> a, t = torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    >>> round(bray_curtis_distance(a, t, eps=0.0).item(), 4)
    0.3333
    """
    batch, _, height, width = features.shape
    difference = (features - truth).abs().sum(dim=(0, 2, 3))
    total = features.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return (difference / (total + eps * batch * height * width)).mean()


def soft_target_distance(features: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy of ``features`` as logits against ``truth`` as soft targets, both (N, C, h, w).

    >>> same = torch.zeros(1, 2, 1, 1)
    >>> round(soft_target_distance(same, same.softmax(dim=1)).item(), 4)  # log 2
    0.6931
    """
    return -(truth * features.log_softmax(dim=1)).sum(dim=1).mean()


def sum_of_triplets(distances: Iterable[Distances], margin: float) -> Tensor:
    """Sum of max(0, margin + d(anchor, positive) - d(anchor, negative)) over scales.

    >>> sum_of_triplets([(torch.tensor(0.2), torch.tensor(0.9)), (torch.tensor(0.1), torch.tensor(2.0))], margin=1.0)
    tensor(0.3000)
    """
    first, *others = (F.relu(margin + positive - negative) for positive, negative in distances)
    return sum(others, first)


class SAMCLLoss(nn.Module):
    """The SAM-CL loss in one of three modes.

    - ``overlap``: Y = softmax(logits); d_0 is the soft Dice distance, d_k the Bray-Curtis distance.
    - ``paper``: d_0 is RMI, which has its own link function and therefore takes the logits; d_k is the
      cross-entropy of Y's features against the softmax of the other's.
    - ``published``: what the published code computes, for comparison: Y = one_hot(argmax(logits)), so that no
      gradient reaches the segmentation network; the negative is zero; d_0 is RMI of Y taken as logits
      against the argmax of the other; d_k is cross-entropy against the other's raw features; ignored pixels
      are background.

    The auxiliary network learns jointly, from the features of all three masks: with those of positive and
    negative as constants some of its channels fall silent. In ``overlap`` and ``paper`` the three masks
    pass it as one batch, so that one set of batch statistics normalises them; in a pass of its own an
    undecided anchor, whose variance is nearly nothing, would be blown up and its gradient with it (measured
    at logits of standard deviation 0.01: 150 times). In ``published`` each has its own pass.

    Everything runs in float32 whatever the surrounding autocast.

    Args:
        num_classes: C.
        mode: ``overlap``, ``paper`` or ``published``.
        negative: how :meth:`draw_permutation` swaps classes: ``derangement`` or ``confusable``.
        margin: of the triplets.
        confusable: for each class the classes that it may be taken for; None means those of the six face
            classes.
        ignore_index: label of pixels that take part in no mask.
        rmi: d_0 of modes ``paper`` and ``published``, from logits and labels to a scalar; None means
            :class:`~lib.loss.rmi.RMILoss` with its usual parameters.

    Raises:
        ConfigError: an unknown mode or negative, fewer than two classes, or unusable ``confusable`` classes.
    """

    def __init__(
        self,
        num_classes: int,
        mode: str = "overlap",
        negative: str = "derangement",
        margin: float = 1.0,
        confusable: Sequence[Sequence[int]] | None = None,
        ignore_index: int = -1,
        rmi: nn.Module | None = None,
    ) -> None:
        super().__init__()
        _check("samcl.mode", mode, MODES)
        _check("samcl.negative", negative, NEGATIVES)
        if num_classes < 2:
            raise ConfigError(f"SAM-CL swaps classes and needs data.num_classes of at least 2, got {num_classes}")
        self.num_classes = num_classes
        self.mode = mode
        self.margin = margin
        self.confusable = checked_confusable(confusable, num_classes) if negative == "confusable" else None
        self.ignore_index = ignore_index
        self.rmi = RMILoss(ignore_index=ignore_index) if rmi is None else rmi

    def draw_permutation(self, generator: torch.Generator) -> Tensor:
        """The class that each class becomes in the negative, (C,) int64 on the CPU, as is the generator.

        :func:`~lib.loss.class_swaps.draw_derangement` or :func:`~lib.loss.class_swaps.draw_confusion`; in mode
        ``published`` nothing is drawn and every entry is -1, the zero negative.
        """
        if self.mode == "published":
            return torch.full((self.num_classes,), -1)
        if self.confusable is not None:
            return draw_confusion(self.confusable, generator)
        return draw_derangement(self.num_classes, generator)

    def forward(self, logits: Tensor, labels: Tensor, auxiliary: AuxiliaryNetwork, permutation: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            logits: (N, C, H, W), any floating type.
            labels: (N, H, W) int64.
            auxiliary: the auxiliary network.
            permutation: (C,) int64 of :meth:`draw_permutation`, on the device of the logits. In mode
                ``published`` channel c of the negative is channel ``permutation[c]`` of the truth, or zero
                where that is -1.

        Returns:
            A scalar in float32 (float64 for float64 logits).
        """
        distances = {"overlap": self._overlap, "paper": self._paper, "published": self._published}[self.mode]
        with no_autocast(logits):
            logits = full_precision(logits).contiguous()
            return sum_of_triplets(distances(logits, labels, auxiliary, permutation), self.margin)

    def _overlap(
        self, logits: Tensor, labels: Tensor, auxiliary: AuxiliaryNetwork, permutation: Tensor
    ) -> list[Distances]:
        """d_k(F_k(Y), F_k(Y+)) and d_k(F_k(Y), F_k(Y-)) at every scale k, as of the other modes below."""
        masks = mask_triplet(soft_masks(logits, labels, self.ignore_index), labels, permutation, self.ignore_index)
        scales = auxiliary.features_of_triplet(masks)
        positive, negative = overlaps(masks)
        return [
            (dice_distance_of_sums(*positive), dice_distance_of_sums(*negative)),
            *((bray_curtis_distance(y, y_pos), bray_curtis_distance(y, y_neg)) for y, y_pos, y_neg in scales),
        ]

    def _paper(
        self, logits: Tensor, labels: Tensor, auxiliary: AuxiliaryNetwork, permutation: Tensor
    ) -> list[Distances]:
        masks = mask_triplet(soft_masks(logits, labels, self.ignore_index), labels, permutation, self.ignore_index)
        scales = auxiliary.features_of_triplet(masks)
        valid = valid_mask(labels, self.ignore_index)
        swapped = torch.where(valid, permutation[labels.masked_fill(~valid, 0)], self.ignore_index)
        return [
            (self.rmi(logits, labels), self.rmi(logits, swapped)),
            *(
                (soft_target_distance(y, y_pos.softmax(dim=1)), soft_target_distance(y, y_neg.softmax(dim=1)))
                for y, y_pos, y_neg in scales
            ),
        ]

    def _published(
        self, logits: Tensor, labels: Tensor, auxiliary: AuxiliaryNetwork, permutation: Tensor
    ) -> list[Distances]:
        background = labels.masked_fill(~valid_mask(labels, self.ignore_index), 0)
        positive = one_hot(background, self.num_classes, ignore_index=-1, dtype=logits.dtype)
        anchor = one_hot(logits.argmax(dim=1), self.num_classes, ignore_index=-1, dtype=logits.dtype)
        negative = positive[:, permutation.clamp(min=0)] * (permutation >= 0).view(1, -1, 1, 1)
        scales = zip(auxiliary(anchor), auxiliary(positive), auxiliary(negative), strict=True)
        return [
            (self.rmi(anchor, positive.argmax(dim=1)), self.rmi(anchor, negative.argmax(dim=1))),
            *((soft_target_distance(y, y_pos), soft_target_distance(y, y_neg)) for y, y_pos, y_neg in scales),
        ]


def _check(key: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(f"{key}: expected one of {', '.join(choices)}, got {value!r}")
