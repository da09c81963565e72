"""Landmark files are untrusted: whatever they hold, 68 points or a DataError. Labels are the hulls of the points."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import ConvexHull

from lib.datasets.labels import RAW_CLASSES, LabelMap
from lib.datasets.landmarks import HULLS, STANDARD_GROUPS, draw_labels
from lib.datasets.landmarks.ljson import read_ljson
from lib.utils.errors import ConfigError, DataError
from lib.utils.labels import IGNORE
from tests.datasets.helpers import face_points, write_ljson

POINTS = face_points(96, 128).tolist()
# a fixture's folder is shared by all examples, which overwrite one file in it
SHARED_FOLDER = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_points_and_groups_come_back_as_written(tmp_path):
    mask = list(range(36, 42))[::-1]
    write_ljson(tmp_path / "a.ljson", POINTS, [{"label": "reye", "mask": mask}, {"label": "hair", "mask": [1, 2, 3]}])
    landmarks = read_ljson(tmp_path / "a.ljson")
    assert landmarks.points.dtype == np.float64
    np.testing.assert_array_equal(landmarks.points, POINTS)
    assert landmarks.groups == {**STANDARD_GROUPS, "reye": tuple(mask)}


@pytest.mark.parametrize(
    "labels",
    [
        [{"label": "chin", "mask": [0, 1]}],
        [{"label": "chin", "mask": [0, 1, 68]}],
        [{"label": "chin", "mask": [0, 1, -1]}],
        [{"label": "chin", "mask": [0, 1, 1]}],
        [{"label": "chin", "mask": [0, 1, True]}],
        [{"label": "chin", "mask": [0, 1, [2]]}],
        [{"label": "chin", "mask": "012"}],
        [{"label": "chin"}],
        [{"label": "chin", "mask": [5, 6, 7]}, {"label": "chin", "mask": [8, 9, 10]}],
        [{"mask": [5, 6, 7]}, None, 3, []],
        "chin",
    ],
)
def test_invalid_groups_fall_back_to_the_standard_ones(tmp_path, labels):
    write_ljson(tmp_path / "a.ljson", POINTS, labels)
    assert read_ljson(tmp_path / "a.ljson").groups == STANDARD_GROUPS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "JSON|object"),
        (b"null", "LJSON object"),
        (b"[]", "LJSON object"),
        (b'{"landmarks": []}', "LJSON object"),
        (b'{"landmarks": {"points": {}}}', "LJSON object"),
        (b'{"landmarks": {"points": []}}', "expected 68 or 54 landmarks, got 0"),
        (b" " * (1 << 20) + b"{}", "bytes"),
    ],
)
def test_files_that_are_no_ljson_are_refused(tmp_path, content, message):
    (tmp_path / "a.ljson").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_ljson(tmp_path / "a.ljson")
    assert "a.ljson" in str(caught.value)


@pytest.mark.parametrize("folder", [True, False])
def test_files_that_are_not_there_are_refused(tmp_path, folder):
    path = tmp_path if folder else tmp_path / "a.ljson"
    with pytest.raises(DataError, match="unreadable"):
        read_ljson(path)


@pytest.mark.parametrize(
    "pair", ["[NaN, 1]", "[1, Infinity]", "[1e999, 1]", "[1]", "[1, 2, 3]", "null", '["1", 2]', "[true, 1]", "3"]
    + ["[" * 50 + "]" * 50, "[1" + "0" * 400 + ", 1]", "[1, -1e6]", "{}"],
)  # fmt: skip
def test_points_that_are_no_coordinates_are_refused(tmp_path, pair):
    text = json.dumps({"landmarks": {"points": [*POINTS[:67], "HERE"]}}).replace('"HERE"', pair)
    (tmp_path / "a.ljson").write_text(text)
    with pytest.raises(DataError, match="landmark 67"):
        read_ljson(tmp_path / "a.ljson")


@SHARED_FOLDER
@given(content=st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_a_data_error(tmp_path, content):
    (tmp_path / "a.ljson").write_bytes(content)
    with pytest.raises(DataError):
        read_ljson(tmp_path / "a.ljson")


@SHARED_FOLDER
@given(points=json_values, labels=json_values, replace=st.integers(0, 67))
def test_points_of_any_kind_are_valid_or_a_data_error(tmp_path, points, labels, replace):
    many = [*POINTS[:replace], points, *POINTS[replace + 1 :]]
    (tmp_path / "a.ljson").write_text(json.dumps({"landmarks": {"points": many}, "labels": labels}))
    try:
        landmarks = read_ljson(tmp_path / "a.ljson")
    except DataError:
        return
    assert landmarks.points.shape == (68, 2)
    assert np.isfinite(landmarks.points).all()
    assert draw_labels(landmarks.points, (96, 128), landmarks.groups).max() <= 7


def _signed_distance(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How far each pixel lies outside a convex polygon's nearest edge line; below 0 inside."""
    hull = ConvexHull(corners)
    pixels = np.stack(np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij"), -1)
    return (pixels @ hull.equations[:, :2].T + hull.equations[:, 2]).max(-1)


def test_labels_are_the_filled_hulls_in_the_published_order():
    shape, points = (96, 128), face_points(96, 128)
    label = draw_labels(points, shape)
    inside, near = np.zeros(shape, np.uint8), np.zeros(shape, bool)
    for value, names in HULLS:
        corners = np.trunc(points[[index for name in names for index in STANDARD_GROUPS[name]]])
        distance = _signed_distance(corners, shape)
        inside[distance <= 0] = value
        near |= np.abs(distance) < 1
    assert label.dtype == np.uint8
    assert set(np.unique(label)) == set(range(len(RAW_CLASSES)))
    np.testing.assert_array_equal(label[~near], inside[~near])
    assert (label[near] == inside[near]).mean() > 0.8


def test_coordinates_are_truncated_and_borders_belong_to_the_region():
    points = np.full((68, 2), 5.9)
    points[0:17] = [[2.9, 3.9]] * 6 + [[2.2, 10.7]] * 6 + [[8.99, 3.1]] * 5
    groups = STANDARD_GROUPS
    label = draw_labels(points, (12, 14), groups)
    assert label[2, 3] == label[2, 10] == label[8, 3] == label[2, 6] == 1  # corners and an edge
    assert label[5, 5] == 7  # all other regions are the one point (5, 5), the nose last
    assert not label[:2].any()
    assert not label[9:].any()
    assert not label[:, :3].any()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float64, (68, 2), elements=st.floats(-1e5, 1e5)))
def test_any_points_can_be_drawn(points):
    assert draw_labels(points, (20, 30)).shape == (20, 30)


def test_what_lies_outside_the_frame_is_cut_off():
    points = face_points(96, 128)
    whole = draw_labels(points + 40, (200, 220))
    np.testing.assert_array_equal(draw_labels(points, (60, 90)), whole[40:100, 40:130])


@settings(deadline=None)
@given(data=st.data(), num_classes=st.integers(1, 254))
def test_label_values_become_their_entry(data, num_classes):
    entry = st.integers(-1, num_classes - 1) | st.just(IGNORE)
    entries = data.draw(st.lists(entry, min_size=1, max_size=255))
    value = st.integers(0, len(entries) - 1) | st.just(IGNORE)
    label = np.array(data.draw(st.lists(value, min_size=1, max_size=9)), np.uint8)[None]
    expected = [IGNORE if v == IGNORE or entries[v] == -1 else entries[v] for v in label[0]]
    assert LabelMap(num_classes, entries)(label, "file")[0].tolist() == expected


@pytest.mark.parametrize(("remap", "key"), [(None, "data.num_classes"), ([0, 1, -1], "data.remap_classes")])
def test_a_value_without_a_class_names_file_and_value(remap, key):
    with pytest.raises(DataError, match=rf"x\.png.*value 7 without.*{key}"):
        LabelMap(3, remap)(np.array([[0, 2, 7]], np.uint8), "x.png")


@pytest.mark.parametrize(
    ("num_classes", "remap"), [(0, None), (255, None), (3, [3]), (3, [-2]), (3, [254]), (2, [0] * 257)]
)
def test_maps_that_make_no_sense_are_config_errors(num_classes, remap):
    with pytest.raises(ConfigError):
        LabelMap(num_classes, remap)
