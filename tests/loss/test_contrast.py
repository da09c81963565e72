"""Pixel contrast: parity, a plain loop, the choice of anchors, and batches where nothing can be contrasted."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from lib.loss.contrast import EMPTY, PixelContrastLoss, pixel_contrast_loss, sample_anchors, to_grid
from lib.loss.memory import EmbeddingMemory
from tests.loss import golden


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def unit(*shape, seed=0, dtype=torch.float32):
    """Random vectors of length 1 along the second dimension."""
    return F.normalize(torch.randn(*shape, generator=generator(seed), dtype=dtype), dim=1)


def plain(anchors, classes, others, other_classes, temperature, same):
    """The loss, similarity by similarity."""
    of_anchors = []
    for i, anchor in enumerate(anchors.tolist()):
        scores = [math.exp(sum(a * b for a, b in zip(anchor, o, strict=True)) / temperature) for o in others.tolist()]
        repulsion = sum(s for s, k in zip(scores, other_classes, strict=True) if k not in (classes[i], EMPTY))
        terms = [
            -math.log(s / (s + repulsion))
            for j, (s, k) in enumerate(zip(scores, other_classes, strict=True))
            if k == classes[i] != EMPTY and not (same and i == j)
        ]
        if terms:
            of_anchors.append(sum(terms) / len(terms))
    return sum(of_anchors) / len(of_anchors)


def test_published_values_and_gradients():
    for case in golden.cases("pixel_contrast"):
        features = torch.tensor(case["features"], requires_grad=True)
        classes = torch.tensor(case["classes"]).long().unsqueeze(1).expand(features.shape[:2])
        temperatures = float(case["temperature"]), float(case["base_temperature"])
        loss = pixel_contrast_loss(features.flatten(0, 1), classes.flatten(), None, None, *temperatures)
        loss.backward()
        assert loss.item() == pytest.approx(float(case["loss"]), rel=1e-5)
        assert np.abs(features.grad.numpy() - case["grad"]).max() <= 1e-4 * np.abs(case["grad"]).max()


def test_plain_computation():
    anchors, others = unit(7, 5), unit(9, 5, seed=1)
    classes, other_classes = [0, 1, 2, 0, EMPTY, 1, 5], [0, 0, 1, EMPTY, 2, 2, 1, 3, EMPTY]
    arguments = (anchors, torch.tensor(classes))
    assert pixel_contrast_loss(*arguments, temperature=0.5, base_temperature=0.25).item() == pytest.approx(
        2 * plain(anchors, classes, anchors, classes, 0.5, same=True), rel=1e-5
    )
    loss = pixel_contrast_loss(*arguments, others, torch.tensor(other_classes), temperature=0.5, base_temperature=0.5)
    assert loss.item() == pytest.approx(plain(anchors, classes, others, other_classes, 0.5, same=False), rel=1e-5)


def test_gradient_is_the_derivative():
    anchors, classes = unit(8, 4, dtype=torch.float64), torch.tensor([0, 0, 1, 1, 2, EMPTY, 0, 1])
    assert torch.autograd.gradcheck(
        lambda a: pixel_contrast_loss(a, classes, None, None, 0.5), anchors.requires_grad_()
    )


@pytest.mark.parametrize("classes", [[EMPTY] * 4, [0, 1, 2, 3], [0, EMPTY, EMPTY, EMPTY], [1, 1, 1, 1]])
@pytest.mark.parametrize("temperature", [0.07, 1e-3])
def test_degenerate_sets_are_finite(classes, temperature):
    anchors = unit(4, 5).requires_grad_()
    loss = pixel_contrast_loss(anchors, torch.tensor(classes), temperature=temperature)
    loss.backward()
    assert loss.isfinite()
    assert anchors.grad.isfinite().all()
    if classes != [1, 1, 1, 1]:
        assert loss == 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    views=st.integers(1, 6),
    wrong=st.floats(0, 1),
    ignored=st.floats(0, 1),
    odd_view=st.sampled_from(["hard", "easy"]),
)
def test_anchors_are_distinct_pixels_of_their_class_half_of_them_hard(seed, views, wrong, ignored, odd_view):
    g = generator(seed)
    labels = torch.randint(0, 3, (2, 5, 6), generator=g)
    labels = labels.masked_fill(torch.rand(labels.shape, generator=g) < ignored, -1)
    predictions = torch.where(torch.rand(labels.shape, generator=g) < wrong, (labels + 1) % 3, labels)
    identity = torch.arange(60.0).view(2, 1, 5, 6)  # an embedding that tells the pixel
    anchors, classes = sample_anchors(identity, labels, predictions, 3, 10**6, views, generator(seed + 1), odd_view)
    for n, group in enumerate(zip(anchors.view(2, 3, views), classes.view(2, 3, views), strict=True)):
        for k, (pixels, of_class) in enumerate(zip(*group, strict=True)):
            members = labels[n] == k
            if members.sum() < views:
                assert (of_class == EMPTY).all()
                continue
            assert (of_class == k).all()
            index = pixels.long().tolist()
            assert len(set(index)) == views
            assert all(labels.flatten()[i] == k and i // 30 == n for i in index)
            hard = (members & (predictions[n] != k)).sum().item()
            easy = members.sum().item() - hard
            chosen = sum((predictions.flatten()[i] != k).item() for i in index)
            half = math.ceil(views / 2) if odd_view == "hard" else math.floor(views / 2)
            assert chosen == min(hard, max(half, views - easy))


def test_the_only_view_of_a_class_is_a_hard_pixel_where_there_is_one_but_not_in_the_published_code():
    labels = torch.zeros(1, 2, 5, dtype=torch.int64)
    predictions = torch.tensor([[[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]])
    identity = torch.arange(10.0).view(1, 1, 2, 5)
    for seed in range(5):
        anchors, classes = sample_anchors(identity, labels, predictions, 2, 8, 1, generator(seed))
        assert (anchors[0].item(), classes[0].item()) == (0, 0)
        anchors, classes = sample_anchors(identity, labels, predictions, 2, 8, 1, generator(seed), "easy")
        assert anchors[0].item() != 0
        assert classes[0].item() == 0


def test_every_pixel_can_be_an_anchor():
    labels = torch.zeros(1, 2, 3, dtype=torch.int64)
    identity = torch.arange(6.0).view(1, 1, 2, 3)
    drawn = {sample_anchors(identity, labels, labels, 2, 8, 1, generator(seed))[0][0].item() for seed in range(100)}
    assert drawn == set(range(6))


def test_anchors_are_at_most_max_samples():
    embedding, labels = unit(4, 5, 8, 8), torch.randint(0, 3, (4, 8, 8), generator=generator())
    anchors, _ = sample_anchors(embedding, labels, labels, 3, 40, 100)
    assert len(anchors) == 36


def batch():
    labels = torch.randint(-1, 3, (2, 16, 20), generator=generator())
    return unit(2, 6, 8, 10), torch.randn(2, 3, 16, 20, generator=generator(1)), labels


def test_ignored_pixels_are_no_anchors():
    embedding, logits, labels = batch()
    loss = PixelContrastLoss(3, max_views=4)
    other = torch.where((labels == -1)[:, ::2, ::2].unsqueeze(1), -embedding, embedding)
    assert torch.equal(loss(embedding, logits, labels, generator()), loss(other, logits, labels, generator()))


def test_no_qualifying_class_gives_zero_and_keeps_the_graph():
    embedding, logits, labels = batch()
    embedding.requires_grad_()
    loss = PixelContrastLoss(3, max_views=4)(embedding, logits, torch.full_like(labels, -1))
    loss.backward()
    assert loss == 0
    assert not embedding.grad.any()


def test_embeddings_that_are_apart_by_class_cost_less():
    _, logits, labels = batch()
    loss = PixelContrastLoss(3, max_views=4)
    apart = F.one_hot(labels[:, ::2, ::2].clamp(min=0), 3).permute(0, 3, 1, 2).float()
    mixed = F.one_hot(torch.randint(0, 3, (2, 8, 10), generator=generator(4)), 3).permute(0, 3, 1, 2).float()
    assert loss(apart, logits, labels, generator()) < 0.01 < loss(mixed, logits, labels, generator())


def test_autocast_does_not_reach_the_loss():
    embedding, logits, labels = batch()
    loss = PixelContrastLoss(3, max_views=4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(embedding.bfloat16(), logits, labels, generator())
    assert inside.dtype == torch.float32
    assert torch.equal(inside, loss(embedding.bfloat16().float(), logits, labels, generator()))


class NoFloat64(TorchDispatchMode):
    """A device without float64, as MPS is."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        for leaf in tree_leaves(result):
            assert not isinstance(leaf, torch.Tensor) or leaf.dtype != torch.float64, function
        return result


def test_runs_on_devices_without_float64():
    embedding, logits, labels = batch()
    memory = EmbeddingMemory(3, size=4, dim=6)
    with NoFloat64():
        memory.write(*memory.collect(embedding, to_grid(labels, (8, 10))))
        PixelContrastLoss(3, max_views=4)(
            embedding.requires_grad_(), logits, labels, memory=memory.content()
        ).backward()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_grid_takes_the_nearest_pixel(height, width, rows, columns):
    maps = torch.arange(height * width).view(1, height, width)
    grid = to_grid(maps, (rows, columns))
    assert grid.shape == (1, rows, columns)
    assert grid.dtype == torch.int64
    for i, j in np.ndindex(rows, columns):
        assert grid[0, i, j] == (i * height // rows) * width + j * width // columns


def test_runs_on_cuda_in_form():
    with FakeTensorMode():
        embedding, logits, labels = (torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda") for tensor in batch())
        assert PixelContrastLoss(3, max_views=4)(embedding, logits, labels).device.type == "cuda"
