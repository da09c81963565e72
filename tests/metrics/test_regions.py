"""Regions: the parts of the nose are where its landmarks say; numbers are NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lib.metrics.regions import Measurement, Region, find_regions, measure, region_names
from tests.metrics.faces import CLASS_NAMES, draw_face

SIZE = (220, 240)


def parts(label, **arguments):
    regions = find_regions(label, CLASS_NAMES, **arguments)
    return regions["nostrils"].mask, regions["nose_tip"].mask


def holds(mask, point):
    return bool(mask[round(point[1]), round(point[0])])


def fraction_beside(mask, landmarks):
    """Share of a part's pixels that lie nearer to the bridge's top (27) than to the base (33)."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], 1)
    return np.mean(np.linalg.norm(points - landmarks[27], axis=1) < np.linalg.norm(points - landmarks[33], axis=1))


def check_parts(label, landmarks):
    nostrils, tip = parts(label)
    inward = landmarks[30] - landmarks[33]  # landmarks lie on the mask's rim
    for number in (32, 33, 34):
        assert holds(nostrils, landmarks[number] + 0.15 * inward)
        assert not holds(tip, landmarks[number] + 0.15 * inward)
    assert holds(tip, landmarks[30])
    assert not holds(nostrils, landmarks[30])
    for mask in (nostrils, tip):
        assert mask.any()
        assert (label[mask] == 5).all()
        assert fraction_beside(mask, landmarks) == 0
    assert not (nostrils & tip).any()


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(5, 13))
def test_the_parts_are_where_the_landmarks_are_however_the_face_is_turned(roll, scale):
    check_parts(*draw_face(SIZE, roll, scale))


@pytest.mark.parametrize("roll", [-150, -60, 0, 25, 90, 180])
@pytest.mark.parametrize("without", [["left eye"], ["right eye", "left eye"], ["mouth"]])
def test_any_of_eyes_and_mouth_may_be_hidden(roll, without):
    check_parts(*draw_face(SIZE, roll, without=without))


@pytest.mark.parametrize("roll", [-40, 0, 40])
def test_the_nose_alone_shows_the_way_up_of_a_head_that_is_not_upside_down(roll):
    check_parts(*draw_face(SIZE, roll, without=["left eye", "right eye", "mouth"]))


def test_eyes_in_pieces_and_specks_change_little():
    label, landmarks = draw_face(SIZE, 20)
    whole = parts(label)
    rows, columns = np.nonzero(label == 3)
    label[rows[columns % 9 == 0], columns[columns % 9 == 0]] = 1  # eyes in strips
    label[5:8, 5:9] = 5  # a speck of nose in the corner
    label[-8:-5, 20:24] = 3
    check_parts(label, landmarks)
    assert overlap(whole, parts(label)) > 0.85


def overlap(one, other):
    """Intersection over union, per part."""
    return min((before & after).sum() / (before | after).sum() for before, after in zip(one, other, strict=True))


@pytest.mark.parametrize("roll", [-70, 0, 30])
def test_the_nose_tip_lies_about_the_axis_and_half_as_wide_as_the_nose(roll):
    label, landmarks = draw_face(SIZE, roll)
    nostrils, tip = parts(label)
    axis = landmarks[27] - landmarks[33]
    axis /= np.linalg.norm(axis)

    def across(mask):
        return (np.argwhere(mask)[:, ::-1] - landmarks[33]) @ (-axis[1], axis[0])

    width = np.ptp(across(label == 5))
    assert np.abs(across(tip)).max() == pytest.approx(width / 4, abs=1.5)
    assert np.ptp(across(nostrils)) > 0.9 * width


def test_pixels_that_stick_out_of_the_nose_hardly_move_its_parts():
    label, landmarks = draw_face(SIZE)
    whole = parts(label)
    x, y = np.round(landmarks[33]).astype(int)
    label[y : y + 5, x] = 5
    assert overlap(whole, parts(label)) > 0.9


def test_a_speck_beside_a_hidden_eye_is_no_eye():
    label, landmarks = draw_face(SIZE, without=["right eye"])
    whole = parts(label)
    x, y = np.round(landmarks[31]).astype(int)
    label[y + 25 : y + 28, x + 60 : x + 63] = 3
    assert overlap(whole, parts(label)) > 0.9


def test_eyes_that_would_turn_the_face_over_are_none():
    label, landmarks = draw_face(SIZE, without=["left eye", "right eye"])
    whole = parts(label)
    x, y = np.round(landmarks[28]).astype(int)
    label[y - 50 : y - 20, x - 12 : x - 6] = 3  # a strap of a mask from forehead to cheek
    label[y + 45 : y + 75, x + 22 : x + 28] = 3
    assert overlap(whole, parts(label)) > 0.9


def test_a_turned_head_moves_the_nose_against_the_mouth_and_the_parts_stay_level():
    label, _ = draw_face(SIZE)
    turned = label.copy()
    turned[label == 2] = 1
    rows, columns = np.nonzero(label == 2)
    turned[rows, columns - 14] = 2  # 1.4 cm aside: about 45 degrees of yaw
    for before, after in zip(parts(label), parts(turned), strict=True):
        np.testing.assert_array_equal(before, after)


def test_parts_of_a_cut_off_nose_are_not_valid_and_of_a_whole_one_are():
    probability, frame = np.ones(SIZE, np.float32), np.full(SIZE, 33, np.float32)
    for centre, whole in (((120, 110), True), ((120, 212), False)):
        label, _ = draw_face(SIZE, centre=centre)
        regions = find_regions(label, CLASS_NAMES)
        for name in ("nostrils", "nose_tip"):
            assert measure(name, regions[name], frame, probability).valid is whole
        assert measure("nose", regions["nose"], frame, probability).valid


def test_without_a_nose_in_the_frame_its_parts_are_empty():
    nostrils, tip = parts(draw_face(SIZE, without=["nose"])[0])
    assert not nostrils.any()
    assert not tip.any()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (CLASS_NAMES, [*CLASS_NAMES[1:], "nostrils", "nose_tip"]),
        (["room", "Nose"], ["Nose", "nostrils", "nose_tip"]),
        (["room", "disc"], ["disc"]),
        (["room", "nosebleed"], ["nosebleed"]),
        (["nose", "disc"], ["disc"]),  # class 0 is the background, whatever its name
        (["room", "nose", "nostrils"], ["nose", "nostrils"]),
    ],
)
def test_regions_are_the_classes_but_the_first_and_parts_of_a_nose(names, expected):
    assert region_names(names) == expected
    assert list(find_regions(np.zeros((9, 9), np.uint8), names)) == expected


def test_left_and_right_eye_classes_count_as_eyes_and_eyebrows_do_not():
    label, landmarks = draw_face(SIZE, 180, without=["mouth", "brows"])
    left = label.copy()
    left[:, 120:][left[:, 120:] == 3] = 4
    names = ["background", "skin", "mouth", "left eye", "right_eye", "nose"]
    assert holds(find_regions(left, names)["nose_tip"].mask, landmarks[30])
    # Eyebrows below the nose must not turn it upside down.
    brows = draw_face(SIZE, without=["mouth", "brows", "left eye", "right eye"])[0]
    brows[-20:-10, 60:180] = 4
    np.testing.assert_array_equal(parts(brows)[0], parts(np.where(brows == 4, 0, brows).astype(np.uint8))[0])


@given(st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_eroded_regions_keep_the_pixels_that_far_from_their_edges(erode, seed):
    rng = np.random.default_rng(seed)
    label = np.kron(rng.integers(0, 3, (4, 5)), np.ones((7, 9))).astype(np.uint8)
    regions = find_regions(label, ["a", "b", "c"], erode)
    for index, name in ((1, "b"), (2, "c")):
        mask = label == index
        outside = ndimage.distance_transform_cdt(mask, "chessboard")
        expected = mask & ((outside > erode) | mask.all())
        np.testing.assert_array_equal(regions[name].mask, expected)


def test_eroding_takes_the_noses_edge_off_its_parts_and_not_the_border_between_them():
    label, _ = draw_face(SIZE)
    nose = label == 5
    inner = ndimage.binary_erosion(nose, np.ones((3, 3)), iterations=2)
    for before, after in zip(parts(label), parts(label, erode=2), strict=True):
        np.testing.assert_array_equal(after, before & inner)
        assert after.any()


frames = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).normal(33, 3, (12, 17)).astype(np.float32)
)


@given(frames, st.integers(0, 2**32 - 1), st.floats(0.01, 1))
def test_statistics_are_numpys(frame, seed, density):
    rng = np.random.default_rng(seed)
    mask, probability = rng.random(frame.shape) < density, rng.random(frame.shape).astype(np.float32)
    got = measure("disc", Region(mask), frame, probability)
    assert got.pixels == mask.sum()
    if not mask.any():
        assert got == Measurement("disc", 0)
        return
    values = frame[mask].astype(np.float64)
    rows, columns = np.nonzero(mask)
    expected = {
        "mean": values.mean(),
        "std": values.std(),
        "min": values.min(),
        "p05": np.percentile(values, 5),
        "median": np.median(values),
        "p95": np.percentile(values, 95),
        "max": values.max(),
        "centroid_x": columns.mean(),
        "centroid_y": rows.mean(),
        "confidence": probability[mask].mean(),
    }
    for name, value in expected.items():
        assert getattr(got, name) == pytest.approx(value, abs=1e-4), name


def test_without_temperatures_size_place_and_confidence_remain():
    mask = np.zeros((20, 20), bool)
    mask[3:9, 10:14] = True
    got = measure("disc", Region(mask), None, np.full((20, 20), 0.75, np.float32))
    assert (got.pixels, got.centroid_x, got.centroid_y, got.confidence, got.valid) == (24, 11.5, 5.5, 0.75, True)
    assert {got.mean, got.std, got.min, got.p05, got.median, got.p95, got.max} == {None}


@pytest.mark.parametrize(
    ("pixels", "confidence", "temperature", "whole", "valid"),
    [
        (10, 0.5, 5.0, True, True),
        (9, 0.5, 33.0, True, False),
        (10, 0.49, 33.0, True, False),
        (10, 0.5, 4.9, True, False),
        (10, 0.5, 45.1, True, False),
        (10, 0.5, 33.0, False, False),
    ],
)
def test_a_region_is_valid_if_it_is_large_sure_skin_warm_and_whole(pixels, confidence, temperature, whole, valid):
    mask = np.zeros((5, 5), bool)
    mask.flat[:pixels] = True
    frame, probability = (np.full((5, 5), value, np.float32) for value in (temperature, confidence))
    assert measure("disc", Region(mask, whole), frame, probability).valid is valid
