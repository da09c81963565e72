"""SAM-CL: its three modes, its negatives, and what it does to the two networks that it trains."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from lib.loss import RMILoss, SAMCLLoss
from lib.loss.class_swaps import CONFUSABLE_FACE
from lib.loss.masks import one_hot
from lib.loss.sam_cl import bray_curtis_distance, soft_target_distance
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from lib.ops.mask_triplet import plain_masks
from lib.utils.errors import ConfigError
from tests.loss import golden
from tests.models.test_samcl_auxiliary import published_weights


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(seed=0, batch=2, height=32, width=40, classes=6):
    """Label maps of smooth random regions, (N, H, W)."""
    seeds = torch.rand(batch, classes, 5, 6, generator=generator(seed))
    return F.interpolate(seeds, (height, width), mode="bilinear").argmax(dim=1)


def noisy(labels, classes=6, seed=0):
    """Logits that are right more often than not."""
    noise = torch.randn(*labels.shape[:1], classes, *labels.shape[1:], generator=generator(seed))
    return 2 * one_hot(labels.clamp(min=0), classes) + noise


class Recorder(nn.Module):
    """An auxiliary network that keeps what it is given; its one scale is the mask itself."""

    def features_of_triplet(self, masks):
        self.masks = [mask.detach() for mask in plain_masks(masks)]
        return [plain_masks(masks)]


def test_published_values():
    for case in golden.cases("samcl_loss"):
        auxiliary = SAMCLAuxiliary(6, reflect_padding=True)
        auxiliary.load_state_dict(published_weights(case))
        loss = SAMCLLoss(6, mode="published")
        logits, labels = torch.tensor(case["logits"]), torch.tensor(case["labels"])
        permutation = torch.tensor(case["perm"]).expand(6)
        assert loss(logits, labels, auxiliary, permutation).item() == pytest.approx(float(case["loss"]), rel=1e-5)


def test_overlap_is_a_sum_of_triplets_of_dice_and_bray_curtis():
    labels = blobs().masked_fill(torch.rand(2, 32, 40, generator=generator(3)) < 0.1, -1)
    logits, permutation = noisy(labels), torch.tensor([2, 0, 1, 5, 3, 4])
    recorder = Recorder()
    loss = SAMCLLoss(6, margin=0.7)(logits, labels, recorder, permutation)

    valid = (labels >= 0).unsqueeze(1)
    anchor = logits.softmax(dim=1) * valid
    positive, negative = (torch.zeros_like(anchor) for _ in range(2))
    for n, i, j in np.ndindex(*labels.shape):
        if labels[n, i, j] >= 0:
            positive[n, labels[n, i, j], i, j] = 1
            negative[n, permutation[labels[n, i, j]], i, j] = 1
    for recorded, expected in zip(recorder.masks, (anchor, positive, negative), strict=True):
        assert torch.equal(recorded, expected)

    def dice(truth):
        return (
            1
            - sum(
                (2 * (anchor[:, c] * truth[:, c]).sum() + 1) / (anchor[:, c].sum() + truth[:, c].sum() + 1)
                for c in range(6)
            )
            / 6
        )

    def bray_curtis(truth):
        return (
            sum(
                (anchor[:, c] - truth[:, c]).abs().sum() / ((anchor[:, c] + truth[:, c]).sum() + 1e-3 * 2 * 32 * 40)
                for c in range(6)
            )
            / 6
        )

    expected = sum(max(0, 0.7 + d(positive) - d(negative)) for d in (dice, bray_curtis))
    torch.testing.assert_close(loss, expected)


def test_paper_is_a_sum_of_triplets_of_rmi_and_cross_entropy():
    labels = blobs()
    logits, permutation = noisy(labels), torch.tensor([2, 0, 1, 5, 3, 4])
    loss = SAMCLLoss(6, mode="paper", margin=5.0)(logits, labels, Recorder(), permutation)
    swapped = permutation[labels]
    anchor = logits.softmax(dim=1)

    def cross_entropy(truth):
        return F.cross_entropy(anchor, one_hot(truth, 6).softmax(dim=1))

    rmi = RMILoss()
    expected = sum(F.relu(5 + d(labels) - d(swapped)) for d in (lambda t: rmi(logits, t), cross_entropy))
    torch.testing.assert_close(loss, expected)


def test_known_values():
    # from this implementation, whose published mode agrees with the published code
    y, x = torch.meshgrid(torch.arange(12), torch.arange(14), indexing="ij")
    logits = torch.stack([torch.sin(x / (2 + k)) * torch.cos(y / (4 - k)) for k in range(3)])[None]
    labels = ((x // 5 + y // 4) % 3)[None]
    known = {("overlap", (1, 2, 0)): 3.851353, ("paper", (1, 2, 0)): 3.887043}
    known |= {("published", (1, 2, 0)): 2.517315, ("published", (-1, -1, -1)): 9.083886}
    for (mode, permutation), expected in known.items():
        auxiliary = SAMCLAuxiliary(3, reflect_padding=mode == "published")
        with torch.no_grad():
            for weight in auxiliary.parameters():
                if weight.ndim > 1:
                    weight.copy_(torch.arange(weight.numel()).cos().view_as(weight))
        loss = SAMCLLoss(3, mode=mode)(logits, labels, auxiliary, torch.tensor(permutation))
        assert loss.item() == pytest.approx(expected, rel=1e-4), mode


def test_bray_curtis_of_masks_is_one_minus_dice():
    a, b = one_hot(blobs(0), 6), one_hot(blobs(1), 6)
    dice = (2 * (a * b).sum(dim=(0, 2, 3)) / (a + b).sum(dim=(0, 2, 3))).mean()
    torch.testing.assert_close(bray_curtis_distance(a, b, eps=0.0), 1 - dice)


def test_silent_channels_have_no_distance():
    silent = torch.zeros(2, 6, 8, 9)
    assert bray_curtis_distance(silent, silent) == 0
    assert bray_curtis_distance(silent, silent + 1e-6) < 2e-3


def test_paper_triplet_has_a_gradient_that_does_not_depend_on_the_anchor():
    targets = [torch.rand(1, 3, 4, 5, generator=generator(seed)).softmax(dim=1) for seed in (1, 2)]
    gradients = []
    for seed in (3, 4):
        anchor = torch.randn(1, 3, 4, 5, generator=generator(seed)).requires_grad_()
        (soft_target_distance(anchor, targets[0]) - soft_target_distance(anchor, targets[1])).backward()
        gradients.append(anchor.grad)
    torch.testing.assert_close(*gradients)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), classes=st.integers(2, 9), ignored=st.floats(0, 1))
def test_derangement_never_agrees_with_the_truth_on_a_labelled_pixel(seed, classes, ignored):
    loss, recorder = SAMCLLoss(classes), Recorder()
    labels = torch.randint(0, classes, (2, 10, 11), generator=generator(seed))
    labels = labels.masked_fill(torch.rand(labels.shape, generator=generator(seed + 1)) < ignored, -1)
    permutation = loss.draw_permutation(generator(seed))
    assert sorted(permutation.tolist()) == list(range(classes))
    loss(noisy(labels, classes), labels, recorder, permutation)
    _, positive, negative = recorder.masks
    assert not (positive * negative).any()
    assert torch.equal(positive.sum(dim=1), (labels >= 0).float())
    assert torch.equal(negative.sum(dim=1), (labels >= 0).float())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_confusable_sends_each_class_to_one_of_its_neighbours(seed):
    loss, recorder = SAMCLLoss(6, negative="confusable"), Recorder()
    permutation = loss.draw_permutation(generator(seed))
    assert all(to in CONFUSABLE_FACE[own] for own, to in enumerate(permutation.tolist()))
    labels = blobs(seed)
    loss(noisy(labels), labels, recorder, permutation)
    _, positive, negative = recorder.masks
    assert not (positive * negative).any()


def test_derangements_are_uniform():
    loss, g = SAMCLLoss(4), generator()
    drawn = [tuple(loss.draw_permutation(g).tolist()) for _ in range(1800)]
    expected = [p for p in permutations(range(4)) if all(a != b for a, b in enumerate(p))]
    assert set(drawn) == set(expected)
    deviation = math.sqrt(len(drawn) / len(expected))
    assert all(abs(drawn.count(p) - len(drawn) / len(expected)) < 4 * deviation for p in expected)


def test_confusable_uses_every_neighbour():
    loss, g = SAMCLLoss(3, negative="confusable", confusable=[[1, 2], [0], [0, 1]]), generator()
    drawn = {tuple(loss.draw_permutation(g).tolist()) for _ in range(100)}
    assert drawn == {(a, 0, c) for a in (1, 2) for c in (0, 1)}


def test_draws_come_from_the_generator_alone():
    loss = SAMCLLoss(6)
    before = torch.get_rng_state()
    draws = [loss.draw_permutation(generator(7)) for _ in range(2)]
    assert torch.equal(*draws)
    assert torch.equal(torch.get_rng_state(), before)


def test_published_draws_the_zero_negative():
    assert SAMCLLoss(6, mode="published").draw_permutation(generator()).tolist() == [-1] * 6


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, padding=1))


@pytest.mark.parametrize("negative", ["derangement", "confusable"])
@pytest.mark.parametrize("mode", ["overlap", "paper"])
def test_gradient_reaches_every_parameter(mode, negative):
    network, auxiliary = small_network(), SAMCLAuxiliary(6)
    loss = SAMCLLoss(6, mode=mode, negative=negative)
    labels = blobs()
    loss(network(labels.unsqueeze(1).float()), labels, auxiliary, loss.draw_permutation(generator())).backward()
    for name, weight in [*network.named_parameters(), *auxiliary.named_parameters()]:
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_published_sends_no_gradient_to_the_network():
    network, auxiliary = small_network(), SAMCLAuxiliary(6, reflect_padding=True)
    loss = SAMCLLoss(6, mode="published")
    labels = blobs()
    loss(network(labels.unsqueeze(1).float()), labels, auxiliary, loss.draw_permutation(generator())).backward()
    assert all(weight.grad is None for weight in network.parameters())
    assert any(weight.grad.abs().max() > 0 for weight in auxiliary.parameters())


def test_published_runs_on_cuda_in_form():
    loss = SAMCLLoss(6, mode="published")
    with FakeTensorMode(), torch.device("cuda"):
        auxiliary = SAMCLAuxiliary(6, reflect_padding=True)
        logits, labels = torch.empty(2, 6, 32, 40), torch.zeros(2, 32, 40, dtype=torch.int64)
        assert loss(logits, labels, auxiliary, torch.full((6,), -1)).device.type == "cuda"


@pytest.mark.parametrize("mode", ["overlap", "paper"])
def test_perfect_prediction_has_lower_loss_than_any_swap(mode):
    labels, auxiliary = blobs(1, classes=4), SAMCLAuxiliary(4)
    loss = SAMCLLoss(4, mode=mode)
    negative = loss.draw_permutation(generator())
    losses = {}
    for swap in permutations(range(4)):
        logits = 20 * one_hot(torch.tensor(swap)[labels], 4) - 10
        losses[swap] = loss(logits, labels, auxiliary, negative).item()
    perfect = losses.pop((0, 1, 2, 3))
    assert perfect < min(losses.values())


def test_undecided_predictions_get_a_gradient_of_ordinary_size():
    torch.manual_seed(0)
    labels, auxiliary, loss = blobs(), SAMCLAuxiliary(6), SAMCLLoss(6)

    def gradient_norm(scale):
        logits = (scale * noisy(labels)).requires_grad_()
        loss(logits, labels, auxiliary, torch.tensor([1, 2, 3, 4, 5, 0])).backward()
        return logits.grad.norm()

    assert gradient_norm(0.001) < 3 * gradient_norm(1.0)


@pytest.mark.parametrize("negative", ["derangement", "confusable"])
@pytest.mark.parametrize("mode", ["overlap", "paper"])
def test_auxiliary_features_do_not_collapse(mode, negative):
    torch.manual_seed(0)
    colours = torch.randn(6, 3)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, padding=1))
    auxiliary, loss = SAMCLAuxiliary(6), SAMCLLoss(6, mode=mode, negative=negative)
    optimiser = torch.optim.SGD([*network.parameters(), *auxiliary.parameters()], lr=0.01, momentum=0.9)
    for step in range(200):
        labels = blobs(step, height=24, width=28)
        images = colours[labels].movedim(-1, 1) + 0.5 * torch.randn(2, 3, 24, 28)
        swaps = loss.draw_permutation(generator(step))
        optimiser.zero_grad()
        (2 * loss(network(images), labels, auxiliary, swaps)).backward()
        optimiser.step()
    with torch.no_grad():
        labels = blobs(999)
        swaps = loss.draw_permutation(generator(999))
        for scale in auxiliary(torch.cat((one_hot(labels, 6), one_hot(swaps[labels], 6)))):
            assert (scale.amax(dim=(0, 2, 3)) > 0.01).all(), "a channel fell silent"
            assert scale.std() > 0.1
            assert bray_curtis_distance(*scale.chunk(2)) > 0.4, "truth and swap look alike"


def test_ignored_pixels_are_in_no_mask():
    labels = blobs().masked_fill(torch.rand(2, 32, 40, generator=generator(3)) < 0.3, -1)
    recorder = Recorder()
    SAMCLLoss(6)(noisy(labels), labels, recorder, torch.tensor([1, 2, 3, 4, 5, 0]))
    for mask in recorder.masks:
        assert not mask.movedim(1, -1)[labels == -1].any()


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        (1, {}, "num_classes"),
        (6, {"mode": "papers"}, "samcl.mode"),
        (6, {"negative": "swap"}, "samcl.negative"),
        (4, {"negative": "confusable"}, "samcl.confusable is needed"),
        (3, {"negative": "confusable", "confusable": [[1], [0]]}, "3 lists"),
        (2, {"negative": "confusable", "confusable": [[0], [0]]}, r"samcl.confusable\[0\]"),
        (2, {"negative": "confusable", "confusable": [[1], [2]]}, r"samcl.confusable\[1\]"),
        (2, {"negative": "confusable", "confusable": [[1], []]}, r"samcl.confusable\[1\]"),
    ],
)
def test_unusable_parameters_are_named(classes, options, message):
    with pytest.raises(ConfigError, match=message):
        SAMCLLoss(classes, **options)
