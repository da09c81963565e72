"""Every loss compiles as one graph, and computes then what it computes otherwise."""

import pytest
import torch

from lib.loss import EmbeddingMemory, PixelContrastLoss, SAMCLLoss
from lib.loss.adversarial import discriminator_loss, feature_distance, generator_loss
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from tests.loss.cases import CLASSES, MAKE, batch, make

BACKENDS = {"rmi": "aot_eager", "sam-cl overlap": "aot_eager"}
"""Tracing the backward pass too takes its time: only for those with derivatives of their own."""


def value_and_gradient(loss, logits, *others):
    torch.manual_seed(0)
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, *others)
    return value.detach(), torch.autograd.grad(value, logits)[0]


def assert_compiles(loss, *arguments, backend="eager"):
    compiled = torch.compile(loss, fullgraph=True, backend=backend)
    for ours, expected in zip(
        value_and_gradient(compiled, *arguments), value_and_gradient(loss, *arguments), strict=True
    ):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("name", MAKE)
def test_pixel_losses_and_sam_cl(name):
    assert_compiles(make(name), *batch(), backend=BACKENDS.get(name, "eager"))


@pytest.mark.thorough
def test_published_sam_cl():
    torch.manual_seed(0)
    loss, auxiliary = SAMCLLoss(CLASSES, mode="published"), SAMCLAuxiliary(CLASSES, reflect_padding=True)
    (logits, labels), permutation = batch(32, 40), torch.tensor([1, 2, 0])
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(
        compiled(logits, labels, auxiliary, permutation), loss(logits, labels, auxiliary, permutation)
    )


def test_contrast_with_memory():
    logits, labels = batch()
    embedding = torch.randn(2, 8, 9, 10, generator=torch.Generator().manual_seed(0))
    memory = EmbeddingMemory(CLASSES, size=4, dim=8)
    memory.write(*memory.collect(embedding, labels[:, ::2, ::2][..., :10]))
    contrast = PixelContrastLoss(CLASSES, max_views=200)

    def loss(embedding, logits, labels):
        return contrast(embedding, logits, labels, memory=memory.content())

    assert_compiles(loss, embedding, logits, labels)


def test_adversarial_losses():
    def loss(prediction, truth):
        distances = feature_distance([prediction], [truth]), discriminator_loss(truth, prediction)
        return sum((*distances, generator_loss(prediction)))

    assert_compiles(loss, *torch.randn(2, 2, 1, 4, 5, generator=torch.Generator().manual_seed(0)))
