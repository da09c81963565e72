"""Specks and people far behind are background; a face keeps all of its parts."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.metrics.components import REACH, remove_small_components
from tests.metrics.faces import draw_face


def disc(label: np.ndarray, y: int, x: int, radius: int, value: int = 1) -> np.ndarray:
    rows, columns = np.ogrid[: label.shape[0], : label.shape[1]]
    label[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = value
    return label


@pytest.fixture
def scene():
    """A large face, a speck that touches nothing, and a face of a ninth of its area."""
    label = disc(np.zeros((120, 200), np.uint8), 60, 50, 36)
    return disc(disc(label, 20, 120, 2, 3), 60, 150, 12, 2)


def test_what_is_small_beside_the_largest_face_is_background(scene):
    found = remove_small_components(scene, 0.15)
    np.testing.assert_array_equal(found == 1, scene == 1)
    assert not (found > 1).any()


def test_a_share_says_what_is_small(scene):
    found = remove_small_components(scene, 0.05)
    np.testing.assert_array_equal(found == 2, scene == 2)
    assert not (found == 3).any()
    np.testing.assert_array_equal(remove_small_components(scene, 0.0), scene)


@pytest.mark.parametrize("scale", [4, 12])
def test_a_face_keeps_eyes_and_eyebrows_that_touch_nothing(scale):
    label, _ = draw_face((16 * scale, 18 * scale), scale=scale)
    np.testing.assert_array_equal(remove_small_components(label, 0.3), label)


def test_small_parts_near_a_face_are_its_own(scene):
    eyebrow = disc(scene, 16, 50, 3, 4)
    assert (remove_small_components(eyebrow, 0.15) == 4).sum() == (eyebrow == 4).sum()


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_it_only_takes_away_and_never_all(seed, share):
    label = np.random.default_rng(seed).choice(np.array([0, 0, 0, 1, 2, 255], np.uint8), (24, 32))
    before = label.copy()
    found = remove_small_components(label, share)
    np.testing.assert_array_equal(label, before)
    assert ((found == label) | ((found == 0) & (label != 255))).all()
    assert ((found > 0) & (found < 255)).any() == ((label > 0) & (label < 255)).any()


def over_the_whole_frame(label: np.ndarray, share: float) -> np.ndarray:
    """What is removed, without looking at a part of the frame alone."""
    face = ((label > 0) & (label != 255)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(face, connectivity=8)
    if count <= 2 or not share:
        return label
    reach = round(REACH * float(np.sqrt(stats[1:, cv2.CC_STAT_AREA].max())))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    _, areas = cv2.connectedComponents(cv2.dilate(face, disc), connectivity=8)
    pixels = [int((face * (areas == area)).sum()) for area in range(1, areas.max() + 1)]
    small = [area for area, number in enumerate(pixels, 1) if number < share * max(pixels)]
    return np.where((face > 0) & np.isin(areas, small), 0, label).astype(np.uint8)


@given(st.integers(0, 2**32), st.floats(0, 1), st.integers(0, 4))
def test_it_is_the_same_wherever_the_face_is(seed, share, discs):
    rng = np.random.default_rng(seed)
    label = np.zeros((60, 80), np.uint8)
    for _ in range(discs):
        disc(label, rng.integers(60), rng.integers(80), rng.integers(1, 20), rng.integers(1, 4))
    np.testing.assert_array_equal(remove_small_components(label, share), over_the_whole_frame(label, share))
