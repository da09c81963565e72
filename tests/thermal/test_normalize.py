"""Normalisation."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.thermal import normalize, normalize_tensor
from lib.utils.errors import ConfigError
from tests.datasets.transforms.frames import noise_frame

frames = arrays(np.float32, (7, 9), elements=st.floats(-40, 120, width=32))
masks = arrays(bool, (7, 9))
modes = st.sampled_from([(1, 0.0, 1.0), (2, -1.0, 1.0)])


@given(frames, masks, modes)
def test_min_max_is_over_valid_pixels_only(image, valid, mode):
    norm_mode, low, high = mode
    given_image = image.copy()
    got = normalize(image, valid, norm_mode=norm_mode)
    assert got.dtype == np.float32
    assert np.isfinite(got).all()
    assert got.min() >= low
    assert got.max() <= high
    np.testing.assert_array_equal(image, given_image)
    real = image[valid].astype(np.float64) if valid.any() else image.astype(np.float64)
    least, greatest = real.min(), real.max()
    if greatest - least > 1e-3:
        expected = np.clip((image - least) / (greatest - least), 0, 1) * (high - low) + low
        np.testing.assert_allclose(got, expected, atol=1e-5)


@given(frames, modes)
def test_no_mask_means_every_pixel(image, mode):
    everything = np.ones(image.shape, bool)
    np.testing.assert_array_equal(
        normalize(image, None, norm_mode=mode[0]), normalize(image, everything, norm_mode=mode[0])
    )


def test_padding_does_not_change_what_real_pixels_become():
    image = noise_frame(20, 30)
    padded = np.pad(image, 5, constant_values=500)
    valid = np.pad(np.ones(image.shape, bool), 5)
    np.testing.assert_array_equal(
        normalize(padded, valid, norm_mode=2)[5:-5, 5:-5], normalize(image, None, norm_mode=2)
    )


@pytest.mark.parametrize(("norm_mode", "middle"), [(1, 0.5), (2, 0.0)])
def test_a_constant_image_becomes_the_middle(norm_mode, middle):
    image = np.full((4, 5), 31.5, np.float32)
    assert (normalize(image, None, norm_mode=norm_mode) == middle).all()


def test_the_narrowest_range_that_float32_knows_is_no_obstacle():
    image = np.zeros((4, 5), np.float32)
    image[0, 0] = 1e-45
    assert (normalize(image, None, norm_mode=2) == 0).all()
    image[0, 0] = 2e-38
    assert normalize(image, None, norm_mode=2)[0, :2].tolist() == [1, -1]


def test_channels_share_one_range():
    image = noise_frame(12, 14, channels=(3,))
    valid = np.zeros((12, 14), bool)
    valid[2:9, 3:10] = True
    got = normalize(image, valid, norm_mode=2)
    assert got[valid].min() == pytest.approx(-1, abs=1e-6)
    assert got[valid].max() == pytest.approx(1, abs=1e-6)
    assert got.shape == image.shape


@given(frames, frames, masks, modes)
def test_with_a_window_a_temperature_becomes_one_value_in_every_frame(image, other, valid, mode):
    norm_mode, low, high = mode
    other[0, 0] = image[0, 0]
    got, again = (normalize(frame, valid, norm_mode=norm_mode, window=[18.0, 40.0]) for frame in (image, other))
    assert got.dtype == np.float32
    assert got[0, 0] == again[0, 0]
    expected = np.interp(image.astype(np.float64), [18, 40], [low, high])
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_with_a_window_a_constant_image_is_no_exception():
    assert normalize(np.full((3, 4), 35.0, np.float32), None, norm_mode=1, window=[20.0, 40.0]) == pytest.approx(0.75)


@given(frames, masks, modes)
def test_with_a_clip_what_no_face_can_be_counts_as_its_limit(image, valid, mode):
    given_image = image.copy()
    got = normalize(image, valid, norm_mode=mode[0], clip=[0.0, 40.0])
    np.testing.assert_array_equal(got, normalize(np.clip(image, 0, 40), valid, norm_mode=mode[0]))
    np.testing.assert_array_equal(image, given_image)
    assert got.dtype == np.float32


def test_with_a_clip_a_hot_cup_leaves_a_face_its_contrast():
    image = noise_frame(20, 30) * 0 + 22
    image[5:15, 5:15], image[18, 28] = 35, 110
    plain, clipped = (normalize(image, None, norm_mode=1, clip=clip)[10, 10] for clip in (None, [0.0, 40.0]))
    assert plain == pytest.approx(13 / 88, abs=1e-6)
    assert clipped == pytest.approx(13 / 18, abs=1e-6)


def test_mean_std_and_divisor_apply_per_channel():
    image = noise_frame(6, 7, channels=(3,))
    mean, std = [0.1, 0.2, 0.3], [1.0, 2.0, 4.0]
    np.testing.assert_allclose(
        normalize(image, None, norm_mode=None, mean=mean, std=std, div_value=50.0), (image / 50 - mean) / std, atol=1e-6
    )
    grey = image[:, :, 0].copy()
    np.testing.assert_allclose(
        normalize(grey, None, norm_mode=None, mean=[30.0], std=[5.0]), (grey - 30) / 5, atol=1e-5
    )


def test_without_mode_mean_and_std_the_image_stays():
    image = noise_frame(6, 7)
    got = normalize(image, None, norm_mode=None)
    np.testing.assert_array_equal(got, image)
    assert not np.shares_memory(got, image)


def test_wrong_number_of_means_is_a_config_error():
    with pytest.raises(ConfigError, match=r"expected 1 or 3 numbers .* got 2"):
        normalize(noise_frame(4, 4, channels=(3,)), None, norm_mode=None, mean=[1.0, 2.0])


def test_an_unknown_mode_is_a_config_error():
    with pytest.raises(ConfigError, match="norm_mode: expected 1, 2 or nothing, got 3"):
        normalize(noise_frame(4, 4), None, norm_mode=3)


@settings(max_examples=100, deadline=None)
@given(
    mode=st.sampled_from([1, 2, None]),
    clip=st.sampled_from([None, [5.0, 33.0]]),
    window=st.sampled_from([None, [20.0, 35.0]]),
    standard=st.sampled_from([{}, {"mean": [0.4], "std": [0.2], "div_value": 50.0}, {"mean": [0.1, 0.2, 0.3]}]),
    channels=st.sampled_from([1, 3]),
    ends=st.tuples(st.floats(-20, 30), st.floats(0, 40)),
    seed=st.integers(0, 99),
)
@example(mode=1, clip=None, window=None, standard={}, channels=1, ends=(0.0, 1.1754943508222875e-38), seed=0)
def test_the_forms_in_numpy_and_in_pytorch_agree(mode, clip, window, standard, channels, ends, seed):
    if len(standard.get("mean", [0])) > channels:
        return
    options = {"norm_mode": mode, "clip": clip, "window": window, **standard}
    batch = np.random.default_rng(seed).uniform(ends[0], ends[0] + ends[1], (2, channels, 5, 6)).astype(np.float32)
    batch[1] = batch[1, 0, 0, 0]  # a frame of one value
    for frame, got in zip(batch, normalize_tensor(torch.from_numpy(batch), **options).numpy(), strict=True):
        image = np.ascontiguousarray(frame[0] if channels == 1 else frame.transpose(1, 2, 0))
        expected = normalize(image, **options)
        expected = expected[None] if channels == 1 else expected.transpose(2, 0, 1)
        assert np.abs(got - expected).max() <= 2e-6 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("mode", [None, 2])
def test_bgr_is_the_same_picture_with_its_channels_turned_round(mode):
    picture = np.random.default_rng(0).uniform(0, 255, (5, 6, 3)).astype(np.float32)
    options = {"norm_mode": mode, "mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 3.0], "div_value": 255.0}
    expected = normalize(np.ascontiguousarray(picture[..., ::-1]), **options)
    np.testing.assert_array_equal(normalize(picture, channel_order="BGR", **options), expected)
    tensor = torch.from_numpy(picture.transpose(2, 0, 1)[None])
    got = normalize_tensor(tensor, channel_order="BGR", **options)[0].numpy()
    np.testing.assert_allclose(got, expected.transpose(2, 0, 1), rtol=0, atol=1e-6)
