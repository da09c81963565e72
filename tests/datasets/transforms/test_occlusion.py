"""Thermal occlusion."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.transforms import TransformSequence
from lib.datasets.transforms.geometric import HorizontalFlip, Resize, Rotation
from lib.datasets.transforms.occlusion import Occluder, Occlusion, RandomThermalOcclusion
from lib.utils.errors import ConfigError
from tests.datasets.transforms.frames import IGNORE, blocky_label, noise_frame, smooth_frame

SHAPE = (256, 320)
seeds = st.integers(0, 10**6)
SQUARE = np.array([[10.0, 20.0], [29.0, 20.0], [29.0, 49.0], [10.0, 49.0]])


def drawn(seed, **arguments):
    return RandomThermalOcclusion(**arguments).draw(np.random.default_rng(seed), SHAPE)


def noiseless(occlusion):
    return replace(occlusion, occluders=tuple(replace(each, netd=0.0) for each in occlusion.occluders))


def applied(image, label, *operations):
    return TransformSequence([]).apply(image, label, operations)


@given(seeds)
def test_each_object_has_one_temperature_near_the_frames_range(seed):
    image, label = smooth_frame(*SHAPE), blocky_label(*SHAPE)
    occlusion = noiseless(drawn(seed))
    got, got_label, valid = applied(image, label, occlusion)
    changed = got != image
    temperatures = np.unique(got[changed])
    assert changed.any()
    assert len(temperatures) <= len(occlusion.occluders) <= 2
    spread = image.max() - image.min()
    assert temperatures.min() >= image.min() - spread - 1e-3
    assert temperatures.max() <= image.max() + spread + 1e-3
    np.testing.assert_array_equal(got_label, label)
    assert valid.all()


@given(seeds)
def test_objects_carry_sensor_noise(seed):
    image, label = smooth_frame(*SHAPE), blocky_label(*SHAPE)
    occlusion = drawn(seed)
    difference = applied(image, label, occlusion)[0] - applied(image, label, noiseless(occlusion))[0]
    largest = max(each.netd for each in occlusion.occluders)
    assert largest <= 0.1
    assert np.abs(difference).max() <= 6 * largest
    if len(occlusion.occluders) == 1:
        on_object = difference[difference != 0]
        assert on_object.std() == pytest.approx(largest, rel=0.3)


@given(seeds)
def test_shapes_are_as_described(seed):
    occlusion = drawn(seed)
    objects = [each.polygons for each in occlusion.occluders]
    expected = {"single": [1], "joined": [3], "apart": [1, 1]}
    assert [len(polygons) for polygons in objects] == expected[occlusion.kind]
    for polygon in (polygon for polygons in objects for polygon in polygons[:2]):
        assert 3 <= len(polygon) <= 99
        # Centres within 10-90 % of the shorter side, corners at most twice the mean radius away.
        assert (polygon >= 0.1 * 256 - 50 - 1e-6).all()
        assert (polygon <= 0.9 * 256 + 50 + 1e-6).all()


def test_kinds_are_about_equally_likely():
    rng = np.random.default_rng(0)
    kinds = [RandomThermalOcclusion().draw(rng, SHAPE).kind for _ in range(900)]
    assert all(240 < kinds.count(kind) < 360 for kind in ("single", "joined", "apart"))


@pytest.mark.parametrize(("mode", "value"), [("ignore", IGNORE), ("background", 0)])
def test_the_label_under_an_occluder_becomes_what_the_mode_says(mode, value):
    image, label = smooth_frame(*SHAPE), blocky_label(*SHAPE)
    for seed in range(20):
        occlusion = noiseless(drawn(seed, label=mode))
        got, got_label, _ = applied(image, label, occlusion)
        changed = got != image
        ignored = label == IGNORE
        assert (got_label[changed & ~ignored] == value).all()
        np.testing.assert_array_equal(got_label[~changed & (image > 0)], label[~changed])
        assert (got_label[ignored] == IGNORE).all()


def test_keep_is_the_default():
    assert RandomThermalOcclusion().label == "keep"


def test_an_unknown_label_mode_is_a_config_error():
    with pytest.raises(ConfigError, match="keep, ignore, background"):
        RandomThermalOcclusion(label="remove")


def square_occlusion():
    return Occlusion("single", (Occluder((SQUARE,), 1.0, 0.0, 0),))


def test_a_polygon_covers_its_pixels_borders_included():
    image = smooth_frame(80, 100)
    got = applied(image, np.zeros((80, 100), np.uint8), square_occlusion())[0]
    expected = np.zeros((80, 100), bool)
    expected[20:50, 10:30] = True
    np.testing.assert_array_equal(got != image, expected)
    np.testing.assert_allclose(got[expected], 2 * image.max() - image.min(), rtol=1e-5)


@pytest.mark.parametrize("operation", [HorizontalFlip(), Rotation(90.0), Rotation(180.0), Rotation(270.0)])
def test_an_occluder_after_a_flip_or_turn_stands_upright_on_the_canvas(operation):
    image, label = smooth_frame(80, 80), np.zeros((80, 80), np.uint8)
    turned = applied(image, label, operation)[0]
    together = applied(image, label, operation, square_occlusion())[0]
    one_by_one = applied(turned, label, square_occlusion())[0]
    np.testing.assert_array_equal(together, one_by_one)


def test_an_occluder_after_any_turn_is_where_it_was_drawn():
    image, label = smooth_frame(80, 80), np.ones((80, 80), np.uint8)
    occlusion = replace(square_occlusion(), label="background")
    centre = Occlusion("single", (replace(occlusion.occluders[0], polygons=(SQUARE + 15,)),), "background")
    _, got_label, valid = applied(image, label, Rotation(33.0), centre)
    expected = np.zeros((80, 80), bool)
    expected[35:65, 25:45] = True
    wrong = (got_label == 0) != (expected & valid)
    assert wrong.sum() < 110  # only along its outline of 100 pixels
    assert not wrong[37:63, 27:43].any()


def test_an_occluder_after_a_resize_has_its_size_on_the_new_canvas():
    image, label = smooth_frame(40, 50), np.ones((40, 50), np.uint8)
    occlusion = replace(square_occlusion(), label="background")
    got_label = applied(image, label, Resize((80, 100)), occlusion)[1]
    expected = np.ones((80, 100), np.uint8)
    expected[20:50, 10:30] = 0
    np.testing.assert_array_equal(got_label, expected)


def test_an_occluder_off_the_frame_changes_nothing():
    image, label = smooth_frame(80, 80), np.ones((80, 80), np.uint8)
    off = Occlusion("single", (Occluder((SQUARE + 500,), 1.0, 0.1, 0),), "ignore")
    got, got_label, _ = applied(image, label, off)
    np.testing.assert_array_equal(got, image)
    np.testing.assert_array_equal(got_label, label)


def test_colour_images_are_covered_in_every_channel():
    image = noise_frame(80, 100, channels=(3,))
    got = applied(image, np.zeros((80, 100), np.uint8), square_occlusion())[0]
    assert (got[20:50, 10:30] != image[20:50, 10:30]).all()
    np.testing.assert_array_equal(got[50:], image[50:])
