"""Grey pictures in training: declared deg C for what is meant in deg C; normalisation sees what it saw before."""

import logging

import cv2
import numpy as np
import pytest

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.utils.config import load_config

SHAPE = (16, 24)


@pytest.fixture
def data_dir(tmp_path):
    """One frame and label in each split: grey levels 10 to 250 in 8 bits."""
    grey = np.linspace(10, 250, SHAPE[0] * SHAPE[1]).astype(np.uint8).reshape(SHAPE)
    for split in ("train", "val"):
        for kind, values in (("image", grey), ("label", np.zeros_like(grey))):
            (tmp_path / split / kind).mkdir(parents=True)
            cv2.imwrite(str(tmp_path / split / kind / "a.png"), values)
    return tmp_path


@pytest.fixture
def config_of(data_dir):
    def config_of(*pairs):
        fixed = [f"data.data_dir={data_dir}", "train.batch_size=1", "train.data_transformer.input_size=[24,16]"]
        return load_config("", pairs=[*fixed, *pairs])[0]

    return config_of


def trained_on(config):
    return next(iter(build_train_loader(config)))["image"][0, 0].numpy()


def validated_on(config):
    return next(iter(build_eval_loader(config)))


def test_frames_are_in_the_declared_range(config_of):
    frame = validated_on(config_of())["frame"][0]
    assert (frame.min(), frame.max()) == pytest.approx((20 + 20 * 10 / 255, 20 + 20 * 250 / 255), rel=1e-6)
    frame = validated_on(config_of("data.grey_range=[0,51]"))["frame"][0]
    assert (frame.min(), frame.max()) == pytest.approx((2, 50), rel=1e-6)
    frame = validated_on(config_of("data.grey_range=null"))["frame"][0]
    assert (frame.min(), frame.max()) == (10, 250)


@pytest.mark.parametrize("read", [trained_on, lambda config: validated_on(config)["image"][0, 0].numpy()])
@pytest.mark.parametrize("mode", [1, 2])
def test_minimum_and_maximum_are_normalised_as_ever(config_of, read, mode):
    declared, plain = (
        read(config_of(f"normalize.norm_mode={mode}", f"data.grey_range={value}")) for value in ("[20,40]", "null")
    )
    np.testing.assert_allclose(declared, plain, atol=1e-6)
    assert (plain.min(), plain.max()) == ((0, 1) if mode == 1 else (-1, 1))


def test_mean_and_std_are_in_grey_levels_as_ever(config_of):
    pairs = ("normalize.norm_mode=null", "normalize.div_value=255", "normalize.mean=[0.5]", "normalize.std=[0.25]")
    image = trained_on(config_of(*pairs))
    assert (image.min(), image.max()) == pytest.approx(((10 / 255 - 0.5) * 4, (250 / 255 - 0.5) * 4), rel=1e-6)
    assert np.array_equal(image, trained_on(config_of(*pairs, "data.grey_range=null")))


def test_clipping_in_deg_c_leaves_grey_faces_their_contrast(config_of):
    clipped = trained_on(config_of("normalize.clip=[0,40]"))
    np.testing.assert_allclose(clipped, trained_on(config_of()), atol=1e-6)
    assert np.unique(trained_on(config_of("normalize.clip=[0,40]", "data.grey_range=null"))).size < 40


def test_a_window_in_deg_c_is_one_of_grey_levels(config_of):
    image = validated_on(config_of("normalize.window=[20,40]"))["image"][0, 0].numpy()
    assert (image.min(), image.max()) == pytest.approx((2 * 10 / 255 - 1, 2 * 250 / 255 - 1), abs=1e-5)


def test_shifts_are_in_kelvin(config_of):
    pairs = ("train_trans.trans_seq=[random_brightness]", "normalize.window=[20,40]")
    shifts = [
        float(np.median(trained_on(config_of(*pairs, f"train_trans.random_brightness.shift_value={most}", "seed=5"))))
        for most in (0, 4)
    ]
    assert 0.02 < abs(shifts[1] - shifts[0]) < 2 * 4 / 20


def test_counts_of_more_bits_are_none_of_it(config_of, data_dir):
    counts = np.linspace(29800, 30800, SHAPE[0] * SHAPE[1]).astype(np.uint16).reshape(SHAPE)
    cv2.imwrite(str(data_dir / "val/image/a.png"), counts)
    frame = validated_on(config_of())["frame"][0]
    assert (frame.min(), frame.max()) == pytest.approx((24.85, 34.85), abs=0.01)
    frame = validated_on(config_of("data.temp_preset=none"))["frame"][0]
    assert (frame.min(), frame.max()) == (29800, 30800)


def test_the_run_says_what_grey_levels_are_taken_for(config_of, caplog):
    with caplog.at_level(logging.INFO, "samcl"):
        build_train_loader(config_of())
    (said,) = [record.getMessage() for record in caplog.records if "grey" in record.getMessage()]
    assert "0 to 255 are taken for 20 to 40 deg C, as data.grey_range says" in said
    caplog.clear()
    build_train_loader(config_of("data.grey_range=null"))
    assert not caplog.records


def test_a_range_that_is_none_is_a_fault(config_of):
    with pytest.raises(ValueError, match=r"data\.grey_range.*low < high"):
        config_of("data.grey_range=[40,20]")
