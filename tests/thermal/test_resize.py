"""Reduction: images as scikit-image would, labels by the area that each class covers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from lib.thermal.resize import centre_crop, resize_image, resize_label

SIZES = [((48, 60), (16, 20)), ((48, 64), (16, 20)), ((40, 30), (20, 15)), ((31, 47), (9, 40)), ((12, 10), (12, 10))]


def skimage_resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What skimage.transform.resize(order=1, anti_aliasing=True) computes, in float64 (its documentation)."""
    factors = np.array(image.shape) / size
    smooth = ndimage.gaussian_filter(image.astype(np.float64), np.maximum(0, (factors - 1) / 2), mode="mirror")
    return ndimage.zoom(smooth, 1 / factors, order=1, mode="mirror", grid_mode=True)


def vote(label: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Majority by area, on a grid fine enough that pixels of both sizes are whole blocks of it."""
    fine = label.repeat(size[0], 0).repeat(size[1], 1)
    result = np.zeros(size, np.uint8)
    for i in range(size[0]):
        for j in range(size[1]):
            block = fine[i * label.shape[0] : (i + 1) * label.shape[0], j * label.shape[1] : (j + 1) * label.shape[1]]
            counts = np.bincount(block.ravel())
            result[i, j] = np.flatnonzero(counts == counts.max())[-1]  # the later class wins a tie
    return result


@pytest.mark.parametrize(("have", "want"), SIZES)
def test_images_are_reduced_as_scikit_image_does(have, want):
    image = np.random.default_rng(0).uniform(15, 40, have).astype(np.float32)
    np.testing.assert_allclose(resize_image(image, want), skimage_resize(image, want), atol=2e-5)


@settings(deadline=None)
@given(data=st.data(), have=st.tuples(*[st.integers(4, 30)] * 2), value=st.floats(-40, 60, width=32))
def test_a_constant_stays_and_nothing_leaves_the_range(data, have, value):
    want = data.draw(st.tuples(st.integers(1, have[0]), st.integers(1, have[1])))
    np.testing.assert_allclose(resize_image(np.full(have, value, np.float32), want), value, atol=1e-4)
    image = data.draw(hnp.arrays(np.float32, have, elements=st.floats(-40, 60, width=32)))
    small = resize_image(image, want)
    assert small.shape == want
    assert small.min() >= image.min() - 1e-3
    assert small.max() <= image.max() + 1e-3


@settings(max_examples=60, deadline=None)
@given(
    label=hnp.arrays(np.uint8, st.tuples(*[st.integers(1, 9)] * 2), elements=st.integers(0, 7)),
    want=st.tuples(*[st.integers(1, 9)] * 2),
)
def test_the_majority_is_that_of_the_areas(label, want):
    np.testing.assert_array_equal(resize_label(label, want, "majority"), vote(label, want))


@pytest.mark.parametrize(("have", "want"), SIZES)
def test_published_labels_are_where_the_resized_mask_is_above_zero(have, want):
    label = np.zeros(have, np.uint8)
    label[have[0] // 4 : have[0] // 2, have[1] // 4 : have[1] // 2] = 1
    label[have[0] // 2, have[1] // 2] = 2
    expected = np.zeros(want, np.uint8)
    for value in (1, 2):
        expected[skimage_resize(label == value, want) > 1e-12] = value
    np.testing.assert_array_equal(resize_label(label, want, "published"), expected)


def test_published_labels_are_fatter_than_the_majority():
    label = np.zeros((60, 60), np.uint8)
    label[27:33, 27:33] = 3  # 2x2 pixels of the reduced label
    assert (resize_label(label, (20, 20), "majority") == 3).sum() == 4
    assert (resize_label(label, (20, 20), "published") == 3).sum() > 12


def test_the_crop_is_the_centre():
    frame = np.arange(768)[:, None] * 1024 + np.arange(1024)
    np.testing.assert_array_equal(centre_crop(frame, (768, 960)), frame[:, 32:992])
    np.testing.assert_array_equal(centre_crop(frame[:5, :4], (2, 3)), frame[1:3, 0:3])
