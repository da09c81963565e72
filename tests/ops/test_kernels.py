"""Every kernel computes what its plain form computes, and so does its gradient."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F

from lib.ops.batch_statistics import batch_norm_of_batch, moments, plain_batch_norm_of_batch, plain_moments
from lib.ops.binary_cross_entropy import (
    binary_cross_entropy_sum,
    binary_cross_entropy_sum_and_maxima,
    plain_binary_cross_entropy_sum,
    plain_binary_cross_entropy_sum_and_maxima,
)
from lib.ops.half_log_determinant import half_log_determinant, plain_half_log_determinant
from lib.ops.mask_pooling import max_pool_masks, plain_max_pool_masks
from lib.ops.mask_triplet import (
    conv_norm_relu_conv,
    mask_triplet,
    overlaps,
    plain_conv_norm_relu_conv,
    plain_masks,
    plain_overlaps,
)
from lib.ops.masked_softmax import masked_softmax, plain_masked_softmax

CLASSES = 5
SHAPE = (2, CLASSES, 14, 17)
WINDOWS = [(3, 3), (4, 2), (5, 2), (2, 3), (1, 2)]
SWAPS = [[1, 2, 3, 4, 0], [1, 0, 1, 1, 1]]


def normal(*shape, seed=0, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels():
    """(2, 14, 17) int64, some -1."""
    return torch.randint(-1, CLASSES, (2, *SHAPE[2:]), generator=torch.Generator().manual_seed(9))


VALID = (labels() >= 0).unsqueeze(1).double()
MASKS = F.one_hot(labels().clamp(min=0), CLASSES).movedim(-1, 1) * VALID
LOGITS = normal(*SHAPE, scale=3)


def of_triplet(function, swap):
    """A function of a triplet as one of its anchor and further arguments."""
    return lambda anchor, *others: function(mask_triplet(anchor * VALID, labels(), torch.tensor(swap)), *others)


CASES = {
    "masked softmax": (partial(masked_softmax, valid=VALID), partial(plain_masked_softmax, valid=VALID), [LOGITS]),
    "binary cross-entropy": (
        partial(binary_cross_entropy_sum, masks=MASKS),
        partial(plain_binary_cross_entropy_sum, masks=MASKS),
        [LOGITS],
    ),
    "binary cross-entropy of 70 classes": (
        partial(binary_cross_entropy_sum, masks=torch.ones(1, 70, 3, 4).double()),
        partial(plain_binary_cross_entropy_sum, masks=torch.ones(1, 70, 3, 4).double()),
        [normal(1, 70, 3, 4)],
    ),
    "batch norm": (
        partial(batch_norm_of_batch, eps=1e-5),
        partial(plain_batch_norm_of_batch, eps=1e-5),
        [3 * LOGITS + 10, normal(CLASSES), normal(CLASSES, seed=1)],
    ),
    "moments": (moments, plain_moments, [normal(2, 3, 40)]),
}
for size, stride in WINDOWS:
    CASES[f"cross-entropy and maxima in windows of {size} by {stride}"] = (
        partial(binary_cross_entropy_sum_and_maxima, masks=MASKS, size=size, stride=stride),
        partial(plain_binary_cross_entropy_sum_and_maxima, masks=MASKS, size=size, stride=stride),
        [LOGITS],
    )
for radius in (1, 2, 3, 4):
    CASES[f"determinant of neighbourhoods of {radius}"] = (
        partial(half_log_determinant, masks=MASKS, radius=radius, dtype=torch.float64),
        partial(plain_half_log_determinant, masks=MASKS, radius=radius, dtype=torch.float64),
        [LOGITS.sigmoid()],
    )
for swap in SWAPS:
    CASES[f"overlaps under {swap}"] = (of_triplet(overlaps, swap), of_triplet(plain_overlaps, swap), [LOGITS.sigmoid()])
    CASES[f"first layers of the auxiliary network under {swap}"] = (
        of_triplet(lambda masks, *weights: conv_norm_relu_conv(masks, *weights[:3], 1e-5, weights[3]), swap),
        of_triplet(lambda masks, *weights: plain_conv_norm_relu_conv(masks, *weights[:3], 1e-5, weights[3]), swap),
        [LOGITS.softmax(1), *(normal(*shape) for shape in ((5, 5), (5,), (5,), (5, 5, 3, 3)))],
    )


def values_and_gradients(function, inputs):
    """What the function returns, and the gradients of some sum of it by every input."""
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    values = torch.utils._pytree.tree_leaves(function(*inputs))
    total = sum((normal(*value.shape, seed=k) * value).sum() for k, value in enumerate(values))
    return [*values, *torch.autograd.grad(total, inputs)]


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_the_plain_form(name):
    kernel, plain, inputs = CASES[name]
    for ours, expected in zip(*(values_and_gradients(form, inputs) for form in (kernel, plain)), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize(("size", "stride"), WINDOWS)
def test_maxima_of_masks_are_those_of_the_plain_form(size, stride):
    assert torch.equal(max_pool_masks(MASKS, size, stride), plain_max_pool_masks(MASKS, size, stride))


def test_masks_of_a_triplet_hold_the_class_and_the_class_that_it_becomes():
    swap = torch.tensor(SWAPS[0])
    _, positive, negative = plain_masks(mask_triplet(torch.zeros(SHAPE), labels(), swap))
    valid = labels() >= 0
    for mask, classes in ((positive, labels()), (negative, swap[labels()])):
        assert torch.equal(mask.sum(dim=1), valid.float())
        assert torch.equal(mask.argmax(dim=1)[valid], classes[valid])


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0, 30.0, 60.0])
def test_the_determinant_is_safe_in_float32(scale):
    """Of confident predictions too, where the plain form cancels to noise."""
    y, x = torch.meshgrid(torch.arange(120), torch.arange(140), indexing="ij")
    truth = F.one_hot((x // 7 + y // 6) % 4, 4).movedim(-1, 0)[None].double()
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    prediction = (scale * (2 * truth - 1) + 0.1 * noise).sigmoid()

    exact = half_log_determinant(prediction, truth, 3, torch.float64)
    single = half_log_determinant(prediction.float(), truth.float(), 3, torch.float32)
    torch.testing.assert_close(single.double(), exact, rtol=1e-3, atol=0)
