"""SegFix's losses against PyTorch's cross-entropy with the weights written out; on devices and compiled."""

import torch
from torch.nn import functional as F

from lib.loss.segfix import BoundaryLoss, DirectionLoss, rarity_weights
from lib.utils.labels import boundary_of
from tests.loss.test_compile import assert_compiles
from tests.synchronisation import META, like_on_meta, on_meta


def batch():
    generator = torch.Generator().manual_seed(0)
    logits, directions = (torch.randn(2, count, 9, 11, generator=generator) for count in (2, 8))
    return logits, directions, torch.randint(-1, 16, (2, 9, 11), generator=generator)


def shares(labels, count):
    counted = torch.stack([(labels == index).sum() for index in range(count)])
    return counted / counted.sum()


def test_boundaries_weigh_by_their_rarity():
    logits, _, targets = batch()
    labels = boundary_of(targets)
    assert labels.unique().tolist() == [-1, 0, 1]
    expected = F.cross_entropy(logits, labels, weight=1 - shares(labels, 2), ignore_index=-1)
    torch.testing.assert_close(BoundaryLoss()(logits, targets), expected)
    torch.testing.assert_close(BoundaryLoss()(logits, labels), expected)


def test_directions_are_learnt_where_a_boundary_is_seen():
    logits, directions, targets = batch()
    seen = logits.softmax(1)[:, 1] > 0.6
    labels = torch.where(seen & (targets >= 0), targets // 2, -1)
    expected = F.cross_entropy(directions, labels, weight=1 - shares(labels, 8), ignore_index=-1)
    torch.testing.assert_close(DirectionLoss(0.6)(directions, logits, targets), expected)


def test_without_boundaries_the_loss_is_zero_with_a_gradient():
    logits, directions, targets = batch()
    directions.requires_grad_()
    loss = DirectionLoss()(directions, torch.stack([logits[:, 0] + 99, logits[:, 1]], 1), targets)
    loss.backward()
    assert loss.item() == 0
    assert not directions.grad.any()
    assert BoundaryLoss()(logits, torch.full_like(targets, -1)) == 0
    assert rarity_weights(torch.full((1, 1, 3), -1), 2).tolist() == [1, 1]


def both(logits, directions, targets):
    return BoundaryLoss()(logits, targets) + DirectionLoss()(directions, logits, targets)


def test_they_do_not_wait_for_the_device():
    logits, directions, targets = like_on_meta(*batch())
    with on_meta() as operators:
        both(logits, directions, targets).backward()
    assert operators.found == []
    assert logits.grad.device == directions.grad.device == META


def test_they_compile_as_one_graph():
    assert_compiles(both, *batch())
