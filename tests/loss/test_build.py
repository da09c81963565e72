"""Losses by the names that configs use."""

from types import SimpleNamespace

import pytest
import torch

from lib.loss import LOSSES, build_pixel_loss
from lib.loss.combine import AuxiliaryLoss
from lib.loss.cross_entropy import cross_entropy_loss, hard_example_loss
from lib.loss.dice import soft_dice_loss
from lib.loss.lovasz import lovasz_softmax_loss
from lib.loss.rmi import RMILoss
from lib.utils.config import Config
from lib.utils.errors import ConfigError
from tests.loss.cases import batch


def config(loss_type, **params):
    """The sections that losses read; the schema's defaults where ``params`` says nothing."""
    schema = Config.model_validate({"data": {"num_classes": 3}, "loss": {"loss_type": loss_type, "params": params}})
    return SimpleNamespace(data=schema.data, loss=schema.loss, network=schema.network)


def value(loss_type, **params):
    logits, labels = batch()
    loss = build_pixel_loss(config(loss_type, **params))
    more = [(logits[..., ::2, ::2],)] if "aux" in LOSSES.facts(loss_type)["needs"] else []
    return loss(logits, labels, *more).item()


@pytest.mark.parametrize("name", [name for name in LOSSES.names() if set(LOSSES.facts(name)["needs"]) <= {"aux"}])
def test_every_pixel_loss_is_finite(name):
    assert torch.tensor(value(name)).isfinite()


def test_names_of_the_paper_and_its_lineages_are_there():
    names = "bce_loss fs_ce_loss fs_ohemce_loss dice_loss fs_ce_lovasz_loss rmi_loss fs_rmi_loss rmi_dice_loss"
    names += " fs_auxce_loss fs_aux_rmi_loss fs_auxohemce_loss"
    assert set(names.split()) <= set(LOSSES.names())


def test_sums_have_their_terms():
    logits, labels = batch()
    rmi, ce = RMILoss()(logits, labels).item(), cross_entropy_loss(logits, labels).item()
    assert value("rmi_loss") == value("fs_rmi_loss") == pytest.approx(rmi)
    assert value("rmi_dice_loss") == pytest.approx(rmi + 2 * soft_dice_loss(logits, labels).item())
    assert value("fs_ce_lovasz_loss") == pytest.approx(ce + lovasz_softmax_loss(logits, labels).item())


def test_auxiliary_output_counts_two_fifths():
    logits, labels = batch()
    aux = logits[..., ::2, ::2]
    resized = torch.nn.functional.interpolate(aux, labels.shape[1:], mode="bilinear", align_corners=True)
    extra = 0.4 * cross_entropy_loss(resized, labels).item()
    assert value("fs_auxce_loss") == pytest.approx(cross_entropy_loss(logits, labels).item() + extra)
    assert value("fs_aux_rmi_loss") == pytest.approx(RMILoss()(logits, labels).item() + extra)
    assert value("fs_auxohemce_loss") == pytest.approx(hard_example_loss(logits, labels).item() + extra)


def test_two_auxiliary_outputs_count_each():
    logits, labels = batch()
    loss = AuxiliaryLoss(cross_entropy_loss_module(), cross_entropy_loss_module(), weight=0.5, auxiliary_weight=0.1)
    ce = cross_entropy_loss(logits, labels)
    torch.testing.assert_close(loss(logits, labels, (logits, logits)), 0.7 * ce)
    torch.testing.assert_close(loss(logits, labels, ()), 0.5 * ce)


def cross_entropy_loss_module():
    return build_pixel_loss(config("fs_ce_loss"))


def test_parameters_reach_the_loss_and_others_are_unused():
    logits, labels = batch()
    assert value("fs_ce_loss", ce_weight=[1, 2, 3], rmi_radius=5, classes=[0]) == pytest.approx(
        cross_entropy_loss(logits, labels, torch.tensor([1.0, 2.0, 3.0])).item()
    )
    assert value("fs_ohemce_loss", ohem_thresh=0.2, ohem_minkeep=3) == pytest.approx(
        hard_example_loss(logits, labels, threshold=0.2, min_kept=3).item()
    )
    assert value("rmi_loss", rmi_radius=2, lambda_way=0) == pytest.approx(
        RMILoss(rmi_radius=2, lambda_way=0)(logits, labels).item()
    )


def test_unknown_names_get_the_nearest():
    with pytest.raises(ConfigError, match="did you mean rmi_loss"):
        build_pixel_loss(config("rmi_los"))


def test_dice_of_other_modes_is_refused():
    with pytest.raises(ConfigError, match="loss.params.mode"):
        build_pixel_loss(config("dice_loss", mode="binary"))
