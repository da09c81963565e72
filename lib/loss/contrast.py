"""Pixel contrast: embeddings of a class attract each other and repel those of other classes.

Wang, Zhou, Yu, Dai, Konukoglu, Van Gool: Exploring Cross-Image Pixel Contrast for Semantic Segmentation, ICCV 2021
("ContrastiveSeg"). Sets of embeddings have fixed sizes; an empty slot has class ``EMPTY`` and takes no part.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from lib.loss.masks import full_precision, no_autocast

EMPTY = -1


def pixel_contrast_loss(
    anchors: Tensor,
    classes: Tensor,
    others: Tensor | None = None,
    other_classes: Tensor | None = None,
    temperature: float = 0.07,
    base_temperature: float = 0.07,
) -> Tensor:
    """Supervised InfoNCE between anchors and other embeddings.

    The mean over anchors i and their positives p of -(T / T_b) (s_ip - log(exp s_ip + sum_n exp s_in)), with
    s = a . o / T and n running over the embeddings of other classes: first over the positives of an anchor, then over
    the anchors that have any.

    Args:
        anchors: a, (A, D), L2-normalised.
        classes: (A,) integers, ``EMPTY`` = no anchor.
        others: o, (B, D), L2-normalised; None = the anchors, each without itself.
        other_classes: (B,), ``EMPTY`` = no embedding; None with ``others``.
        temperature: T.
        base_temperature: T_b.

    Returns:
        A scalar in float32 (float64 for float64 anchors); 0 if no anchor has a positive.

    >>> apart = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> classes = torch.tensor([0, 0, 1, 1])
    >>> pixel_contrast_loss(apart, classes) < 1e-4 < pixel_contrast_loss(apart, classes.roll(1))
    tensor(True)
    """
    with no_autocast(anchors):
        anchors = full_precision(anchors)
        among_themselves = others is None or other_classes is None
        if others is None or other_classes is None:
            others, other_classes = anchors, classes
        others = others.to(anchors.dtype)
        similarities = anchors @ others.T / temperature
        same = classes.unsqueeze(1) == other_classes.unsqueeze(0)
        there = (classes != EMPTY).unsqueeze(1) & (other_classes != EMPTY).unsqueeze(0)
        negative = there & ~same
        positive = there & same
        if among_themselves:
            positive = positive & ~torch.eye(len(anchors), dtype=torch.bool, device=anchors.device)

        lowest = torch.finfo(anchors.dtype).min
        repulsion = similarities.masked_fill(~negative, lowest).logsumexp(dim=1, keepdim=True)
        losses = torch.logaddexp(similarities, repulsion) - similarities
        count = positive.sum(dim=1)
        of_anchors = (losses * positive).sum(dim=1) / count.clamp(min=1)
        return temperature / base_temperature * of_anchors.sum() / (count > 0).sum().clamp(min=1)


def to_grid(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Labels or predicted classes (N, H, W) int64 at the embedding's size (h, w): pixel (i H // h, j W // w) at (i, j).

    >>> to_grid(torch.arange(12).view(1, 2, 6), (1, 3)).tolist()
    [[[0, 2, 4]]]
    """
    rows, columns = (
        torch.arange(after, device=maps.device) * before // after
        for before, after in zip(maps.shape[1:], size, strict=True)
    )
    return maps[:, rows.unsqueeze(1), columns]


def sample_anchors(
    embedding: Tensor,
    labels: Tensor,
    predictions: Tensor,
    num_classes: int,
    max_samples: int,
    max_views: int,
    generator: torch.Generator | None = None,
    odd_view: Literal["hard", "easy"] = "hard",
) -> tuple[Tensor, Tensor]:
    """Pixels of every class and image, half of them hard (wrongly predicted) and half easy where there are enough.

    ``odd_view`` decides what this means for an odd number of views. ``hard`` makes the hard ones one more, so that the
    single view of ``max_views`` 1 is hard wherever a hard pixel is. ``easy`` makes them one fewer, as the published
    code does; with ``max_views`` 1, as in its configs, it so takes a hard pixel only of classes that have no easy one.

    Every class of every image gets V = min(max_views, max_samples / (N C)) views, at least one; a class with fewer
    pixels in an image leaves its slots empty.

    Args:
        embedding: (N, D, h, w).
        labels: (N, h, w) int64; values outside [0, C) are ignored.
        predictions: (N, h, w) int64.
        num_classes: C.
        max_samples: anchors of a batch.
        max_views: anchors of a class and image.
        generator: on the device of the embedding.
        odd_view: see above.

    Returns:
        Anchors (N C V, D) and their classes (N C V,).
    """
    batch, dim, height, width = embedding.shape
    views = max(1, min(max_views, max_samples // (batch * num_classes)))
    noise = torch.rand(batch, height * width, generator=generator, device=embedding.device)
    labels, predictions = labels.flatten(1), predictions.flatten(1)

    # group 2c: hard pixels of class c, 2c + 1: easy ones, 2C: the rest; each group in random order, group after group
    usable = (labels >= 0) & (labels < num_classes)
    groups = torch.where(usable, 2 * labels + (labels == predictions), 2 * num_classes)
    order = noise.argsort(dim=1)
    order = order.gather(1, groups.gather(1, order).argsort(dim=1, stable=True))
    sizes = groups.new_zeros(batch, 2 * num_classes + 1).scatter_add(1, groups, torch.ones_like(groups))[:, :-1]
    starts = (sizes.cumsum(dim=1) - sizes).unflatten(1, (num_classes, 2))
    hard, easy = sizes.unflatten(1, (num_classes, 2)).unbind(dim=2)  # (N, C) each

    half = (views + 1) // 2 if odd_view == "hard" else views // 2
    from_hard = torch.minimum(hard, (views - easy).clamp(min=half)).unsqueeze(2)
    view = torch.arange(views, device=embedding.device)
    position = torch.where(view < from_hard, starts[..., :1] + view, starts[..., 1:] + view - from_hard)
    pixel = order.gather(1, position.clamp(max=height * width - 1).flatten(1))  # (N, C V)
    anchors = embedding.flatten(2).gather(2, pixel.unsqueeze(1).expand(-1, dim, -1)).transpose(1, 2)

    classes = torch.arange(num_classes, device=embedding.device).expand(batch, -1)
    classes = torch.where(hard + easy >= views, classes, EMPTY)
    return anchors.reshape(-1, dim), classes.unsqueeze(2).expand(-1, -1, views).reshape(-1)


class PixelContrastLoss(nn.Module):
    """:func:`pixel_contrast_loss` of sampled anchors, among themselves or against a memory.

    Args:
        num_classes: C.
        temperature, base_temperature: of the loss.
        max_samples, max_views, odd_view: of :func:`sample_anchors`.
    """

    def __init__(
        self,
        num_classes: int,
        temperature: float = 0.07,
        base_temperature: float = 0.07,
        max_samples: int = 1024,
        max_views: int = 100,
        odd_view: Literal["hard", "easy"] = "hard",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.temperature = temperature
        self.base_temperature = base_temperature
        self.max_samples = max_samples
        self.max_views = max_views
        self.odd_view: Literal["hard", "easy"] = odd_view

    def forward(
        self,
        embedding: Tensor,
        logits: Tensor,
        labels: Tensor,
        generator: torch.Generator | None = None,
        memory: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """The contrast of a batch.

        Args:
            embedding: (N, D, h, w), L2-normalised over D.
            logits: (N, C, H, W), only for where the prediction is wrong.
            labels: (N, H, W) int64, -1 = ignored.
            generator: on the device of the embedding.
            memory: embeddings (B, D) and classes (B,), see :meth:`EmbeddingMemory.content`.

        Returns:
            A scalar; 0, with a gradient of 0, if nothing can be contrasted.
        """
        size = embedding.shape[2:]
        predictions = to_grid(logits.argmax(dim=1), size)
        anchors, classes = sample_anchors(
            embedding,
            to_grid(labels, size),
            predictions,
            self.num_classes,
            self.max_samples,
            self.max_views,
            generator,
            self.odd_view,
        )
        others, other_classes = memory or (None, None)
        return pixel_contrast_loss(anchors, classes, others, other_classes, self.temperature, self.base_temperature)
