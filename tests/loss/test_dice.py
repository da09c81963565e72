"""Dice against the published values and loops."""

import math

import numpy as np
import pytest
import torch

from lib.loss.dice import DiceLoss, soft_dice_loss
from lib.utils.errors import ConfigError
from tests.loss import golden
from tests.loss.cases import batch


def overlaps():
    """For each class of the batch: sum p t, sum p, sum t over labelled pixels."""
    logits, labels = batch()
    valid, probabilities = labels >= 0, logits.softmax(dim=1)
    for k in range(logits.shape[1]):
        p, t = probabilities[:, k][valid], (labels == k)[valid]
        yield p[t].sum().item(), p.sum().item(), t.sum().item()


def test_published_value_and_gradient():
    for case in golden.cases("dice_loss"):
        params = {key: value for key, value in case["params"].items() if key != "mode"}
        logits = torch.tensor(case["logits"], requires_grad=True)
        loss = DiceLoss(6, **params)(logits, torch.tensor(case["labels"]))
        loss.backward()
        assert loss.item() == pytest.approx(float(case["loss"]), rel=1e-5)
        assert np.abs(logits.grad.numpy() - case["grad"]).max() <= 1e-4 * np.abs(case["grad"]).max()


def test_plain_computation():
    logits, labels = batch()
    dice = [2 * both / (p + t) for both, p, t in overlaps()]
    assert DiceLoss(3)(logits, labels).item() == pytest.approx(1 - sum(dice) / 3, rel=1e-5)
    assert DiceLoss(3, classes=[0, 2], log_loss=True)(logits, labels).item() == pytest.approx(
        -(math.log(dice[0]) + math.log(dice[2])) / 2, rel=1e-5
    )
    assert DiceLoss(3, from_logits=False)(logits.softmax(dim=1), labels).item() == pytest.approx(
        DiceLoss(3)(logits, labels).item(), rel=1e-6
    )


def test_soft_dice_is_smoothed_by_one_and_averaged_over_classes():
    logits, labels = batch()
    dice = [(2 * both + 1) / (p + t + 1) for both, p, t in overlaps()]
    assert soft_dice_loss(logits, labels).item() == pytest.approx(1 - sum(dice) / 3, rel=1e-5)


def test_absent_classes_cost_nothing():
    logits, labels = batch()
    labels = labels.masked_fill(labels == 2, 0)
    logits[:, 2] = 9.0
    present = DiceLoss(3, classes=[0, 1])(logits, labels)
    torch.testing.assert_close(DiceLoss(3)(logits, labels), present * 2 / 3)


@pytest.mark.parametrize("classes", [[], [3], [0, -1]])
def test_classes_that_are_not_there_are_refused(classes):
    with pytest.raises(ConfigError, match="loss.params.classes"):
        DiceLoss(3, classes=classes)
