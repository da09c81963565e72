"""The detector of operators that wait for the device sees them; no loss has any."""

import pytest
import torch
from torch import nn

from lib.loss import EmbeddingMemory, PixelContrastLoss, SAMCLLoss
from lib.loss.adversarial import discriminator_loss, feature_distance, generator_loss
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from tests.loss.cases import CLASSES, MAKE, batch, make
from tests.synchronisation import META, like_on_meta, on_meta

VIOLATIONS = {
    "a number": lambda x: x.sum().item(),
    "a condition": lambda x: x if x.any() else -x,
    "a list": lambda x: x.tolist(),
    "equality": lambda x: torch.equal(x, x),
    "places": lambda x: x.nonzero(),
    "one argument": lambda x: torch.where(x > 0),
    "a mask": lambda x: x[x > 0],
    "setting by a mask": lambda x: x.detach().index_put_((x > 0,), x.sum()),
    "selection": lambda x: x.masked_select(x > 0),
    "unique values": lambda x: x.unique(),
    "counts": lambda x: x.long().bincount(),
    "repeats": lambda x: x.repeat_interleave(x.long()),
    "checked algebra": lambda x: torch.linalg.cholesky(x.outer(x)),
    "copy to the host": lambda x: x.cpu(),
    "copy from the host": lambda x: x + torch.ones(3).to(x.device),
    "literals": lambda x: x + torch.tensor([1.0, 2.0, 3.0], device=x.device),
    "a tensor of the host": lambda x: x + torch.ones(()),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_what_waits_or_copies_is_found(violation):
    (values,) = like_on_meta(torch.ones(3))
    with on_meta() as operators:
        try:
            VIOLATIONS[violation](values)
        except (NotImplementedError, RuntimeError) as error:  # the meta device itself objects
            operators.found.append(error)
    assert operators.found != []


@pytest.mark.parametrize("name", MAKE)
def test_no_loss_waits_for_the_device(name):
    loss = make(name)
    if isinstance(loss, nn.Module):
        loss.to(META)
    logits, labels = like_on_meta(*batch())
    with on_meta() as operators:
        loss(logits, labels).backward()
    assert operators.found == []
    assert logits.grad.device == META


def test_published_sam_cl_does_not_wait_for_the_device():
    loss, auxiliary = SAMCLLoss(CLASSES, mode="published"), SAMCLAuxiliary(CLASSES, reflect_padding=True).to(META)
    logits, labels, permutation = like_on_meta(*batch(32, 40), torch.empty(CLASSES, dtype=torch.int64))
    with on_meta() as operators:
        loss(logits, labels, auxiliary, permutation).backward()
    assert operators.found == []
    assert all(weight.grad is not None for weight in auxiliary.parameters())


def test_contrast_and_its_memory_do_not_wait_for_the_device():
    logits, labels = like_on_meta(*batch())
    (embedding,) = like_on_meta(torch.empty(2, 8, 9, 10))
    (small_labels,) = like_on_meta(torch.empty(2, 9, 10, dtype=torch.int64))
    memory = EmbeddingMemory(CLASSES, size=4, dim=8).to(META)
    loss = PixelContrastLoss(CLASSES, max_views=4)
    with on_meta() as operators:
        memory.write(*memory.collect(embedding, small_labels))
        (loss(embedding, logits, labels) + loss(embedding, logits, labels, memory=memory.content())).backward()
    assert operators.found == []
    assert embedding.grad is not None


def test_adversarial_losses_do_not_wait_for_the_device():
    truth, prediction = like_on_meta(torch.empty(2, 1, 4, 5), torch.empty(2, 1, 4, 5))
    with on_meta() as operators:
        losses = discriminator_loss(truth, prediction), generator_loss(prediction)
        sum((feature_distance([prediction], [truth]), *losses)).backward()
    assert operators.found == []
