"""Whole sequences, built from config sections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets.build import normalization
from lib.datasets.transforms import build_transforms
from lib.thermal import normalize
from lib.utils.config import Config
from lib.utils.config.published import current_spelling
from lib.utils.errors import ConfigError, DataError
from tests.datasets.transforms.frames import IGNORE, PUBLISHED, blocky_label, noise_frame, sections, smooth_frame

TIAUG = build_transforms(*sections(PUBLISHED))
seeds = st.integers(0, 2**32)
orders = st.permutations([name for name in PUBLISHED if name != "random_crop"])


@given(seeds, st.sampled_from([(256, 320), (200, 300), (300, 400)]))
@settings(max_examples=60)
def test_tiaug_keeps_its_promises(seed, shape):
    image, label = smooth_frame(*shape), blocky_label(*shape)
    given_image, given_label = image.copy(), label.copy()
    got, got_label, valid = TIAUG(image, label, np.random.default_rng(seed))
    assert got.shape == got_label.shape == valid.shape == (256, 320)
    assert (got.dtype, got_label.dtype, valid.dtype) == (np.float32, np.uint8, bool)
    assert np.isfinite(got).all()
    assert set(np.unique(got_label)) <= set(np.unique(label)) | {IGNORE}
    assert (got_label[~valid] == IGNORE).all()
    assert valid.any()
    np.testing.assert_array_equal(image, given_image)
    np.testing.assert_array_equal(label, given_label)


@given(seeds)
@settings(max_examples=25)
def test_valid_is_exactly_where_the_border_did_not_ignore_the_label(seed):
    _, label, valid = TIAUG(smooth_frame(256, 320), np.ones((256, 320), np.uint8), np.random.default_rng(seed))
    np.testing.assert_array_equal(label != IGNORE, valid)


@given(seeds, orders, st.booleans())
@settings(max_examples=40)
def test_any_order_works(seed, order, crop_first):
    names = ["random_crop", *order] if crop_first else [*order, "random_crop"]
    sequence = build_transforms(*sections({name: PUBLISHED[name] | {"ratio": 1.0} for name in names}, (700, 700)))
    image, label = smooth_frame(256, 320), np.ones((256, 320), np.uint8)
    got, got_label, valid = sequence(image, label, np.random.default_rng(seed))
    assert got.shape == (700, 700)
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got_label != IGNORE, valid)


@given(seeds)
@settings(max_examples=25)
def test_the_same_seed_gives_the_same(seed):
    image, label = smooth_frame(256, 320), blocky_label(256, 320)
    first = TIAUG(image, label, np.random.default_rng(seed))
    second = TIAUG(image, label, np.random.default_rng(seed))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_different_seeds_give_different_images():
    image, label = smooth_frame(256, 320), blocky_label(256, 320)
    first, second = (TIAUG(image, label, np.random.default_rng(seed))[0] for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_numpys_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    TIAUG(smooth_frame(256, 320), blocky_label(256, 320), np.random.default_rng(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@given(seeds)
@settings(max_examples=25)
def test_zero_ratios_change_nothing(seed):
    sequence = build_transforms(*sections({name: values | {"ratio": 0.0} for name, values in PUBLISHED.items()}))
    image, label = noise_frame(256, 320), blocky_label(256, 320)
    got, got_label, valid = sequence(image, label, np.random.default_rng(seed))
    np.testing.assert_array_equal(got, image)
    np.testing.assert_array_equal(got_label, label)
    assert valid.all()
    assert not np.shares_memory(got, image)
    assert not np.shares_memory(got_label, label)


def test_ratios_are_probabilities():
    sequence = build_transforms(*sections({"random_hflip": {"ratio": 0.3}}))
    rng = np.random.default_rng(0)
    lengths = [len(sequence.draw(rng, (256, 320))) for _ in range(1000)]
    assert 240 < lengths.count(2) < 360


@pytest.mark.parametrize("channels", [(1,), (3,), (4,)])
def test_images_with_channels_keep_them_and_share_the_warp(channels):
    grey = smooth_frame(256, 320)
    names = ("random_hflip", "random_rotate", "gaussian_blur", "random_resize", "random_crop")
    sequence = build_transforms(*sections({name: PUBLISHED[name] for name in names}))
    stacked = np.repeat(grey[:, :, None], channels[0], 2)
    label = blocky_label(256, 320)
    for seed in range(5):
        expected = sequence(grey, label, np.random.default_rng(seed))[0]
        got = sequence(stacked, label, np.random.default_rng(seed))[0]
        assert got.shape == (256, 320, *channels)
        for channel in range(channels[0]):
            np.testing.assert_allclose(got[:, :, channel], expected, atol=1e-4)
    assert build_transforms(*sections(PUBLISHED))(stacked, label, np.random.default_rng(0))[0].shape == got.shape


def test_the_published_brightness_transform_exists():
    sequence = build_transforms(*sections({"random_brightness": {"ratio": 1.0, "shift_value": 10}}))
    image = noise_frame(256, 320)
    got = sequence(image, blocky_label(256, 320), np.random.default_rng(0))[0]
    assert np.ptp(got - image) < 1e-4
    assert 0 < np.abs(got - image).max() <= 10


def test_fields_that_a_section_leaves_out_have_the_transforms_defaults():
    trans, transformer = sections({"random_rotate": {"ratio": 1.0, "low_limit_angle": 350, "high_limit_angle": None}})
    (rotate, ratio), _ = build_transforms(trans, transformer).steps
    assert (rotate.low_limit_angle, rotate.high_limit_angle, ratio) == (350, 360.0, 1.0)


def test_the_config_schema_and_the_transforms_agree():
    published = {"trans_seq": list(PUBLISHED), **PUBLISHED}
    config = Config.model_validate(current_spelling({"train_trans": published, "normalize": {"norm_mode": 2}}))
    sequence = build_transforms(config.train_trans, config.train.data_transformer)
    assert sequence.steps == TIAUG.steps
    image, label = smooth_frame(256, 320), blocky_label(256, 320)
    got, _, valid = sequence(image, label, np.random.default_rng(0))
    normalised = normalize(got, valid, **normalization(config.normalize))
    assert (normalised[valid].min(), normalised[valid].max()) == (-1, 1)


def test_an_unknown_transform_is_a_config_error_with_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean random_hflip"):
        build_transforms(*sections({"random_hfilp": {"ratio": 0.5}}))


def test_a_transform_without_section_is_a_config_error():
    trans, transformer = sections({"random_hflip": {"ratio": 0.5}})
    trans.random_hflip = None
    with pytest.raises(ConfigError, match="random_hflip"):
        build_transforms(trans, transformer)


@pytest.mark.parametrize(
    ("image", "label"),
    [
        (np.zeros((4, 5), np.float64), np.zeros((4, 5), np.uint8)),
        (np.zeros((4, 5), np.float32), np.zeros((4, 5), np.int64)),
        (np.zeros((4, 5), np.float32), np.zeros((5, 4), np.uint8)),
    ],
)
def test_images_and_labels_that_do_not_fit_are_data_errors(image, label):
    with pytest.raises(DataError, match="expected image float32"):
        TIAUG(image, label, np.random.default_rng(0))


def test_memory_layouts_do_not_matter():
    image, label = smooth_frame(256, 320), blocky_label(256, 320)
    expected = TIAUG(image, label, np.random.default_rng(0))
    got = TIAUG(np.asfortranarray(image), label[::-1][::-1], np.random.default_rng(0))
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])
