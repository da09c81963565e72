"""Configs in the published style train, validate and test, at reduced width and size."""

import json

import numpy as np
import pytest
from PIL import Image

from lib.utils.config import load_config
from segmentor.checking.names import check_names
from tests.test_shipped_configs import CITYSCAPES_IDS, reduced, street_scenes, train_and_test
from tests.utils.published_configs import CONTRAST_NETWORKS, MEMORY_NETWORKS, NETWORKS, cityscapes, published

__all__ = ["street_scenes"]  # a fixture

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


def test_a_street_scene_config_trains_and_its_masks_hold_the_benchmarks_ids(street_scenes, tmp_path):
    tree = cityscapes()
    tree["data"]["label_list"] = CITYSCAPES_IDS
    tree["network"] |= {"model_name": "isanet", "bn_type": "inplace_abn"}
    tree["loss"]["loss_type"] = "fs_auxohemce_loss"
    for section in ("val", "test"):
        tree[section] |= {"mode": "ss_test", "out_dir": None}
    path = tmp_path / "published.json"
    path.write_text(json.dumps(tree))
    train_and_test(path, [*reduced(street_scenes, tmp_path), "test.raw_labels=y"], tmp_path)
    masks = [np.array(Image.open(mask)) for mask in (tmp_path / "out" / "label").glob("*.png")]
    assert set(np.unique(masks)) <= set(CITYSCAPES_IDS)
    assert len(np.unique(masks)) > 1
