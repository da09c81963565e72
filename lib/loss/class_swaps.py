"""How SAM-CL swaps the classes of the truth to make its negatives."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lib.utils.errors import ConfigError

# background 0, chin 1, mouth 2, eyes 3, eyebrows 4, nose 5: regions that touch or look alike in a thermal face
CONFUSABLE_FACE = ((1,), (0, 2, 3, 4, 5), (1,), (1, 4), (1, 3, 0), (1,))


def draw_derangement(num_classes: int, generator: torch.Generator) -> Tensor:
    """A permutation without fixed point, uniform over all of them.

    Args:
        num_classes: C, at least 2.
        generator: on the CPU.

    Returns:
        (C,) int64 on the CPU.

    >>> draw_derangement(2, torch.Generator()).tolist()
    [1, 0]
    """
    identity = torch.arange(num_classes)
    permutation = identity
    while (permutation == identity).any():  # succeeds with probability about 1/e
        permutation = torch.randperm(num_classes, generator=generator)
    return permutation


def draw_confusion(confusable: Sequence[Sequence[int]], generator: torch.Generator) -> Tensor:
    """For each class one of those that it may be taken for, at random; several may become the same.

    Args:
        confusable: for each of C classes the others that it may be taken for, at least one.
        generator: on the CPU.

    Returns:
        (C,) int64 on the CPU.

    >>> draw_confusion([[1], [0], [1]], torch.Generator()).tolist()
    [1, 0, 1]
    """
    draws = torch.rand(len(confusable), generator=generator).tolist()
    return torch.tensor([others[int(draw * len(others))] for others, draw in zip(confusable, draws, strict=True)])


def checked_confusable(confusable: Sequence[Sequence[int]] | None, num_classes: int) -> Sequence[Sequence[int]]:
    """The table of confusable classes; None means :data:`CONFUSABLE_FACE`.

    Raises:
        ConfigError: None for other classes than the six of a face, not one list for each class, or a list that is empty
            or names its own class or none that exists.
    """
    if confusable is None:
        if num_classes != len(CONFUSABLE_FACE):
            raise ConfigError(
                f"samcl.confusable is needed with samcl.negative confusable and {num_classes} classes: for each class "
                f"a list of those that it is taken for (only the {len(CONFUSABLE_FACE)} face classes have a default)"
            )
        confusable = CONFUSABLE_FACE
    if len(confusable) != num_classes:
        raise ConfigError(f"samcl.confusable: expected {num_classes} lists, one for each class, got {len(confusable)}")
    for own, others in enumerate(confusable):
        if not others or own in others or not all(0 <= other < num_classes for other in others):
            raise ConfigError(
                f"samcl.confusable[{own}]: expected one or more other classes in [0, {num_classes - 1}], "
                f"got {list(others)}"
            )
    return confusable
