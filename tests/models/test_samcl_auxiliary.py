"""The auxiliary network of SAM-CL: its scales, its published form, spectral norm."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lib.models.samcl_auxiliary import PointwiseConv, SAMCLAuxiliary
from lib.ops.mask_triplet import mask_triplet, plain_masks
from lib.utils.errors import ConfigError
from tests.loss import golden


def published_weights(case):
    """The state dict of a case of the published values."""
    layers = {f"stages.{stage}": f"conv_down_{stage + 1}/conv" for stage in range(2)}
    names = {}
    for ours, theirs in layers.items():
        for norm in ("weight", "bias"):
            names[f"{ours}.1.{norm}"] = f"{theirs}/1/0/{norm}"
            names[f"{ours}.4.{norm}"] = f"{theirs}/3/0/{norm}"
        names[f"{ours}.0.weight"] = f"{theirs}/0/weight"
        names[f"{ours}.3.weight"] = f"{theirs}/2/weight"
    names["stages.2.0.weight"] = "conv_final/conv_final/0/weight"
    for norm in ("weight", "bias"):
        names[f"stages.2.1.{norm}"] = f"conv_final/conv_final/1/0/{norm}"
    return {ours: torch.tensor(case[f"aux/{theirs}"]) for ours, theirs in names.items()}


def test_published_features():
    for case in golden.cases("samcl_loss"):
        auxiliary = SAMCLAuxiliary(6, reflect_padding=True)
        auxiliary.load_state_dict(published_weights(case))
        for mask in ("anchor", "positive", "negative"):
            scales = auxiliary(torch.tensor(case[f"{mask}_scale0"]))
            for number, scale in enumerate(scales, start=1):
                np.testing.assert_allclose(scale.detach(), case[f"{mask}_scale{number}"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("height", [24, 25, 26, 27])
def test_scales_are_a_half_and_a_quarter_of_the_mask(height):
    half, quarter = -(-height // 2), -(-height // 4)
    scales = SAMCLAuxiliary(5)(torch.rand(2, 5, height, 32))
    assert [tuple(scale.shape) for scale in scales] == [(2, 5, half, 16), (2, 5, quarter, 8), (2, 5, quarter, 8)]
    assert all((scale >= 0).all() for scale in scales)


def test_reflect_padding_gives_the_published_sizes():
    scales = SAMCLAuxiliary(6, reflect_padding=True)(torch.rand(1, 6, 32, 40))
    assert [tuple(scale.shape[2:]) for scale in scales] == [(17, 21), (10, 12), (12, 14)]


def test_two_scale_form_is_the_first_stage():
    four, two = SAMCLAuxiliary(6), SAMCLAuxiliary(6, num_scales=2)
    two.load_state_dict({key: value for key, value in four.state_dict().items() if key.startswith("stages.0.")})
    masks = torch.rand(2, 6, 16, 20)
    (scale,) = two(masks)
    torch.testing.assert_close(scale, four(masks)[0])


@pytest.mark.parametrize("reflect", [True, False])
def test_matrix_product_is_the_convolution(reflect):
    conv, maps = PointwiseConv(5, 4, reflect), torch.randn(2, 5, 7, 9)
    padded = F.pad(maps, (1, 1, 1, 1), mode="reflect") if reflect else maps
    torch.testing.assert_close(conv(maps), F.conv2d(padded, conv.weight))


def values_and_gradients(features, maps, auxiliary):
    """Features, and the gradients of some sum of them by ``maps`` and by every parameter."""
    weights = [torch.randn(scale.shape, generator=torch.Generator().manual_seed(k)) for k, scale in enumerate(features)]
    total = sum((weight.to(scale.dtype) * scale).sum() for weight, scale in zip(weights, features, strict=True))
    return [*features, *torch.autograd.grad(total, [maps, *auxiliary.parameters()])]


@pytest.mark.parametrize("swap", [[1, 2, 3, 4, 5, 0], [1, 0, 1, 1, 1, 1]])
@pytest.mark.parametrize("options", [{}, {"spectral_norm": True}, {"num_scales": 2}])
def test_a_triplet_passes_as_if_its_masks_were_concatenated(options, swap):
    torch.manual_seed(0)
    auxiliary = SAMCLAuxiliary(6, **options).double().eval()
    anchor = torch.rand(2, 6, 17, 20, dtype=torch.float64).softmax(dim=1).requires_grad_()
    masks = mask_triplet(anchor, torch.randint(-1, 6, (2, 17, 20)), torch.tensor(swap))

    quick = [torch.cat(scale) for scale in auxiliary.features_of_triplet(masks)]
    plain = auxiliary(torch.cat(plain_masks(masks)))
    for ours, expected in zip(
        *(values_and_gradients(features, anchor, auxiliary) for features in (quick, plain)), strict=True
    ):
        torch.testing.assert_close(ours, expected)


def test_the_published_form_takes_one_mask_at_a_time():
    masks = mask_triplet(torch.zeros(1, 6, 16, 20), torch.zeros(1, 16, 20, dtype=torch.int64), torch.arange(6))
    with pytest.raises(ValueError, match="reflect_padding"):
        SAMCLAuxiliary(6, reflect_padding=True).features_of_triplet(masks)


def test_evaluation_uses_the_batch_as_training_does():
    auxiliary, masks = SAMCLAuxiliary(6), torch.rand(2, 6, 16, 20)
    for training, evaluation in zip(auxiliary.train()(masks), auxiliary.eval()(masks), strict=True):
        assert torch.equal(training, evaluation)


def test_spectral_norm_bounds_every_convolution():
    torch.manual_seed(0)
    auxiliary = SAMCLAuxiliary(6, spectral_norm=True)
    masks = torch.rand(2, 6, 16, 20)
    for _ in range(30):  # each training pass is one step of the power iteration
        auxiliary(masks)
    weights = [layer.weight for stage in auxiliary.stages for layer in stage if hasattr(layer, "parametrizations")]
    assert len(weights) == 5
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), ord=2).item() == pytest.approx(1, abs=0.05)
    sum(scale.sum() for scale in auxiliary(masks)).backward()
    assert all(parameter.grad is not None for parameter in auxiliary.parameters())


def test_other_numbers_of_scales_are_refused():
    with pytest.raises(ConfigError, match="2 or 4"):
        SAMCLAuxiliary(6, num_scales=3)
