"""Lovasz-softmax against its definition."""

import pytest
import torch

from lib.loss.lovasz import lovasz_softmax_loss
from tests.loss.cases import batch


def test_plain_computation():
    logits, labels = batch()
    valid, probabilities = labels >= 0, logits.softmax(dim=1)
    total = 0.0
    for k in range(3):
        truth = (labels == k)[valid].double()
        errors = (truth - probabilities[:, k][valid]).abs()
        order = errors.argsort(descending=True)
        wrong, before = torch.zeros_like(truth), 0.0
        for index in order:
            wrong[index] = 1
            # flipping the first i pixels: those of the class leave the intersection, the others join the union
            jaccard = 1 - ((truth * (1 - wrong)).sum() / (truth + (1 - truth) * wrong).sum()).item()
            total += errors[index].item() * (jaccard - before) / 3
            before = jaccard
    assert lovasz_softmax_loss(logits, labels).item() == pytest.approx(total, rel=1e-5)


def test_hard_predictions_cost_one_minus_iou():
    labels = torch.tensor([[[0, 0, 0, 1, 1, 1, -1]]])
    predicted = torch.tensor([[[0, 0, 1, 1, 1, 1, 0]]])
    logits = 100.0 * torch.nn.functional.one_hot(predicted, 2).permute(0, 3, 1, 2)
    assert lovasz_softmax_loss(logits, labels).item() == pytest.approx(1 - (2 / 3 + 3 / 4) / 2)


def test_absent_classes_do_not_count():
    logits, labels = batch()
    one_class = torch.zeros_like(labels)
    two = torch.cat((logits, torch.full_like(logits[:, :1], -100.0)), dim=1)
    torch.testing.assert_close(lovasz_softmax_loss(two, one_class), lovasz_softmax_loss(logits, one_class))
