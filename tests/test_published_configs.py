"""Configs in the published style train, validate and test, at reduced width and size."""

import json

import numpy as np
import pytest
from PIL import Image

from lib.utils.config import load_config
from segmentor.checking.names import check_names
from tests.test_shipped_configs import CITYSCAPES_IDS, CONFIGS, reduced, street_scenes, train_and_test
from tests.utils.published_configs import (
    CONTRAST_NETWORKS,
    MEMORY_NETWORKS,
    NETWORKS,
    benchmark,
    cityscapes,
    published,
)

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


COUNTS = {"cityscapes": 19, "ade20k": 150, "lip": 20, "pascal_context": 59, "coco_stuff": 171}
BY_SCRIPT = ["network.model_name=hrnet_w48_ocr", "network.backbone=hrnet48", "loss.loss_type=fs_auxce_loss"]
"""What a published script of HRNet with OCR sets."""


@pytest.mark.parametrize("name", COUNTS)
def test_configs_of_the_benchmarks_load_as_they_are(name, tmp_path):
    path = tmp_path / "published.json"
    path.write_text(json.dumps(benchmark(name)))
    own, _ = load_config(path, checks=[check_names])
    by_script, _ = load_config(path, pairs=BY_SCRIPT, checks=[check_names])
    ours, _ = load_config(CONFIGS / name / "H_48_D_4.json", pairs=[*BY_SCRIPT[::2]], checks=[check_names])
    assert own.network.backbone == f"deepbase_resnet101_dilated{16 if name == 'lip' else 8}"
    assert by_script.network.model_name == "hrnet_w48_ocr"
    for config in (own, by_script):
        assert config.data.num_classes == COUNTS[name]
        assert config.normalize == ours.normalize
        assert config.test.raw_labels or name == "lip"
        # Values without an entry are not in the files, and 255 is ignored anyway.
        mapped, expected = (c.data.remap_classes or list(range(20)) for c in (config, ours))
        assert mapped + [-1] * (255 - len(mapped)) == expected + [-1] * (255 - len(expected))
        if name != "cityscapes":
            assert config.data.eval_size == ours.data.eval_size
            assert config.train_trans.trans_seq == ours.train_trans.trans_seq
            assert config.train_trans.random_crop == ours.train_trans.random_crop


def test_segfix_predicts_as_its_published_script_says(tmp_path):
    path = tmp_path / "published.json"
    tree = benchmark("cityscapes")
    tree["train"]["data_transformer"]["input_size"] = [512, 512]
    path.write_text(json.dumps(tree))
    script = ["network.model_name=segfix_hrnet", "network.backbone=hrnet48", "loss.loss_type=segfix_loss"]
    script += ["phase=test_offset", "test.eval_set=val", "test.sscrop=True"]
    test = load_config(path, pairs=script, checks=[check_names])[0].test
    assert (test.mode, test.crop_size, int(512 * test.crop_stride_ratio)) == ("sscrop_test", [512, 512], 170)


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
