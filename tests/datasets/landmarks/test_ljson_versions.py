"""LJSON of every version of menpo's gives the same landmarks; others are named."""

import json

import numpy as np
import pytest

from lib.datasets.landmarks import STANDARD_GROUPS, standard_groups
from lib.datasets.landmarks.ljson import read_ljson
from lib.utils.errors import DataError
from tests.datasets.landmarks.helpers import points_of


def version_1(points, labels=("all",)):
    parts = np.array_split(np.arange(len(points)), len(labels))
    groups = [
        {"connectivity": [[0, 1]], "label": label, "landmarks": [{"point": points[index]} for index in part]}
        for label, part in zip(labels, parts, strict=True)
    ]
    return {"version": 1, "groups": groups}


def version_2(points):
    return {"version": 2, "labels": [], "landmarks": {"points": points, "connectivity": [[0, 1]]}}


def version_3(points, **others):
    groups = {name: {"labels": [], "landmarks": {"points": value}} for name, value in {"PTS": points, **others}.items()}
    return {"version": 3, "groups": groups}


@pytest.fixture
def write(tmp_path):
    def write(content):
        (tmp_path / "a.ljson").write_text(json.dumps(content))
        return tmp_path / "a.ljson"

    return write


@pytest.mark.parametrize("count", [68, 54])
@pytest.mark.parametrize("version", [version_1, version_2, version_3])
def test_versions_hold_the_same(write, version, count):
    landmarks = read_ljson(write(version(points_of(count).tolist())))
    np.testing.assert_array_equal(landmarks.points, points_of(count))
    assert landmarks.groups == standard_groups(count)
    assert landmarks.confidence is None


def test_groups_of_version_1_are_used_by_their_names(write):
    content = version_1(points_of(68).tolist(), ["chin", "hair"])
    assert read_ljson(write(content)).groups == {**STANDARD_GROUPS, "chin": tuple(range(34))}


def test_the_face_is_found_among_the_groups_of_version_3(write):
    content = version_3([[1, 2]], face=points_of(68).tolist(), box=[[0, 0]] * 4)
    np.testing.assert_array_equal(read_ljson(write(content)).points, points_of(68))
    with pytest.raises(DataError, match=r"PTS \(68\), other \(54\)"):
        read_ljson(write(version_3(points_of(68).tolist(), other=points_of(54).tolist())))
    with pytest.raises(DataError, match="got none"):
        read_ljson(write({"version": 3, "groups": []}))


@pytest.mark.parametrize("version", [0, 4, "2", None, True, 2.0, [3]])
def test_other_versions_are_named(write, version):
    with pytest.raises(DataError, match=r"a\.ljson: LJSON of version .*; versions 1, 2 and 3 can be read"):
        read_ljson(write({**version_2(points_of(68).tolist()), "version": version}))


@pytest.mark.parametrize("version", [version_1, version_2, version_3])
@pytest.mark.parametrize("pair", [None, [None, None], [3, None]])
def test_a_landmark_that_was_not_marked_is_named(write, version, pair):
    points = points_of(68).tolist()
    points[30] = pair
    with pytest.raises(DataError, match=r"a\.ljson: landmark 30 is null"):
        read_ljson(write(version(points)))


@pytest.mark.parametrize("groups", [None, {}, [], [3], [{"label": "all"}], [{"landmarks": 3}]])
def test_version_1_without_points_is_refused(write, groups):
    with pytest.raises(DataError):
        read_ljson(write({"version": 1, "groups": groups}))
