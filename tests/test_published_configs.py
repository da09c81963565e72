"""Configs in the published style train, validate and test, at reduced width and size."""

import json

import pytest

from lib.utils.config import load_config
from segmentor.checking.names import check_names
from tests.test_shipped_configs import reduced, train_and_test
from tests.utils.published_configs import CONTRAST_NETWORKS, MEMORY_NETWORKS, NETWORKS, cityscapes, published

PUBLISHED = {
    **{f"{net}-{backbone}": published(net, backbone) for net, backbone in NETWORKS},
    **{f"{net}-{backbone}-samcl": published(net, backbone, gcl=True) for net, backbone in NETWORKS},
    **{
        f"{net}-contrast": published(net, backbone, "fs_auxce_loss", contrast=True)
        for net, backbone in CONTRAST_NETWORKS + MEMORY_NETWORKS
    },
    "unet-dice": published(loss="dice_loss"),
    "attention_unet-dice-companion": published(
        "attention_unet", loss="dice_loss", gcl=True, critic="gcl_companion", critic_loss="gcl_loss"
    ),
    "base_ocnet-auxiliary": published("base_ocnet", "deepbase_resnet101_dilated8", "fs_aux_rmi_loss"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_trains_validates_and_tests(name, tiny_database, tmp_path):
    path = tmp_path / "published.json"
    path.write_text(json.dumps(PUBLISHED[name]))
    train_and_test(path, reduced(tiny_database, tmp_path), tmp_path)


def test_the_cityscapes_config_loads(tmp_path):
    path = tmp_path / "published.json"
    tree = cityscapes()
    tree["network"]["model_name"] = "deeplab_v3"
    path.write_text(json.dumps(tree))
    config, notes = load_config(path, checks=[check_names])
    assert config.network.model_name == "deeplab_v3_contrastiveseg"
    assert config.loss.loss_type == "fs_auxce_loss"
    assert any("that of ContrastiveSeg" in note for note in notes)
