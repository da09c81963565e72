"""SAM-CL: a mask should be closer to its truth than to the truth with swapped classes, at several scales.

Self-adversarial multi-scale contrastive learning for semantic segmentation of thermal facial images, BMVC
2022. With Y the predicted mask (anchor), Y+ the truth (positive), Y- the truth with swapped classes
(negative), F_0 the identity and F_k the scales of an auxiliary network, the loss is

    sum_k max(0, margin + d_k(F_k(Y), F_k(Y+)) - d_k(F_k(Y), F_k(Y-))).

Masks are (N, C, H, W), zero at ignored pixels.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.dice import dice_distance_of_sums
from lib.loss.masks import full_precision, no_autocast, one_hot, soft_masks, valid_mask
from lib.loss.rmi import RMILoss
from lib.utils.errors import ConfigError

MODES = ("overlap", "paper", "published")
NEGATIVES = ("derangement", "confusable")

# background 0, chin 1, mouth 2, eyes 3, eyebrows 4, nose 5: regions that touch or look alike in a thermal
# face
CONFUSABLE_FACE = ((1,), (0, 2, 3, 4, 5), (1,), (1, 4), (1, 3, 0), (1,))


def bray_curtis_distance(features: Tensor, truth: Tensor, eps: float = 1e-3) -> Tensor:
    """Mean over channels of sum|a - t| / (sum(a + t) + eps N h w), sums over batch and positions.

    Bray, Curtis: An ordination of the upland forest communities of southern Wisconsin, 1957. For masks it
    is one minus Dice. ``eps`` keeps channels that are (nearly) silent in both from counting.

    Args:
        features: a, (N, C, h, w), not negative.
        truth: t, the same.

    Returns:
        A scalar in [0, 1].
    """
    batch, _, height, width = features.shape
    difference = (features - truth).abs().sum(dim=(0, 2, 3))
    total = features.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return (difference / (total + eps * batch * height * width)).mean()


def soft_target_distance(features: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy of ``features`` as logits against ``truth`` as soft targets, both (N, C, h, w)."""
    return -(truth * features.log_softmax(dim=1)).sum(dim=1).mean()


def sum_of_triplets(distances: Sequence[tuple[Tensor, Tensor]], margin: float) -> Tensor:
    """Sum of max(0, margin + d(anchor, positive) - d(anchor, negative)) over pairs of scalar distances."""
    return sum(F.relu(margin + positive - negative) for positive, negative in distances)


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
        rmi: parameters of :class:`~lib.loss.rmi.RMILoss` for modes ``paper`` and ``published``.

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
        rmi: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        _check("samcl.mode", mode, MODES)
        _check("samcl.negative", negative, NEGATIVES)
        if num_classes < 2:
            raise ConfigError(f"SAM-CL swaps classes and needs data.num_classes of at least 2, got {num_classes}")
        self.num_classes = num_classes
        self.mode = mode
        self.negative = negative
        self.margin = margin
        self.neighbours = _neighbours(confusable, num_classes) if negative == "confusable" else None
        self.ignore_index = ignore_index
        self.rmi = RMILoss(num_classes, ignore_index=ignore_index, **(rmi or {}))

    def draw_permutation(self, generator: torch.Generator) -> Tensor:
        """The class that each class becomes in the negative.

        ``derangement``: uniform over the permutations without fixed point. ``confusable``: each class goes
        to one of its neighbours at random, several perhaps to the same. In mode ``published`` nothing is
        drawn and every entry is -1, the zero negative.

        Args:
            generator: on the CPU.

        Returns:
            (C,) int64 on the CPU.
        """
        if self.mode == "published":
            return torch.full((self.num_classes,), -1)
        if self.neighbours is not None:
            draws = torch.rand(self.num_classes, generator=generator).tolist()
            return torch.tensor(
                [near[int(draw * len(near))] for near, draw in zip(self.neighbours, draws, strict=True)]
            )
        identity = torch.arange(self.num_classes)
        permutation = identity
        while (permutation == identity).any():  # succeeds with probability about 1/e
            permutation = torch.randperm(self.num_classes, generator=generator)
        return permutation

    def forward(
        self,
        logits: Tensor,
        labels: Tensor,
        auxiliary: Callable[..., tuple[Tensor, ...]],
        permutation: Tensor | None,
    ) -> Tensor:
        """The loss of a batch.

        Args:
            logits: (N, C, H, W), any floating type.
            labels: (N, H, W) int64.
            auxiliary: maps masks (N, C, H, W) to a tuple of features (N, C, h_k, w_k); in ``overlap`` and ``paper``
                the anchor, the truth (N, C + 1, H, W) and the permutation to features (3 N, C, h_k, w_k) of the three
                masks, see :meth:`~lib.models.samcl_auxiliary.SAMCLAuxiliary.forward`.
            permutation: (C,) int64 of :meth:`draw_permutation`, on the device of the logits. In mode
                ``published`` channel c of the negative is channel ``permutation[c]`` of the truth, or zero
                where that is -1; None or a single -1 is the zero negative.

        Returns:
            A scalar in float32 (float64 for float64 logits).
        """
        with no_autocast(logits):
            logits = full_precision(logits).contiguous()
            if self.mode == "published":
                distances = self._published(logits, labels, auxiliary, permutation)
            else:
                distances = self._distances(logits, labels, auxiliary, permutation)
            return sum_of_triplets(distances, self.margin)

    def _distances(self, logits: Tensor, labels: Tensor, auxiliary, permutation: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Pairs of distances to positive and negative at every scale, in modes ``overlap`` and ``paper``."""
        valid = valid_mask(labels, self.ignore_index)
        anchor = soft_masks(logits, labels, self.ignore_index)
        classes = torch.eye(self.num_classes + 1, device=logits.device, dtype=logits.dtype)
        truth = F.embedding(labels.masked_fill(~valid, self.num_classes), classes).movedim(-1, 1)

        features = [scale.chunk(3) for scale in auxiliary(anchor, truth, permutation)]

        if self.mode == "overlap":
            distances = [_dice_distances(anchor, truth, classes[permutation, :-1])]
            distance = bray_curtis_distance
        else:
            swapped = torch.where(valid, permutation[labels.masked_fill(~valid, 0)], self.ignore_index)
            distances = [(self.rmi(logits, labels), self.rmi(logits, swapped))]
            features = [(a, p.softmax(dim=1), n.softmax(dim=1)) for a, p, n in features]
            distance = soft_target_distance
        distances.extend((distance(a, p), distance(a, n)) for a, p, n in features)
        return distances

    def _published(
        self, logits: Tensor, labels: Tensor, auxiliary, permutation: Tensor | None
    ) -> list[tuple[Tensor, Tensor]]:
        """The same in mode ``published``."""
        background = labels.masked_fill(~valid_mask(labels, self.ignore_index), 0)
        positive = one_hot(background, self.num_classes, ignore_index=-1, dtype=logits.dtype)
        anchor = one_hot(logits.argmax(dim=1), self.num_classes, ignore_index=-1, dtype=logits.dtype)
        if permutation is None:
            negative = torch.zeros_like(positive)
        else:
            permutation = permutation.expand(self.num_classes)
            negative = positive[:, permutation.clamp(min=0)] * (permutation >= 0).view(1, -1, 1, 1)

        distances = [(self.rmi(anchor, positive.argmax(dim=1)), self.rmi(anchor, negative.argmax(dim=1)))]
        for a, p, n in zip(auxiliary(anchor), auxiliary(positive), auxiliary(negative), strict=True):
            distances.append((soft_target_distance(a, p), soft_target_distance(a, n)))
        return distances


def _dice_distances(anchor: Tensor, truth: Tensor, becomes: Tensor) -> tuple[Tensor, Tensor]:
    """Soft Dice distances of the anchor to the truth and to the truth with swapped classes.

    Both follow from one matrix product, sums over what is true and what is predicted at once.

    Args:
        anchor: (N, C, H, W), zero where ignored.
        truth: (N, C + 1, H, W), one-hot, the last channel for ignored pixels.
        becomes: (C, C), a 1 in each row, at the class that the row's class becomes.
    """
    overlaps = torch.bmm(anchor.flatten(2), truth.flatten(2).mT).sum(dim=0)  # (predicted, true)
    predicted, true = overlaps.sum(dim=1), truth.sum(dim=(0, 2, 3))[:-1]
    overlaps = overlaps[:, :-1]
    return (
        dice_distance_of_sums(overlaps.diagonal(), predicted + true),
        dice_distance_of_sums((overlaps @ becomes).diagonal(), predicted + true @ becomes),
    )


def _check(key: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ConfigError(f"{key}: expected one of {', '.join(choices)}, got {value!r}")


def _neighbours(confusable: Sequence[Sequence[int]] | None, num_classes: int) -> list[list[int]]:
    """The checked table of confusable classes."""
    if confusable is None:
        if num_classes != len(CONFUSABLE_FACE):
            raise ConfigError(
                f"samcl.confusable is needed with samcl.negative confusable and {num_classes} classes: for each class "
                f"a list of those that it is taken for (only the {len(CONFUSABLE_FACE)} face classes have a default)"
            )
        confusable = CONFUSABLE_FACE
    if len(confusable) != num_classes:
        raise ConfigError(f"samcl.confusable: expected {num_classes} lists, one for each class, got {len(confusable)}")
    for own, near in enumerate(confusable):
        if not near or own in near or not all(0 <= other < num_classes for other in near):
            raise ConfigError(
                f"samcl.confusable[{own}]: expected one or more other classes in [0, {num_classes - 1}], "
                f"got {list(near)}"
            )
    return [list(near) for near in confusable]
