"""What holds for every loss of logits and labels."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.loss.cases import CLASSES, MAKE, batch, make

every_loss = pytest.mark.parametrize("name", MAKE)


def value_and_gradient(loss, logits, labels):
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, labels)
    value.backward()
    return value.detach(), logits.grad


@every_loss
def test_gradient_is_the_derivative(name):
    logits, labels = batch(9, 10, torch.float64)
    loss, logits = make(name), logits[:1].requires_grad_()
    tolerances = {"atol": 1e-8, "rtol": 1e-5}  # tight, as it is one random direction that is tried
    assert torch.autograd.gradcheck(lambda x: loss(x, labels[:1]), (logits,), fast_mode=True, **tolerances)


@every_loss
def test_ignored_pixels_change_nothing(name):
    loss = make(name)
    logits, labels = batch()
    ignored = (labels == -1).unsqueeze(1)
    other = torch.where(ignored, 10 * torch.randn(logits.shape, generator=torch.Generator().manual_seed(1)), logits)
    value, gradient = value_and_gradient(loss, logits, labels)
    other_value, other_gradient = value_and_gradient(loss, other, labels)
    if name == "with auxiliary output":  # bilinear resizing to the same size rounds
        torch.testing.assert_close(value, other_value)
        return
    assert torch.equal(value, other_value)
    assert torch.equal(gradient, other_gradient)
    assert not gradient[ignored.expand_as(gradient)].any()


@every_loss
def test_ignore_index_is_only_a_name(name):
    logits, labels = batch()
    renamed = labels.masked_fill(labels == -1, 255)
    assert torch.equal(make(name)(logits, labels), make(name, ignore_index=255)(logits, renamed))


@every_loss
@pytest.mark.parametrize("kind", ["constant", "ignored", "one class", "saturated right", "saturated wrong", "bf16"])
def test_degenerate_batches_are_finite(name, kind):
    logits, labels = batch(36, 42)
    if kind == "constant":
        logits, labels = torch.zeros_like(logits), torch.ones_like(labels)
    elif kind == "ignored":
        labels = torch.full_like(labels, -1)
    elif kind == "one class":
        labels = torch.full_like(labels, 2)
    elif kind.startswith("saturated"):
        right = torch.nn.functional.one_hot(labels.clamp(min=0), CLASSES).permute(0, 3, 1, 2)
        logits = (120.0 * right - 60) * (1 if kind.endswith("right") else -1)
    else:
        logits = logits.bfloat16()
    value, gradient = value_and_gradient(make(name), logits, labels)
    assert value.isfinite()
    assert gradient.isfinite().all()
    assert value.shape == ()


@every_loss
def test_inputs_stay_as_they_are(name):
    logits, labels = batch()
    before = logits.clone(), labels.clone()
    make(name)(logits, labels)
    assert torch.equal(logits, before[0])
    assert torch.equal(labels, before[1])


@every_loss
def test_autocast_does_not_reach_the_loss(name):
    logits, labels = batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = make(name)(logits.bfloat16(), labels)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, make(name)(logits.bfloat16().float(), labels))


@every_loss
def test_memory_layout_does_not_matter(name):
    logits, labels = batch()
    loss = make(name)
    torch.testing.assert_close(loss(logits.contiguous(memory_format=torch.channels_last), labels), loss(logits, labels))


@every_loss
def test_runs_on_cuda_in_form(name):
    loss = make(name)
    with FakeTensorMode(allow_non_fake_inputs=True):
        logits = torch.empty(2, CLASSES, 18, 21, device="cuda")
        labels = torch.empty(2, 18, 21, dtype=torch.int64, device="cuda")
        if isinstance(loss, torch.nn.Module):
            loss = loss.to("cuda")
        assert loss(logits, labels).device.type == "cuda"
