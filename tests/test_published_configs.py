"""Configs in the published style train, validate and test, at reduced width and size."""

import json

import numpy as np
import pytest
from PIL import Image

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


CITYSCAPES_IDS = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]


def draw_street_scenes(root):
    """``{train,val}/{image,label}`` of four coloured chequerboards each, labelled by ids, some of which are ignored."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for folder in ("image", "label"):
            (root / split / folder).mkdir(parents=True)
        for index in range(4):
            label = np.kron(rng.choice([*CITYSCAPES_IDS, 0, 255], (4, 4)), np.ones((16, 16), int))
            picture = np.stack([label * factor % 256 for factor in (7, 3, 5)], axis=2)
            Image.fromarray(picture.astype(np.uint8)).save(root / split / "image" / f"{split}{index}.png")
            Image.fromarray(label.astype(np.uint8)).save(root / split / "label" / f"{split}{index}.png")


def test_a_street_scene_config_trains_and_its_masks_hold_the_benchmarks_ids(tmp_path):
    draw_street_scenes(tmp_path / "data")
    tree = cityscapes()
    tree["data"]["label_list"] = CITYSCAPES_IDS
    tree["network"] |= {"model_name": "isanet", "bn_type": "inplace_abn"}
    tree["loss"]["loss_type"] = "fs_auxohemce_loss"
    for section in ("val", "test"):
        tree[section] |= {"mode": "ss_test", "out_dir": None}
    path = tmp_path / "published.json"
    path.write_text(json.dumps(tree))
    train_and_test(path, [*reduced(tmp_path / "data", tmp_path), "test.raw_labels=y"], tmp_path)
    masks = [np.array(Image.open(mask)) for mask in (tmp_path / "out" / "label").glob("*.png")]
    assert set(np.unique(masks)) <= set(CITYSCAPES_IDS)
    assert len(np.unique(masks)) > 1
