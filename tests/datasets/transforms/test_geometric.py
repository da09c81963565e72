"""Flips, rotation, resizing, cropping, padding, and all of them in one warp."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from lib.datasets.transforms import TransformSequence
from lib.datasets.transforms.geometric import (
    HorizontalFlip,
    Pad,
    RandomCrop,
    RandomResize,
    RandomRotate,
    Resize,
    Rotation,
    VerticalFlip,
    Window,
)
from lib.utils.errors import ConfigError, DataError
from tests.datasets.transforms.frames import IGNORE, blocky_label, noise_frame, resized, rotated, smooth_frame, windowed

NOTHING = TransformSequence([])
sides = st.integers(1, 40)


def carried_out(image, label, *operations):
    return NOTHING.apply(image, label, operations)


@given(sides, sides)
def test_flips_equal_numpys_exactly(height, width):
    image, label = noise_frame(height, width), blocky_label(height, width)
    for operation, reference in ((HorizontalFlip(), np.fliplr), (VerticalFlip(), np.flipud)):
        got, got_label, valid = carried_out(image, label, operation)
        np.testing.assert_array_equal(got, reference(image))
        np.testing.assert_array_equal(got_label, reference(label))
        assert valid.all()


@given(sides, st.integers(-4, 4))
def test_right_angles_on_a_square_equal_rot90_exactly(side, quarters):
    image, label = noise_frame(side, side), blocky_label(side, side)
    got, got_label, valid = carried_out(image, label, Rotation(90.0 * quarters))
    np.testing.assert_array_equal(got, np.rot90(image, quarters))
    np.testing.assert_array_equal(got_label, np.rot90(label, quarters))
    assert valid.all()


@given(sides, sides)
def test_identity_parameters_change_nothing(height, width):
    image, label = noise_frame(height, width), blocky_label(height, width)
    shape = (height, width)
    got, got_label, valid = carried_out(
        image, label, Rotation(0.0), Resize(shape), Window(0, 0, shape), Rotation(360.0)
    )
    np.testing.assert_array_equal(got, image)
    np.testing.assert_array_equal(got_label, label)
    assert valid.all()


@given(st.integers(8, 40), st.integers(8, 40), st.integers(-50, 50), st.integers(-50, 50), sides, sides)
def test_a_window_is_a_slice_inside_and_padding_outside(height, width, top, left, new_height, new_width):
    image, label = noise_frame(height, width), blocky_label(height, width)
    got, got_label, valid = carried_out(image, label, Window(top, left, (new_height, new_width)))
    y, x = np.mgrid[top : top + new_height, left : left + new_width]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    np.testing.assert_array_equal(valid, inside)
    np.testing.assert_array_equal(got, windowed(image, top, left, new_height, new_width))
    np.testing.assert_array_equal(
        got_label, np.where(inside, windowed(label, top, left, new_height, new_width), IGNORE)
    )


@pytest.mark.parametrize("angle", [17.0, 45.0, 123.4, 260.0])
def test_rotation_agrees_with_scipy(angle):
    image, label = smooth_frame(60, 80), blocky_label(60, 80)
    got, got_label, valid = carried_out(image, label, Rotation(angle))
    np.testing.assert_allclose(got, rotated(image, angle, 1), atol=0.05)
    agreement = got_label[valid] == rotated(label, angle, 0)[valid]
    assert agreement.mean() > 0.995
    assert (got_label[~valid] == IGNORE).all()
    inside = ndimage.rotate(np.ones(label.shape), angle, reshape=False, order=0, mode="grid-constant") > 0
    assert (valid == inside).mean() > 0.99


@pytest.mark.parametrize("shape", [(60, 80), (91, 103), (120, 160), (61, 83)])
def test_enlarging_agrees_with_half_pixel_bilinear_sampling(shape):
    image, label = smooth_frame(60, 80), blocky_label(60, 80)
    got, got_label, valid = carried_out(image, label, Resize(shape))
    np.testing.assert_allclose(got, resized(image, *shape, 1), atol=0.05)
    assert (got_label == resized(label, *shape, 0)).mean() > 0.995
    assert valid.all()


def test_shrinking_does_not_alias():
    stripes = np.tile(np.array([20.0, 20, 40, 40, 40, 20], np.float32), (64, 16))  # mean 30, period 6
    label = np.zeros(stripes.shape, np.uint8)
    got, _, _ = carried_out(stripes, label, Resize((16, 24)))
    spread_of_plain_sampling = resized(stripes, 16, 24, 1).std()
    assert got.std() < 0.4 * spread_of_plain_sampling
    assert abs(got.mean() - 30) < 0.5


@given(
    angle=st.floats(0, 360),
    scale=st.floats(0.5, 2),
    aspect=st.floats(0.9, 1.1),
    flip=st.booleans(),
    seed=st.integers(0, 99),
)
def test_one_warp_equals_step_by_step_within_interpolation_error(angle, scale, aspect, flip, seed):
    height, width = 64, 80
    image, label = smooth_frame(height, width, seed), blocky_label(height, width, seed, side=20)
    rng = np.random.default_rng(seed)
    resize = RandomResize((scale, scale), (aspect, aspect)).draw(rng, (height, width))
    crop = RandomCrop((width, height)).draw(rng, resize.shape)
    pad = Pad((width, height)).draw(rng, crop.shape)
    operations = ([HorizontalFlip()] if flip else []) + [Rotation(angle), resize, crop, pad]
    got, got_label, valid = carried_out(image, label, *operations)

    real = np.ones((height, width))
    expected = [np.fliplr(each) if flip else each for each in (image, label, real)]
    expected = [rotated(expected[0], angle, 1), rotated(expected[1], angle, 0)] + [
        ndimage.rotate(real, angle, reshape=False, order=1, mode="grid-constant")
    ]
    expected = [resized(each, *resize.shape, order) for each, order in zip(expected, (1, 0, 1), strict=True)]
    expected = [windowed(each, crop.top, crop.left, *crop.shape) for each in expected]
    expected = [windowed(each, pad.top, pad.left, *pad.shape) for each in expected]
    y, x = np.mgrid[pad.top : pad.top + height, pad.left : pad.left + width]
    padded = (y < 0) | (y >= crop.shape[0]) | (x < 0) | (x >= crop.shape[1])

    surely_real = (expected[2] > 0.999) & ~padded
    surely_not = (expected[2] < 0.001) | padded
    assert valid[surely_real].all()
    assert not valid[surely_not].any()
    assert (surely_real | surely_not).mean() > 0.9
    assert np.abs(got - expected[0])[surely_real].max() < 0.3
    assert np.abs(got - expected[0])[surely_real].mean() < 0.02
    # Twice rounded to the nearest pixel, a label moves by up to half a pixel at the edges of its blocks.
    assert (got_label == expected[1])[surely_real].mean() > 0.9
    assert (got_label[~valid] == IGNORE).all()


def test_cropping_before_rotating_leaves_what_was_cropped_out_of_the_label():
    image, label = smooth_frame(60, 60), np.ones((60, 60), np.uint8)
    _, got_label, valid = carried_out(image, label, Window(20, 20, (20, 20)), Rotation(45.0))
    inside = ndimage.rotate(np.ones((20, 20)), 45, reshape=False, order=0, mode="grid-constant") > 0
    assert (valid == inside).mean() > 0.97
    np.testing.assert_array_equal(got_label == IGNORE, ~valid)


def test_a_window_wholly_outside_has_no_real_pixel():
    image, label = smooth_frame(30, 30), np.ones((30, 30), np.uint8)
    got, got_label, valid = carried_out(image, label, Window(100, 100, (8, 9)))
    assert not valid.any()
    assert (got_label == IGNORE).all()
    assert (got == image[-1, -1]).all()


@given(st.integers(0, 10**6))
def test_draws_stay_within_their_ranges(seed):
    rng = np.random.default_rng(seed)
    assert 10 <= RandomRotate(10, 20).draw(rng, (30, 40)).angle <= 20
    height, width = RandomResize((0.5, 2), (0.9, 1.1)).draw(rng, (1000, 2000)).shape
    assert 0.499 <= np.sqrt(height / 1000 * width / 2000) <= 2.001
    assert 0.899 <= (width / 2000) / (height / 1000) <= 1.101
    crop = RandomCrop((30, 20), "random").draw(rng, (25, 28))
    assert crop.shape == (20, 28)
    assert 0 <= crop.top <= 5
    assert crop.left == 0
    pad = Pad((40, 30)).draw(rng, (25, 28))
    assert pad.shape == (30, 40)
    assert -5 <= pad.top <= 0
    assert -12 <= pad.left <= 0


def test_a_centre_crop_is_in_the_centre():
    assert RandomCrop((30, 20)).draw(np.random.default_rng(0), (40, 60)) == Window(10, 15, (20, 30))


@pytest.mark.parametrize(
    ("pad_mode", "corner"), [("pad_center", (-5, -2)), ("pad_left_up", (-10, -5)), ("pad_right_down", (0, 0))]
)
def test_padding_goes_where_its_mode_says(pad_mode, corner):
    window = Pad((15, 30), pad_mode).draw(np.random.default_rng(0), (20, 10))
    assert (window.top, window.left) == corner


def test_a_frame_larger_than_the_input_size_is_refused_with_the_remedy():
    with pytest.raises(DataError, match=r"at most 320x256.*got 640x256.*random_crop"):
        Pad((320, 256)).draw(np.random.default_rng(0), (256, 640))


@pytest.mark.parametrize(
    ("transform", "arguments"),
    [
        (RandomResize, {"method": "focus"}),
        (RandomCrop, {"crop_size": (4, 4), "method": "grid"}),
        (Pad, {"input_size": (4, 4), "pad_mode": "up"}),
    ],
)
def test_unknown_methods_are_config_errors(transform, arguments):
    with pytest.raises(ConfigError, match="expected"):
        transform(**arguments)
