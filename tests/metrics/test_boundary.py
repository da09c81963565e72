"""Boundary scores against loops over pixels and pairs of pixels, and numbers worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.metrics import boundary_scores, usual_tolerance


def outline(classes, index):
    """Pixels of a class with a side neighbour of another class; 255 and the frame's border are no class."""
    height, width = classes.shape
    found = []
    for y in range(height):
        for x in range(width):
            if classes[y, x] != index:
                continue
            neighbours = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            inside = [classes[b, a] for b, a in neighbours if 0 <= b < height and 0 <= a < width]
            if any(value not in (index, 255) for value in inside):
                found.append((y, x))
    return found


def reference(prediction, label, index, tolerance):
    """F1 and 95 % Hausdorff distance from the distances of all pairs."""
    known = np.where(label == 255, 255, prediction)
    predicted, true = outline(known, index), outline(label, index)
    if not predicted or not true:
        return (0.0 if predicted or true else None), None
    to_true = [min(math.dist(a, b) for b in true) for a in predicted]
    to_predicted = [min(math.dist(a, b) for b in predicted) for a in true]
    precision = sum(distance <= tolerance for distance in to_true) / len(to_true)
    recall = sum(distance <= tolerance for distance in to_predicted) / len(to_predicted)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f1, max(percentile(to_true), percentile(to_predicted))


def percentile(values, share=0.95):
    """Linear between the two values around it."""
    values = sorted(values)
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


@st.composite
def frames(draw):
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    classes = draw(st.integers(1, 4))
    prediction = draw(arrays(np.uint8, shape, elements=st.integers(0, classes - 1)))
    label = draw(arrays(np.uint8, shape, elements=st.sampled_from([*range(classes), 255])))
    return prediction, label, classes


@settings(max_examples=150, deadline=None)
@given(frames(), st.sampled_from([0, 1, 1.5, 2, 5]))
def test_scores_are_those_of_all_pairs_of_outline_pixels(frame, tolerance):
    prediction, label, classes = frame
    scores = boundary_scores(prediction, label, classes, tolerance)
    for index in range(classes):
        f1, hd95 = reference(prediction, label, index, tolerance)
        assert scores.f1[index] == (None if f1 is None else pytest.approx(f1))
        assert scores.hd95[index] == (None if hd95 is None else pytest.approx(hd95, rel=1e-12))


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_all_pairs_on_regions_as_large_as_a_face(seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :120]

    def face():
        y, x = rng.uniform(40, 56), rng.uniform(45, 75)
        classes = np.zeros((96, 120), np.uint8)
        classes[((rows - y) / 35) ** 2 + ((columns - x) / 25) ** 2 < 1] = 1
        classes[((rows - y - 15) / 5) ** 2 + ((columns - x) / 11) ** 2 < 1] = 2
        classes[rng.random(classes.shape) < 0.002] = 2
        return classes

    prediction, label = face(), face()
    label[:, -10:] = 255
    scores = boundary_scores(prediction, label, 3, 2)
    for index in range(3):
        f1, hd95 = reference(prediction, label, index, 2)
        assert scores.f1[index] == pytest.approx(f1)
        assert scores.hd95[index] == pytest.approx(hd95, rel=1e-12)


def square(top, left, size, shape=(40, 50)):
    classes = np.zeros(shape, np.uint8)
    classes[top : top + size, left : left + size] = 1
    return classes


def test_a_square_moved_by_three_pixels():
    truth, moved = square(10, 10, 10), square(10, 13, 10)
    within, beyond = boundary_scores(moved, truth, 2, 3), boundary_scores(moved, truth, 2, 2)
    assert within.f1[1] == 1
    assert within.hd95[1] == 3
    # Of the 36 outline pixels 14 are 3 away: the 10 of the far side, and the 4 in the middle of the near side, whose
    # others have the true top or bottom within 2. By symmetry recall is the same.
    assert beyond.f1[1] == pytest.approx((36 - 14) / 36)


@settings(max_examples=100, deadline=None)
@given(st.tuples(*4 * [st.integers(0, 511)]))
def test_distances_are_exact(places):
    # Single-precision ones would depend on where in memory a frame happens to lie.
    truth, prediction = np.zeros((2, 512, 512), np.uint8)
    truth[places[:2]], prediction[places[2:]] = 1, 1
    assert boundary_scores(prediction, truth, 2).hd95[1] == math.dist(places[:2], places[2:])


def test_equal_masks_score_one_and_zero():
    truth = square(5, 5, 12)
    scores = boundary_scores(truth, truth, 2)
    assert scores.f1 == [1, 1]
    assert scores.hd95 == [0, 0]


def test_a_class_that_is_nowhere_has_no_scores():
    scores = boundary_scores(square(5, 5, 4), square(5, 5, 4), 3)
    assert scores.f1[2] is None
    assert scores.hd95[2] is None


@pytest.mark.parametrize("swap", [False, True])
def test_a_class_that_is_missed_or_made_up_scores_zero_and_has_no_distance(swap):
    pair = [square(5, 5, 4), np.zeros((40, 50), np.uint8)]
    scores = boundary_scores(*(reversed(pair) if swap else pair), 2)
    assert scores.f1[1] == 0
    assert scores.hd95[1] is None


def test_the_frame_border_and_ignored_pixels_end_no_region():
    # A band across the frame: its outline is the two long sides alone.
    truth = np.zeros((20, 30), np.uint8)
    truth[8:12] = 1
    prediction = truth.copy()
    prediction[8:12, :3] = 0
    prediction[8:12, -3:] = 0
    assert boundary_scores(prediction, truth, 2, 0).f1[1] < 1
    truth[:, :4] = 255
    truth[:, -4:] = 255
    assert boundary_scores(prediction, truth, 2, 0).f1[1] == 1


def test_frames_without_a_labelled_pixel_have_no_scores():
    scores = boundary_scores(square(5, 5, 4), np.full((40, 50), 255, np.uint8), 2)
    assert scores.f1 == [None, None]
    assert scores.hd95 == [None, None]


def test_the_usual_tolerance_grows_with_the_frame():
    # sqrt(256^2 + 320^2) = 409.8 pixels
    assert usual_tolerance((256, 320)) == pytest.approx(0.0075 * 409.8, abs=1e-3)
    truth, moved = square(100, 100, 60, (256, 320)), square(100, 103, 60, (256, 320))
    assert boundary_scores(moved, truth, 2).f1[1] == 1
    assert boundary_scores(square(100, 104, 60, (256, 320)), truth, 2).f1[1] < 1


def test_inputs_stay_as_they_are():
    prediction, label = square(5, 5, 4), square(6, 6, 4)
    label[0] = 255
    before = prediction.copy(), label.copy()
    boundary_scores(prediction, label, 2)
    assert np.array_equal(prediction, before[0])
    assert np.array_equal(label, before[1])


def test_differing_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(3, 4\) and \(4, 3\)"):
        boundary_scores(np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8), 2)
