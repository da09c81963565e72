"""Adversarial losses: their values, their derivatives, and who wins what."""

import math

import pytest
import torch

from lib.loss.adversarial import discriminator_loss, feature_distance, generator_loss


def test_feature_distance_is_the_mean_over_scales_of_the_mean_difference():
    predicted = [torch.tensor([[1.0, 2.0]]), torch.tensor([3.0])]
    truth = [torch.tensor([[0.0, 4.0]]), torch.tensor([-1.0])]
    assert feature_distance(predicted, truth).item() == pytest.approx((1.5 + 4) / 2)


def test_logistic_losses_are_log_probabilities():
    truth, prediction = torch.tensor([0.3, -1.0]), torch.tensor([0.7])

    def sigmoid(score):
        return 1 / (1 + math.exp(-score))

    real = -(math.log(sigmoid(0.3)) + math.log(sigmoid(-1.0))) / 2
    assert discriminator_loss(truth, prediction).item() == pytest.approx(real - math.log(1 - sigmoid(0.7)))
    assert generator_loss(prediction).item() == pytest.approx(-math.log(sigmoid(0.7)))


def test_losses_pull_in_opposite_directions():
    scores = torch.zeros(4, requires_grad=True)
    by_network = torch.autograd.grad(generator_loss(scores), scores)[0]
    by_discriminator = torch.autograd.grad(discriminator_loss(torch.zeros(4), scores), scores)[0]
    assert (by_network < 0).all()
    assert (by_discriminator > 0).all()


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_saturated_scores_are_finite_and_give_the_network_a_gradient(scale):
    scores = torch.full((3,), -scale, requires_grad=True)
    loss = generator_loss(scores) + 0 * discriminator_loss(scores, scores)
    loss.backward()
    assert loss.isfinite()
    assert (scores.grad < -0.2).all()


def test_gradients_are_the_derivatives():
    a, b = (torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    assert torch.autograd.gradcheck(discriminator_loss, (a.requires_grad_(), b.requires_grad_()))
    assert torch.autograd.gradcheck(generator_loss, (a,))
    assert torch.autograd.gradcheck(lambda x, y: feature_distance([x, x[:1]], [y, y[:1]]), (a, b))


def test_autocast_does_not_reach_the_losses():
    a, b = torch.randn(8).bfloat16(), torch.randn(8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = discriminator_loss(a, b), generator_loss(a), feature_distance([a], [b])
    assert all(loss.dtype == torch.float32 for loss in losses)
