"""RMI against the published values, a plain re-computation, and what makes it hard in float32."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lib.loss import RMILoss
from lib.loss.rmi import cross_entropy_and_probabilities
from lib.utils.errors import ConfigError
from tests.loss import golden


def waves(classes=4, height=27, width=31):
    """Smooth logits (1, C, H, W), and labels (1, H, W) with a stripe of ignored pixels."""
    y, x = np.mgrid[0:height, 0:width]
    logits = np.stack([3 * np.sin(x / (3 + k)) * np.cos(y / (5 - 0.5 * k)) for k in range(classes)])
    labels = ((x // 7 + y // 6) % classes).astype(np.int64)
    labels[:, 12:14] = -1
    return torch.tensor(logits[None], dtype=torch.float32), torch.tensor(labels[None])


def reference(logits, labels, radius=3, size=3, stride=3, weight=0.5):
    """The published formulation pixel by pixel: maxima, neighbourhoods, Schur complement, all in float64."""
    logits, labels = logits[0].double().numpy(), labels[0].numpy()
    classes, height, width = logits.shape
    valid = labels >= 0
    probabilities = 1 / (1 + np.exp(-logits))
    bce = rmi = 0.0
    for k in range(classes):
        truth = (labels == k).astype(float)
        bce -= (truth * np.log(probabilities[k]) + (1 - truth) * np.log(1 - probabilities[k]))[valid].sum()
        rows = []
        for map_ in (truth, probabilities[k] * valid + 1e-6):
            padded = np.pad(map_, size // 2, constant_values=-np.inf)
            pooled = np.array(
                [
                    [
                        padded[i : i + size, j : j + size].max()
                        for j in range(0, width + 2 * (size // 2) - size + 1, stride)
                    ]
                    for i in range(0, height + 2 * (size // 2) - size + 1, stride)
                ]
            )
            vectors = np.array(
                [
                    pooled[i : i + radius, j : j + radius].ravel()
                    for i in range(pooled.shape[0] - radius + 1)
                    for j in range(pooled.shape[1] - radius + 1)
                ]
            )
            rows.append((vectors - vectors.mean(axis=0)).T)
        la, pr = rows
        ridge = 1e-3 * np.eye(radius**2)
        conditional = la @ la.T - la @ pr.T @ np.linalg.inv(pr @ pr.T + ridge) @ pr @ la.T
        rmi += 0.5 * np.linalg.slogdet(conditional + ridge)[1] / radius**2
    return weight * bce / (valid.sum() + 1) + (1 - weight) * rmi


def test_published_values_and_gradients():
    for case in golden.cases("rmi_loss"):
        params = {key: value for key, value in case["params"].items() if key not in ("use_sigmoid", "num_classes")}
        logits = torch.tensor(case["logits"], requires_grad=True)
        loss = RMILoss(**params)(logits, torch.tensor(case["labels"]))
        loss.backward()
        assert loss.item() == pytest.approx(float(case["loss"]), rel=1e-5)
        assert np.abs(logits.grad.numpy() - case["grad"]).max() <= 1e-4 * np.abs(case["grad"]).max()


def test_plain_computation():
    logits, labels = waves()
    assert RMILoss()(logits, labels).item() == pytest.approx(reference(logits, labels), rel=1e-5)
    assert RMILoss(rmi_radius=2, rmi_pool_size=4, rmi_pool_stride=2, loss_weight_lambda=0.3)(
        logits, labels
    ).item() == pytest.approx(reference(logits, labels, radius=2, size=4, stride=2, weight=0.3), rel=1e-5)


def test_known_value():
    # computed once by `reference`, which agrees with the published code
    assert RMILoss()(*waves()).item() == pytest.approx(3.464812, rel=1e-5)


def test_weights():
    logits, labels = waves()
    bce = RMILoss(loss_weight_lambda=1.0)(logits, labels)
    rmi = RMILoss(loss_weight_lambda=0.0)(logits, labels)
    torch.testing.assert_close(RMILoss(loss_weight_lambda=0.2)(logits, labels), 0.2 * bce + 0.8 * rmi)
    torch.testing.assert_close(RMILoss(loss_weight_lambda=0.2, lambda_way=0)(logits, labels), bce + 0.2 * rmi)
    torch.testing.assert_close(RMILoss(loss_weight=3.0)(logits, labels), 3 * RMILoss()(logits, labels))


def test_bf16_born_logits_are_computed_in_float32():
    logits, labels = waves()
    born = logits.bfloat16()
    loss = RMILoss()(born, labels)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, RMILoss()(born.float(), labels))


def test_pooled_probabilities_are_the_maxima():
    logits, _ = waves()
    masks = (logits > 0).float()
    bce, pooled = cross_entropy_and_probabilities(logits, masks, way=0, size=3, stride=2)
    torch.testing.assert_close(pooled, F.max_pool2d(logits.sigmoid(), 3, stride=2, padding=1))
    torch.testing.assert_close(bce, F.binary_cross_entropy_with_logits(logits, masks, reduction="sum"))


def test_better_predictions_have_lower_loss():
    _, labels = waves(height=60, width=72)
    right = 8.0 * (2 * F.one_hot(labels.clamp(min=0), 4).permute(0, 3, 1, 2) - 1)
    losses = [RMILoss()(share * right, labels).item() for share in (-0.5, 0.0, 0.2, 0.5, 1.0)]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("options", [{"rmi_pool_way": 3}, {"rmi_radius": 0}, {"rmi_pool_stride": 0}])
def test_parameters_outside_their_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        RMILoss(**options)


def test_maps_smaller_than_a_neighbourhood_are_named():
    logits, labels = waves(height=4, width=31)
    with pytest.raises(ValueError, match="3x3"):
        RMILoss()(logits, labels)
