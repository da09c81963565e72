"""Blur, sensor noise and brightness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from lib.datasets.transforms import TransformSequence
from lib.datasets.transforms.geometric import Resize, Rotation
from lib.datasets.transforms.thermal import (
    Blur,
    GaussianBlur,
    Noise,
    RandomBrightness,
    Shift,
    ThermalNoise,
    sensor_noise,
)
from tests.datasets.transforms.frames import blocky_label, noise_frame, smooth_frame

LABEL = blocky_label(96, 128)


def image_after(image, *operations):
    return TransformSequence([]).apply(image, np.zeros(image.shape[:2], np.uint8), operations)[0]


@pytest.mark.parametrize("sigma", [1.0, 1.2, 2.5])
def test_blur_agrees_with_scipy(sigma):
    image = noise_frame(96, 128)
    np.testing.assert_allclose(
        image_after(image, Blur(sigma)), ndimage.gaussian_filter(image, sigma, mode="nearest"), atol=2e-3
    )


@given(st.floats(0.001, 0.5), st.integers(0, 2**62))
def test_noise_is_white_with_the_netd_as_standard_deviation(netd, seed):
    added = image_after(np.full((96, 128), 30, np.float32), Noise(netd, seed)) - 30
    assert added.std() == pytest.approx(netd, rel=0.05)
    assert abs(added.mean()) < 5 * netd / np.sqrt(added.size)
    neighbours = np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.06


def test_noise_is_normally_distributed():
    added = sensor_noise(0.05, 3, (1000, 1001))
    assert (added.shape, added.dtype) == ((1000, 1001), np.float32)
    assert stats.kstest(added.ravel() / 0.05, "norm").statistic < 0.002  # 0.001 is usual of a million normal deviates
    assert added.max() > 0.05 * 4.2


@given(st.integers(0, 2**62))
def test_a_drawn_noise_is_the_same_each_time(seed):
    operation = ThermalNoise().draw(np.random.default_rng(seed), (96, 128))
    image = smooth_frame(96, 128)
    np.testing.assert_array_equal(image_after(image, operation), image_after(image, operation))


def test_zero_netd_changes_nothing():
    image = noise_frame(96, 128)
    np.testing.assert_array_equal(image_after(image, Noise(0.0, 1)), image)


@given(st.integers(0, 10**6))
def test_draws_stay_within_their_ranges(seed):
    rng = np.random.default_rng(seed)
    assert 1.0 <= GaussianBlur().draw(rng, (8, 8)).sigma <= 1.2
    assert 0.0 <= ThermalNoise(0.3).draw(rng, (8, 8)).netd <= 0.3
    assert -4.0 <= RandomBrightness(4).draw(rng, (8, 8)).value <= 4.0


def test_brightness_shifts_every_pixel_alike():
    image = noise_frame(20, 30)
    np.testing.assert_allclose(image_after(image, Shift(-2.5)), image - 2.5, rtol=1e-6)


def test_noise_after_a_resize_has_the_size_of_the_new_pixels():
    flat = np.full((48, 64), 30, np.float32)
    added = image_after(flat, Resize((96, 128)), Noise(0.1, 5)) - 30
    assert added.std() == pytest.approx(0.1, rel=0.05)
    assert abs(np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1]) < 0.06


def test_noise_before_a_resize_is_resized_with_the_frame():
    flat = np.full((48, 64), 30, np.float32)
    added = image_after(flat, Noise(0.1, 5), Resize((96, 128))) - 30
    assert np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1] > 0.5


def test_blur_before_and_after_a_rotation_is_the_same_away_from_edges():
    image = noise_frame(96, 96)
    before = image_after(image, Blur(1.2), Rotation(30.0))
    after = image_after(image, Rotation(30.0), Blur(1.2))
    np.testing.assert_allclose(before[32:64, 32:64], after[32:64, 32:64], atol=1e-4)


def test_blur_after_a_resize_acts_on_the_resized_frame():
    image = smooth_frame(48, 64)
    resized = image_after(image, Resize((96, 128)))
    np.testing.assert_allclose(
        image_after(image, Resize((96, 128)), Blur(1.2)),
        ndimage.gaussian_filter(resized, 1.2, mode="nearest"),
        atol=2e-3,
    )
