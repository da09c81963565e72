"""Cross-entropies against ten-line loops and the framework's own."""

import math

import pytest
import torch
import torch.nn.functional as F

from lib.loss.cross_entropy import (
    CrossEntropyLoss,
    binary_cross_entropy_loss,
    binary_cross_entropy_sum,
    cross_entropy_loss,
    hard_example_loss,
    inverse_frequencies,
)
from lib.utils.errors import ConfigError
from tests.loss.cases import batch


def labelled_pixels():
    """(probabilities, label) of each labelled pixel of the batch."""
    logits, labels = batch()
    probabilities = logits.softmax(dim=1).movedim(1, -1)
    pixels = zip(probabilities.flatten(0, 2).tolist(), labels.flatten().tolist(), strict=True)
    return [(p, label) for p, label in pixels if label >= 0]


def test_bce_is_the_mean_over_classes_and_labelled_pixels():
    logits, labels = batch()
    total, count = 0.0, 0
    for scores, label in zip(logits.movedim(1, -1).flatten(0, 2).tolist(), labels.flatten().tolist(), strict=True):
        if label >= 0:
            for k, score in enumerate(scores):
                total += math.log(1 + math.exp(-score if k == label else score))
                count += 1
    assert binary_cross_entropy_loss(logits, labels).item() == pytest.approx(total / count, rel=1e-5)


def test_bce_and_its_gradient_are_the_frameworks_for_any_logit():
    masks = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 1, 9)
    logits = torch.tensor([-1e4, -200.0, -60.0, -1.0, 0.0, 1.0, 60.0, 200.0, 1e4]).expand(1, 2, 1, 9).clone()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = binary_cross_entropy_sum(ours, masks)
    expected = F.binary_cross_entropy_with_logits(theirs, masks, reduction="sum")
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, ours), torch.autograd.grad(expected, theirs))


def test_bce_of_many_undecided_classes_does_not_underflow():
    zeros = torch.zeros(1, 300, 1, 1)
    assert binary_cross_entropy_sum(zeros, zeros).item() == pytest.approx(300 * math.log(2))


@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 1.0, 2.0])])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_ce_is_the_frameworks(weight, reduction):
    logits, labels = batch()
    expected = F.cross_entropy(logits, labels, weight=weight, ignore_index=-1, reduction=reduction)
    torch.testing.assert_close(cross_entropy_loss(logits, labels, weight, reduction), expected)


def test_auto_weights_are_inverse_frequencies():
    labels = torch.tensor([[[0, 0, 0, 0], [1, 1, -1, -1]]])
    assert inverse_frequencies(labels, 3).tolist() == [6 / (3 * 4), 6 / (3 * 2), 0]
    logits, labels = batch()
    weights = torch.tensor([(labels >= 0).sum() / (3 * (labels == k).sum()) for k in range(3)])
    torch.testing.assert_close(
        cross_entropy_loss(logits, labels, "auto"), F.cross_entropy(logits, labels, weight=weights, ignore_index=-1)
    )


def test_hard_examples_are_those_below_the_threshold():
    logits, labels = batch()
    hard = [-math.log(p[label]) for p, label in labelled_pixels() if p[label] < 0.4]
    loss = hard_example_loss(logits, labels, threshold=0.4, min_kept=1)
    assert loss.item() == pytest.approx(sum(hard) / len(hard), rel=1e-5)


def test_at_least_min_kept_pixels_are_hard():
    logits, labels = batch()
    hardest = sorted((p[label] for p, label in labelled_pixels()))[:50]
    loss = hard_example_loss(logits, labels, threshold=0.0, min_kept=50)
    assert loss.item() == pytest.approx(sum(-math.log(p) for p in hardest) / 50, rel=1e-5)


def test_all_labelled_pixels_are_hard_where_there_are_fewer_than_min_kept():
    logits, labels = batch()
    torch.testing.assert_close(
        hard_example_loss(logits, labels, threshold=0.0, min_kept=10**6), cross_entropy_loss(logits, labels)
    )


def test_no_hard_pixel_is_no_loss():
    logits, labels = batch()
    assert hard_example_loss(logits, labels, threshold=0.0, min_kept=0) == 0


def test_weights_must_be_one_for_each_class():
    with pytest.raises(ConfigError, match=r"ce_weight: expected 3 .* got 2"):
        CrossEntropyLoss(3, weight=[1.0, 2.0])
