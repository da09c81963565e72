"""Landmarks in .pts, YOLO-pose and CSV: the same points as were written, or an error that names what is wrong."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.datasets.landmarks import FORMATS, check_inside, draw_labels, standard_groups
from lib.utils.errors import DataError
from tests.datasets.landmarks.helpers import points_of, yolo_line

SIZE = (96, 128)


def pts(points, version="1", n_points=None):
    rows = "\n".join(f"{x + 1} {y + 1}" for y, x in points)
    return f"version: {version}\nn_points:  {n_points or len(points)}\n{{\n{rows}\n}}\n"


def table(points, name="a", header=None):
    header = header or "frame," + ",".join(f"x{index},y{index}" for index in range(len(points)))
    cells = ",".join(f"{x},{y}" for y, x in points)
    return f"{header}\n{name},{cells}\nother,{cells}\n"


WRITERS = {"pts": pts, "yolo": lambda points: yolo_line(points, SIZE), "csv": table}


def read(folder, kind, text, size=SIZE):
    path = FORMATS[kind].path(folder, "a")
    path.write_text(text)
    return FORMATS[kind].read(path, "a", size)


@pytest.mark.parametrize("count", [68, 54])
@pytest.mark.parametrize("kind", WRITERS)
def test_points_come_back_as_written(tmp_path, kind, count):
    landmarks = read(tmp_path, kind, WRITERS[kind](points_of(count)))
    np.testing.assert_allclose(landmarks.points, points_of(count), atol=1e-6)
    assert landmarks.groups == standard_groups(count)
    assert landmarks.confidence == (1 if kind == "yolo" else None)


def test_54_points_draw_nearly_what_68_do():
    labels = [draw_labels(points_of(count), SIZE, standard_groups(count)) for count in (68, 54)]
    assert (labels[0] == labels[1]).mean() > 0.97
    assert set(np.unique(labels[1])) == set(range(8))
    np.testing.assert_array_equal(labels[0] == 1, (labels[1] == 1) & (labels[0] != 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no .pts file"),
        ("version: 1\nn_points: 68\n{\n1 2\n", "no .pts file"),
        (pts(points_of(68), version="2"), "version 2; version 1 can be read"),
        (pts(points_of(68), n_points=54), "n_points is 54, but 68 lines"),
        (pts(points_of(68)[:66]), "expected 68 or 54 landmarks, got 66"),
        (pts(points_of(68)).replace("\n}", "\n1 2\n}"), "n_points is 68, but 69 lines"),
        (pts([*points_of(68)[:67], (np.nan, 3)]), "landmark 67 is null"),
        (pts([*points_of(68)[:67], (np.inf, 3)]), "landmark 67: expected"),
        (pts([*points_of(68)[:67], (3, 4)]).replace("5 4\n}", "5 x\n}"), "landmark 67: expected 2 numbers, got '5 x'"),
    ],
    ids=range(9),
)
def test_wrong_pts_files_say_what_is_wrong(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, "pts", text)
    assert "a.pts" in str(caught.value)


LINE = yolo_line(points_of(54), SIZE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no face"),
        (f"{LINE}\n{LINE}\n", r"several faces \(2 lines\)"),
        ("0 0.5 0.5 0.2 0.2", "no YOLO-pose line .* got 5 numbers"),
        (LINE.rsplit(" ", 3)[0], "got 164 numbers"),
        (f"{LINE} 1 2 3", "got 170 numbers"),
        (LINE.rsplit(" ", 1)[0] + " x", "landmark 53: expected 3 numbers"),
        (yolo_line(points_of(54), SIZE, [1.0] * 20 + [0.0] + [1.0] * 33), "landmark 20 is null"),
    ],
    ids=range(7),
)
def test_wrong_yolo_files_say_what_is_wrong(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, "yolo", text)
    assert "a.txt" in str(caught.value)


@pytest.mark.parametrize("further", ["", " 0.97", " 0.97 3"])
def test_confidences_are_averaged_and_what_follows_is_passed_over(tmp_path, further):
    confidences = np.linspace(0.5, 1, 54)
    landmarks = read(tmp_path, "yolo", yolo_line(points_of(54), SIZE, confidences) + further)
    assert landmarks.confidence == pytest.approx(0.75)


def test_visibilities_are_no_confidences_and_may_be_missing(tmp_path):
    assert read(tmp_path, "yolo", yolo_line(points_of(68), SIZE, [1, 2] * 34)).confidence is None
    words = yolo_line(points_of(68), SIZE).split()
    without = " ".join(words[:5] + [word for index, word in enumerate(words[5:]) if index % 3 != 2])
    np.testing.assert_allclose(read(tmp_path, "yolo", without).points, points_of(68), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the header frame,x0,y0,.*got ''"),
        (table(points_of(68), header="frame,y0,x0"), "expected the header"),
        (table(points_of(68)[:66]), "expected the header"),
        (table(points_of(68), name="b"), "no row of frame a, so it has no landmarks"),
        (table(points_of(68), name="other"), "frame other is in the table twice"),
        (table(points_of(68)).replace("a,", "a,7,", 1).replace("frame,7,", "frame,"), "expected 136 numbers"),
        (table([*points_of(68)[:67], ("", "")]), "landmark 67 is null"),
        (table([*points_of(68)[:67], ("nan", "3")]), "landmark 67 is null"),
        (table([*points_of(68)[:67], ("x", "3")]), "landmark 67: expected 2 numbers"),
        ('frame,"x0\0', "landmarks.csv"),
    ],
    ids=range(10),
)
def test_wrong_tables_say_what_is_wrong(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, "csv", text)
    assert "landmarks.csv" in str(caught.value)


def test_a_table_is_read_anew_when_it_has_changed(tmp_path):
    read(tmp_path, "csv", table(points_of(68)))
    np.testing.assert_allclose(read(tmp_path, "csv", table(points_of(54))).points, points_of(54), atol=1e-6)


def test_what_is_kept_of_a_frame_reads_like_its_source(tmp_path):
    (tmp_path / "a").mkdir()
    for kind, write in WRITERS.items():
        landmarks = read(tmp_path, kind, write(points_of(68)))
        kept = FORMATS[kind].content(FORMATS[kind].path(tmp_path, "a"), "a")
        again = read(tmp_path / "a", kind, kept.decode())
        np.testing.assert_array_equal(again.points, landmarks.points)
    assert kept.count(b"\n") == 2


@pytest.mark.parametrize("kind", WRITERS)
def test_files_that_are_not_there_are_named(tmp_path, kind):
    path = FORMATS[kind].path(tmp_path, "a")
    with pytest.raises(DataError, match=f"{path.name}: unreadable"):
        FORMATS[kind].read(path, "a", SIZE)


WORDS = st.sampled_from(
    ["version: 1\n", "n_points: 2\n", "{\n", "}\n", "1 2\n", "0 ", "frame,x0,y0\n", "a,1,2\n", "nan,"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([*WRITERS]), content=st.binary(max_size=80) | st.lists(WORDS).map("".join).map(str.encode))
def test_anything_else_is_a_data_error(tmp_path, kind, content):
    path = FORMATS[kind].path(tmp_path, "a")
    path.write_bytes(content)
    with pytest.raises(DataError, match=path.name):
        FORMATS[kind].read(path, "a", SIZE)


def test_landmarks_may_lie_a_quarter_of_the_longer_side_outside():
    points = np.array([[-32.0, 10.0], [10.0, 159.0]])
    check_inside(points, SIZE, "x")
    for moved in (points - 0.1, points + 0.1):
        with pytest.raises(DataError, match="x: a landmark lies 32 pixels outside the frame of 96x128; at most 32"):
            check_inside(moved, SIZE, "x")
