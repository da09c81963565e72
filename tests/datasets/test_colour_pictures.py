"""Colour pictures as the street-scene benchmarks have them: published keys say how they and their labels are read."""

import json

import cv2
import numpy as np
import pytest

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.datasets.labels import LabelMap
from lib.utils.config import load_config
from lib.utils.errors import ConfigError
from segmentor.checking.names import check_names

SHAPE = (12, 20)
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
LABEL_LIST = [7, 8, 11, 24]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """One picture and label in each split, with values that have no class."""
    root = tmp_path_factory.mktemp("streets")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("image", "label"):
            (root / split / kind).mkdir(parents=True)
        cv2.imwrite(str(root / split / "image" / "a.png"), rng.integers(0, 256, (*SHAPE, 3), np.uint8))
        label = rng.choice([0, 7, 8, 11, 24, 33, 255], SHAPE).astype(np.uint8)
        cv2.imwrite(str(root / split / "label" / "a.png"), label)
    return root


@pytest.fixture
def load(data_dir, tmp_path):
    def load(data, *pairs, trans=None):
        tree = {
            "data": {"data_dir": str(data_dir), "input_mode": "BGR", "num_classes": 4, **data},
            "normalize": {"div_value": 255.0, "mean": MEAN, "std": STD},
            "train": {"batch_size": 1, "data_transformer": {"input_size": [24, 16], "pad_mode": "pad_right_down"}},
            "train_trans": trans or {},
        }
        path = tmp_path / "config.json"
        path.write_text(json.dumps(tree))
        return load_config(path, pairs=pairs)[0]

    return load


def expected(data_dir, split, bgr=True):
    """Picture (3, H, W) and label (H, W) by the benchmarks' rules, written out."""
    picture = cv2.imread(str(data_dir / split / "image" / "a.png"))
    picture = picture if bgr else picture[:, :, ::-1]
    values = cv2.imread(str(data_dir / split / "label" / "a.png"), cv2.IMREAD_GRAYSCALE)
    label = np.full(SHAPE, -1)
    for index, value in enumerate(LABEL_LIST):
        label[values == value] = index
    return ((picture / 255 - MEAN) / STD).transpose(2, 0, 1), label


@pytest.mark.parametrize("mode", ["BGR", "RGB"])
def test_pictures_come_in_the_configs_order_and_labels_by_the_list(load, data_dir, mode):
    batch = next(iter(build_eval_loader(load({"label_list": LABEL_LIST, "input_mode": mode}))))
    picture, label = expected(data_dir, "val", mode == "BGR")
    np.testing.assert_allclose(batch["image"][0].numpy(), picture, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(batch["label"][0].numpy(), label)


def test_padding_is_zero_after_normalisation(load, data_dir):
    batch = next(iter(build_train_loader(load({"label_list": LABEL_LIST}))))
    picture, label = expected(data_dir, "train")
    height, width = SHAPE
    image, target = batch["image"][0].numpy(), batch["label"][0].numpy()
    np.testing.assert_allclose(image[:, :height, :width], picture, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(target[:height, :width], label)
    assert not image[:, height:].any()
    assert not image[:, :, width:].any()
    assert (target[height:] == -1).all()
    assert (target[:, width:] == -1).all()


def test_a_mirror_swaps_the_pairs(load, data_dir):
    trans = {"trans_seq": ["random_hflip"], "random_hflip": {"ratio": 1.0, "swap_pair": [[0, 3]]}}
    batch = next(iter(build_train_loader(load({"label_list": LABEL_LIST}, trans=trans))))
    picture, label = expected(data_dir, "train")
    mirrored = np.array([3, 1, 2, 0, -1])[label][:, ::-1]
    height, width = SHAPE
    np.testing.assert_allclose(batch["image"][0, :, :height, :width].numpy(), picture[:, :, ::-1], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(batch["label"][0, :height, :width].numpy(), mirrored)
    with pytest.raises(ConfigError, match="pairs of classes 0 to 3"):
        load({}, trans={"trans_seq": ["random_hflip"], "random_hflip": {"swap_pair": [[0, 4]]}})


def test_reduce_zero_label_ignores_the_first_class(load):
    classes = load({"reduce_zero_label": True, "num_classes": 150}).data.remap_classes
    assert classes[:3] == [-1, 0, 1]
    assert classes[149:152] == [148, 149, -1]
    listed = load({"reduce_zero_label": True, "label_list": [0, 2, 5, 7], "num_classes": 3}).data.remap_classes
    assert listed[:8] == [-1, -1, 0, -1, -1, 1, -1, 2]
    assert LabelMap(3, listed).values().tolist() == [2, 5, 7]


def test_published_configs_resize_pictures_to_test_on_and_write_the_benchmarks_values(data_dir, tmp_path):
    for resize, size in (({"min_side_length": 520}, [520]), ({"target_size": [473, 470]}, [473, 470])):
        tree = {"data": {"input_mode": "BGR", "num_classes": 4, "label_list": LABEL_LIST}}
        tree["val_trans"] = {"trans_seq": ["resize"], "resize": resize, "random_crop": {"ratio": 1.0}}
        tree["network"] = {"model_name": "asp_ocnet", "backbone": "deepbase_resnet101"}
        path = tmp_path / "published.json"
        path.write_text(json.dumps(tree))
        config, notes = load_config(path, checks=[check_names])
        assert config.data.eval_size == size
        assert config.test.raw_labels
        assert "val_trans.resize means data.eval_size" in notes
        assert not any("without effect" in note for note in notes)


def test_what_a_list_cannot_say_is_refused(load):
    with pytest.raises(ConfigError, match=r"data\.label_list.*different values 0 to 254"):
        load({"label_list": [7, 7]})
    with pytest.raises(ConfigError, match=r"normalize\.channel_order.*RGB"):
        load({"num_channels": 1}, "normalize.mean=null", "normalize.std=null")


@pytest.mark.parametrize(("resize", "size"), [({"min_side_length": 6}, (6, 10)), ({"target_size": [8, 16]}, (16, 8))])
def test_pictures_are_scaled_by_their_shorter_side_or_to_a_size(load, resize, size):
    trans = {"trans_seq": ["resize"], "resize": resize}
    batch = next(iter(build_train_loader(load({"label_list": LABEL_LIST}, trans=trans))))
    inside = batch["image"][0].abs().sum(0) > 0
    assert (inside.any(1).sum(), inside.any(0).sum()) == size


def test_a_resize_says_to_what(load):
    for resize in ({}, {"min_side_length": 6, "target_size": [8, 16]}):
        with pytest.raises(ConfigError, match=r"train_trans\.resize.*one of min_side_length and target_size"):
            load({}, trans={"trans_seq": ["resize"], "resize": resize})


def test_pictures_that_a_resize_makes_too_large_are_refused_at_the_start(load):
    trans = {"trans_seq": ["resize"], "resize": {"min_side_length": 24}}
    with pytest.raises(ConfigError, match="expected at least 40x24"):
        build_train_loader(load({"label_list": LABEL_LIST}, trans=trans))
