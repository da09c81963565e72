"""Configs in the published style load, and what they mean is said."""

import json
from pathlib import Path

import pytest

from lib.utils.config import load_config
from lib.utils.config.model_sections import PixelContrast
from lib.utils.config.published import WITHOUT_EFFECT, renamed
from lib.utils.config.published_terms import CONTRAST_SWITCHES, SAMCL_SCALES
from lib.utils.config.validate import all_keys
from lib.utils.errors import ConfigError
from tests.utils.published_configs import (
    CONTRAST_NETWORKS,
    MEMORY_NETWORKS,
    NETWORKS,
    cityscapes,
    published,
)

RESNET = "deepbase_resnet101_dilated8"
KEYS_FILE = Path(__file__).parents[3] / "shared" / "published_keys.txt"


@pytest.fixture
def load(tmp_path):
    def load(tree, flags=None, pairs=()):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(tree))
        return load_config(path, flags, pairs)

    return load


def leaves(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def known(key):
    """Whether a published key is in the schema, or read as what is."""
    contrast = {f"contrast.{name}" for name in (*CONTRAST_SWITCHES, *PixelContrast.model_fields)}
    return any(renamed(key).startswith(name) for name in {*all_keys(), *WITHOUT_EFFECT, *SAMCL_SCALES, *contrast})


@pytest.mark.parametrize(("model", "backbone"), NETWORKS)
@pytest.mark.parametrize("gcl", [False, True])
def test_loads_for_every_network(load, model, backbone, gcl):
    config, _ = load(published(model, backbone, gcl=gcl))
    assert config.network.model_name == model
    assert config.data.data_dir == ["/somewhere/Processed"]
    assert (config.samcl is not None) == gcl


def test_keys_without_effect_are_named_once(load):
    _, notes = load(published())
    listed = [note for note in notes if note.startswith("without effect")]
    assert len(listed) == 1
    for key in ("data.image_tool", "network.loss_weights.corr_loss", "loss.params.use_sigmoid", "details.color_list"):
        assert listed[0].count(key) == 1
    assert "data.num_classes" not in listed[0]


def test_flags_without_effect_stand_in_the_same_note(load):
    _, notes = load({}, {"network.gathered": False, "network.loss_balance": True})
    assert notes == ["without effect here: network.gathered, network.loss_balance"]


def test_a_config_without_such_keys_has_no_notes(load):
    assert load({"solver": {"max_iters": 10}})[1] == []


def test_unknown_critic_of_the_published_code_means_the_one_of_four_scales(load):
    config, notes = load(published(gcl=True, critic="gcl_companion", critic_loss="gcl_loss"))
    assert config.samcl.scales == 4
    assert sum("gcl_companion" in note and "gcl_loss" in note for note in notes) == 1


@pytest.mark.parametrize("critic", ["gcl_companion", "samcl_auxiliary_4"])
def test_a_critic_without_section_gcl_is_off(load, critic):
    config, notes = load(published(critic=critic))
    assert config.samcl is None
    assert any("SAM-CL is off" in note for note in notes)


@pytest.mark.parametrize(("model", "backbone"), CONTRAST_NETWORKS)
def test_contrast_with_a_plain_loss_means_the_contrast_loss(load, model, backbone):
    config, notes = load(published(model, backbone, contrast=True))
    assert (config.network.model_name, config.loss.loss_type) == (model.removesuffix("_contrast"), "rmi_loss")
    assert config.pixel_contrast.memory_size is None
    assert any("contrast_auxce_loss" in note for note in notes)


@pytest.mark.parametrize(("model", "backbone"), MEMORY_NETWORKS)
def test_a_memory_network_means_the_loss_with_memory(load, model, backbone):
    config = load(published(model, backbone, contrast=True))[0]
    assert config.network.model_name == model.removesuffix("_mem").removesuffix("_contrast")
    assert config.pixel_contrast.memory_size == 5000


def test_with_memory_means_the_loss_with_memory(load):
    tree = published("unet_contrast", contrast=True)
    tree["contrast"]["with_memory"] = True
    assert load(tree)[0].pixel_contrast.memory_size == 5000


def test_contrast_of_a_network_without_embedding_is_unused(load):
    config, notes = load(published("unet", contrast=True))
    assert (config.loss.loss_type, config.pixel_contrast) == ("rmi_loss", None)
    assert any("contrast is unused" in note for note in notes)


@pytest.mark.parametrize(
    ("model", "backbone", "meant"),
    [
        ("hrnet_w48_ocr_contrast", "hrnet48", ("hrnet_w48_ocr", "none", "fs_auxce_loss")),
        ("deeplab_v3_contrast", RESNET, ("deeplab_v3_contrastiveseg", RESNET, "fs_auxce_loss")),
        ("hrnet_w48_contrast", "hrnet48", ("hrnet_w48", "none", "fs_ce_loss")),
    ],
)
def test_networks_of_contrastiveseg_are_named_as_here(load, model, backbone, meant):
    tree = cityscapes()
    tree["network"] |= {"model_name": model, "backbone": backbone}
    tree["contrast"] = {"proj_dim": 256, "max_views": 100, "use_rmi": False}
    config = load(tree)[0]
    assert (config.network.model_name, config.network.backbone, config.loss.loss_type) == meant
    assert config.pixel_contrast.proj_dim == 256


def test_a_thermal_deeplab_stays_what_it_is(load):
    assert load(published("deeplab_v3", RESNET))[0].network.model_name == "deeplab_v3"


def test_a_loss_from_the_command_line_stays(load):
    config, _ = load(published("unet_contrast", contrast=True), {"loss.loss_type": "dice_loss"})
    assert (config.loss.loss_type, config.pixel_contrast.loss_weight) == ("dice_loss", 0)


def test_a_contrast_loss_without_section_contrast_takes_its_defaults(load):
    config, notes = load(published("unet_contrast"), {"loss.loss_type": "contrast_ce_loss"})
    assert (config.loss.loss_type, config.pixel_contrast.proj_dim) == ("fs_ce_loss", 64)
    assert sum("without section contrast" in note for note in notes) == 1


def test_published_words_over_a_config_of_today_change_it(load, tmp_path):
    today = {"pixel_contrast": {"proj_dim": 8}, "samcl": {"scales": 4}, "loss": {"loss_type": "dice_loss"}}
    pairs = ["contrast.proj_dim=4", "contrast.with_memory=y", "critic.model_name=samcl_auxiliary_2"]
    config, notes = load(today, pairs=[*pairs, "network.model_name=unet_contrast"])
    assert (config.pixel_contrast.proj_dim, config.pixel_contrast.memory_size, config.samcl.scales) == (4, 5000, 2)
    assert (config.network.model_name, config.loss.loss_type, notes) == ("unet", "dice_loss", [])
    config, notes = load(today, {"loss.loss_type": "contrast_ce_loss"})
    assert (config.loss.loss_type, len(notes)) == ("fs_ce_loss", 1)
    assert load(published("unet_contrast", contrast=True), pairs=["pixel_contrast=null"])[0].pixel_contrast is None
    assert load(published(gcl=True), pairs=["samcl.scales=2"])[0].samcl.scales == 2


def test_a_key_under_both_its_names_is_a_fault(load):
    with pytest.raises(ConfigError, match="gcl: remove it: it is the former name of samcl"):
        load({"gcl": {}, "samcl": {}})


@pytest.mark.parametrize(("value", "named"), [("fix_size", False), ("multiple", True)])
def test_what_is_done_anyway_is_dropped_without_a_word(load, value, named):
    _, notes = load({"train": {"data_transformer": {"size_mode": value}}})
    assert notes == ["without effect here: train.data_transformer.size_mode"] * named


def test_hrnet_with_a_resnet_is_the_real_one(load):
    config, notes = load(published("hrnet_w48", "deepbase_resnet101_dilated8"))
    assert config.network.backbone == "none"
    assert any("real HRNetV2" in note for note in notes)


def test_small_words_of_the_dialect(load):
    tree = published()
    tree["loss"]["params"]["ce_reduction"] = "elementwise_mean"
    assert load(tree)[0].loss.params.ce_reduction == "mean"


def test_colour_images_of_nineteen_classes_load(load):
    config, notes = load(cityscapes())
    assert (config.data.num_channels, config.data.num_classes) == (3, 19)
    assert config.normalize.norm_mode is None
    assert (config.test.mode, config.test.scale_search) == ("ms_test", cityscapes()["test"]["scale_search"])
    for said in ("num_channels 3", "without norm_mode"):
        assert any(said in note for note in notes)


def test_meaning_is_supplied_once(load, tmp_path):
    first, _ = load(published("unet_contrast", contrast=True, gcl=True, critic="gcl_companion"))
    path = tmp_path / "resolved.yaml"
    path.write_text(first.to_yaml())
    second, notes = load_config(path)
    assert second == first
    assert notes == []


def test_trees_of_these_tests_hold_only_known_keys():
    trees = [published(gcl=True, contrast=True), cityscapes()]
    assert all(known(key) for tree in trees for key in leaves(tree))


@pytest.mark.skipif(not KEYS_FILE.is_file(), reason="the list of published keys isn't here")
def test_every_published_key_is_in_the_schema_and_in_these_tests():
    lines = KEYS_FILE.read_text().splitlines()
    keys = {line.split(":")[0] for line in lines if line and not line.startswith(("#", "--"))}
    assert len(keys) > 100
    assert all(map(known, keys))
    trees = [published(gcl=True, contrast=True), cityscapes()]
    assert keys <= {key for tree in trees for key in leaves(tree)}


@pytest.mark.parametrize("key", ["ignore_index", "ce_ignore_index"])
def test_a_class_that_the_loss_alone_would_ignore_is_a_fault_with_the_remedy(key):
    for usual in ("-1", "255", "null"):
        load_config("", pairs=[f"loss.params.{key}={usual}"])
    with pytest.raises(ConfigError, match=rf"loss\.params\.{key}: expected -1 or 255.*remap_classes"):
        load_config("", pairs=[f"loss.params.{key}=0"])
