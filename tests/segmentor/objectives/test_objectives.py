"""Objectives: which losses they name, who gets a gradient from each, what warm-up and memory do."""

import pytest
import torch

from lib.loss.cross_entropy import cross_entropy_loss
from lib.loss.dice import soft_dice_loss
from lib.loss.lovasz import lovasz_softmax_loss
from lib.loss.rmi import RMILoss
from lib.models.output import SegOutput
from lib.utils.errors import ConfigError
from segmentor.objectives import build_objective

CLASSES, SIZE = 3, (48, 64)
CONTRAST = (
    "network.model_name=unet_contrast",
    "contrast.proj_dim=4",
    "contrast.warmup_iters=0",
    "contrast.max_views=3",
)
CONTRAST_LOSSES = ["contrast_ce_loss", "contrast_auxce_loss", "mem_contrast_ce_loss"]
ADVERSARIAL_LOSSES = ["segan_loss", "seggan_loss", "gan_loss"]


def frames(seed=0, aux=0):
    """Images, an output that asks for gradients, and labels in stripes with ignored columns."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, 1, *SIZE, generator=generator) * 2 - 1
    labels = torch.arange(SIZE[0]).div(16, rounding_mode="floor").view(1, -1, 1).repeat(2, 1, SIZE[1])
    labels[:, :, -3:] = -1
    logits = torch.randn(2, CLASSES, *SIZE, generator=generator).requires_grad_()
    embedding = torch.nn.functional.normalize(torch.randn(2, 4, *SIZE, generator=generator), dim=1).requires_grad_()
    outputs = tuple(torch.randn(2, CLASSES, 6, 8, generator=generator).requires_grad_() for _ in range(aux))
    return images, SegOutput(logits, embedding, outputs), labels


@pytest.fixture
def build(make_config):
    def build(*pairs):
        torch.manual_seed(0)
        return build_objective(make_config(*pairs))

    return build


def gradient(loss, of):
    return torch.autograd.grad(loss, of, retain_graph=True, allow_unused=True)[0]


@pytest.mark.parametrize("loss_type", CONTRAST_LOSSES)
@pytest.mark.parametrize(
    ("pairs", "reference"),
    [
        ((), cross_entropy_loss),
        (("contrast.use_rmi=y",), RMILoss()),
        (("contrast.use_lovasz=y",), lambda x, y: cross_entropy_loss(x, y) + lovasz_softmax_loss(x, y)),
    ],
)
def test_contrast_stands_beside_the_pixel_loss_of_its_section(build, loss_type, pairs, reference):
    images, output, labels = frames()
    objective = build(f"loss.loss_type={loss_type}", *CONTRAST, *pairs)
    losses = objective(images, output, labels, 0)
    assert set(losses) == {"seg_loss", "contrast_loss"}
    expected = reference(output.logits, labels).item()
    assert losses["seg_loss"].item() == pytest.approx(expected)
    assert objective.validation_loss(output.logits, labels).item() == pytest.approx(expected)


def test_contrast_teaches_the_embedding_alone(build):
    images, output, labels = frames()
    losses = build("loss.loss_type=contrast_ce_loss", *CONTRAST)(images, output, labels, 0)
    assert losses["contrast_loss"] > 0
    assert gradient(losses["contrast_loss"], output.embedding).abs().sum() > 0
    assert gradient(losses["contrast_loss"], output.logits) is None


def test_contrast_is_drawn_from_the_seed_of_the_iteration(build):
    objective = build("loss.loss_type=contrast_ce_loss", *CONTRAST)
    images, output, labels = frames()
    values = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        values.append(objective(images, output, labels, 0)["contrast_loss"].item())
    assert values[0] == values[1] != values[2]


def test_contrast_weighs_nothing_in_warm_up_and_its_memory_fills(build):
    objective = build("loss.loss_type=mem_contrast_ce_loss", *CONTRAST, "contrast.warmup_iters=2")
    images, output, labels = frames()
    losses = [objective(images, output, labels, iteration)["contrast_loss"] for iteration in (0, 1, 2)]
    assert losses[0] == losses[1] == 0 < losses[2]
    assert (gradient(losses[1], output.embedding) == 0).all()
    assert (objective.terms["contrast"].memory.pixels.written == 3 * 2 * 10).all()


def test_memory_is_read_before_it_is_written(build):
    images, output, labels = frames()
    objective = build("loss.loss_type=mem_contrast_ce_loss", *CONTRAST)
    losses = [objective(images, output, labels, 0)["contrast_loss"] for _ in range(2)]
    assert losses[0] == 0 < losses[1]
    losses[1].backward()


def test_memory_holds_only_embeddings_of_their_class(build):
    images, output, labels = frames()
    with torch.no_grad():
        of_class = torch.nn.functional.one_hot(labels.clamp(min=0), 4).permute(0, 3, 1, 2).float()
        of_class[:, :, :, -3:] = torch.tensor([0.0, 0, 0, 1]).view(1, 4, 1, 1)
    output = output._replace(embedding=of_class)
    objective = build("loss.loss_type=mem_contrast_ce_loss", *CONTRAST, "contrast.memory_size=7")
    for _ in range(2):
        objective(images, output, labels, 0)
    embeddings, classes = objective.terms["contrast"].memory.content()
    written = classes >= 0
    assert torch.equal(embeddings.argmax(1)[written], classes[written])
    assert (embeddings.norm(dim=1)[written] > 0.99).all()
    assert (classes[: CLASSES * 7] >= 0).all()  # pixels wrapped; of four regions of a class, seven slots hold four


def test_nothing_to_contrast_costs_nothing(build):
    objective = build("loss.loss_type=contrast_ce_loss", *CONTRAST)
    images, output, labels = frames()
    loss = objective(images, output, torch.full_like(labels, -1), 0)["contrast_loss"]
    assert loss == 0
    assert (gradient(loss, output.embedding) == 0).all()


@pytest.mark.parametrize("loss_type", ADVERSARIAL_LOSSES)
def test_no_adversarial_loss_reaches_both_sides(build, loss_type):
    images, output, labels = frames()
    objective = build(f"loss.loss_type={loss_type}")
    losses = objective(images, output, labels, 0)
    assert set(losses) == {"seg_loss", "adversarial_loss", "critic_loss"}
    critic = objective.critic_parameters()
    assert critic
    assert not objective.auxiliary_parameters()
    assert gradient(losses["adversarial_loss"], output.logits).abs().sum() > 0
    assert all(gradient(losses["adversarial_loss"], parameter) is None for parameter in critic)
    assert gradient(losses["critic_loss"], output.logits) is None
    assert all(gradient(losses["critic_loss"], parameter).abs().sum() > 0 for parameter in critic)


@pytest.mark.parametrize("loss_type", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("side", ["adversarial_loss", "critic_loss"])
def test_each_side_wins_against_one_that_stands_still(build, loss_type, side):
    images, output, labels = frames()
    objective = build(f"loss.loss_type={loss_type}")
    learning = objective.critic_parameters() if side == "critic_loss" else [output.logits]
    optimizer = torch.optim.Adam(learning, lr=1e-3 if side == "critic_loss" else 0.1)
    values = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = objective(images, output, labels, 0)[side]
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0]


@pytest.mark.parametrize(("loss_type", "reference"), [("segan_loss", soft_dice_loss), ("gan_loss", cross_entropy_loss)])
def test_adversarial_losses_stand_beside_a_pixel_loss(build, loss_type, reference):
    images, output, labels = frames()
    objective = build(f"loss.loss_type={loss_type}")
    assert objective(images, output, labels, 0)["seg_loss"].item() == pytest.approx(
        reference(output.logits, labels).item()
    )


def test_segan_has_nothing_to_say_of_a_perfect_mask(build):
    images, output, labels = frames()
    perfect = 1000.0 * torch.nn.functional.one_hot(labels.clamp(min=0), CLASSES).permute(0, 3, 1, 2)
    losses = build("loss.loss_type=segan_loss")(images, output._replace(logits=perfect), labels, 0)
    assert losses["adversarial_loss"] == losses["critic_loss"] == 0


@pytest.mark.parametrize("loss_type", ADVERSARIAL_LOSSES + CONTRAST_LOSSES[:1])
def test_logits_of_ignored_pixels_count_nothing(build, loss_type):
    images, output, labels = frames()
    more = CONTRAST if "contrast" in loss_type else ()
    losses = build(f"loss.loss_type={loss_type}", *more)(images, output, labels, 0)
    assert (gradient(sum(losses.values()), output.logits)[..., -3:] == 0).all()


def test_sam_cl_stands_on_top_of_any_objective(build):
    images, output, labels = frames()
    objective = build("loss.loss_type=segan_loss", "gcl.loss_weight=2", "critic.model_name=samcl_auxiliary_2")
    losses = objective(images, output, labels, 0)
    assert set(losses) == {"seg_loss", "adversarial_loss", "critic_loss", "samcl_loss"}
    together = objective.auxiliary_parameters() + objective.critic_parameters()
    assert len(objective.auxiliary_parameters()) > 0
    assert sorted(map(id, together)) == sorted(map(id, objective.parameters()))


def test_sam_cl_warms_up_linearly(build):
    images, output, labels = frames()
    objective = build("samcl.loss_weight=2", "samcl.warmup_iters=4", "samcl.negative=derangement")
    state = objective.state_dict()
    losses = []
    for iteration in (0, 1, 2, 4, 9):
        objective.load_state_dict(state)
        losses.append(objective(images, output, labels, iteration)["samcl_loss"].item())
    assert losses[0] == 0
    assert torch.tensor(losses[1:]) / losses[-1] == pytest.approx(torch.tensor([0.25, 0.5, 1, 1]))


def test_without_gcl_the_keys_of_its_critic_do_nothing(build):
    objective = build("critic.model_name=samcl_auxiliary_4", "loss.critic_loss_type=samcl_loss_4")
    assert not objective.terms


def test_outputs_that_no_loss_reads_have_a_gradient_of_zero(build):
    images, output, labels = frames(aux=1)
    loss = build("loss.loss_type=rmi_loss")(images, output, labels, 0)["seg_loss"]
    assert loss.item() == pytest.approx(RMILoss()(output.logits, labels).item())
    for unread in (output.embedding, output.aux[0]):
        assert (gradient(loss, unread) == 0).all()


@pytest.mark.parametrize("loss_type", ["fs_auxce_loss", "fs_aux_rmi_loss"])
def test_a_network_without_the_output_is_refused_by_name(make_config, loss_type):
    with pytest.raises(ConfigError, match="no aux output, as network unet has none"):
        make_config(f"loss.loss_type={loss_type}")


@pytest.mark.parametrize("pair", ["pixel_contrast={}", "loss.loss_type=contrast_ce_loss"])
def test_contrast_of_a_network_without_embedding_is_refused_by_name(make_config, pair):
    with pytest.raises(ConfigError, match="base_ocnet has no embedding, networks that have one: attention_unet"):
        make_config("network.model_name=base_ocnet", "network.backbone=deepbase_resnet18_dilated8", pair)


def test_a_weight_of_zero_leaves_the_embedding_without_contrast(build):
    assert not build("pixel_contrast.loss_weight=0").terms


def test_an_unknown_loss_is_named_with_the_nearest(make_config):
    with pytest.raises(ConfigError, match="did you mean seggan_loss"):
        make_config("loss.loss_type=segggan_loss")
