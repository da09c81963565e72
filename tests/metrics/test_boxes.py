"""Faces against boxes: of one frame, of many, and the file that boxes are read from."""

import json

import numpy as np
import pytest

from lib.metrics.boxes import as_json, box_scores, in_box, match_boxes, read_boxes, summarise_boxes
from lib.utils.errors import DataError


def label_with(*areas, shape=(100, 100)):
    label = np.zeros(shape, np.uint8)
    for value, (x0, y0, x1, y1) in enumerate(areas, 1):
        label[y0:y1, x0:x1] = value
    return label


def test_a_box_holds_the_pixels_whose_centres_are_in_it():
    assert in_box((4, 6), (1, 1, 3, 2)).sum() == 2
    assert in_box((4, 6), (0.6, 0, 2.4, 1)).nonzero()[1].tolist() == [1]
    assert in_box((40, 40), (10, 10, 20, 30), 0.1).sum() == 12 * 24
    assert in_box((4, 6), (-9, -9, 99, 99)).all()


@pytest.mark.parametrize(
    ("areas", "found", "inside", "strict"),
    [
        pytest.param([(20, 20, 60, 60)], 1, 1.0, 1.0, id="just_the_box"),
        pytest.param([(20, 20, 40, 40), (40, 20, 60, 40)], 1, 1.0, 1.0, id="every_class_but_background_counts"),
        pytest.param([], 0, 0.0, 0.0, id="nothing"),
        pytest.param([(20, 20, 30, 30)], 0, 1.0, 1.0, id="too_little_to_be_found"),
        pytest.param([(18, 20, 58, 60)], 1, 1.0, 0.95, id="in_the_margin"),
        pytest.param([(20, 20, 60, 60), (80, 80, 100, 100)], 1, 0.8, 0.8, id="a_fifth_elsewhere"),
    ],
)
def test_a_frame_with_one_face(areas, found, inside, strict):
    score = box_scores("a", label_with(*areas), np.array([(20, 20, 60, 60)]))
    assert (score.faces, score.found) == (1, found)
    assert score.inside == pytest.approx(inside)
    assert score.inside_strict == pytest.approx(strict)
    assert score.facial == pytest.approx((label_with(*areas) > 0).mean())


def test_boxes_that_overlap_count_a_pixel_once():
    score = box_scores("a", label_with((0, 0, 50, 50)), np.array([(0, 0, 50, 50), (10, 0, 60, 50), (80, 80, 99, 99)]))
    assert (score.faces, score.found, score.inside, score.inside_strict) == (3, 2, 1.0, 1.0)


def test_numbers_about_many_frames():
    box, none = np.array([(20, 20, 60, 60)]), np.zeros((0, 4))
    scores = [
        box_scores("good", label_with((20, 20, 60, 60)), box),
        box_scores("beside", label_with((20, 20, 60, 60), (80, 80, 100, 100)), box),
        box_scores("missed", label_with(), box),
        box_scores("quiet", label_with((0, 0, 2, 5)), none),
        box_scores("alarm", label_with((0, 0, 5, 5)), none),
    ]
    overall = summarise_boxes(scores)
    assert (overall["frames"], overall["frames_with_face"], overall["faces"]) == (5, 3, 3)
    assert overall["good"] == overall["good_strict"] == pytest.approx(1 / 3)
    assert overall["median_inside"] == pytest.approx(0.8)
    assert overall["found"] == pytest.approx(2 / 3)
    assert overall["false_alarms"] == 0.5
    plain = as_json(scores)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["frames"][3]["inside"] is None
    assert {name: summary["frames"] for name, summary in plain["people"].items()} == {"no face": 2, "one": 3}
    assert plain["people"]["one"]["good"] == overall["good"]
    assert plain["people"]["one"]["false_alarms"] is None


def test_a_line_is_a_face_and_a_frame_without_one_has_empty_cells(tmp_path):
    (tmp_path / "boxes.csv").write_text("frame,x0,y0,x1,y1\na, 1,2,3.5,4\nb,,,,\n\na,5,6,7,8\n")
    boxes = read_boxes(tmp_path / "boxes.csv")
    assert {name: found.tolist() for name, found in boxes.items()} == {"a": [[1, 2, 3.5, 4], [5, 6, 7, 8]], "b": []}
    assert boxes["b"].shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "can't be read"),
        ("", "no boxes"),
        ("frame,x0,y0,x1,y1\n", "no boxes"),
        ("a,1,2,3\n", "boxes.csv:1: expected frame,x0,y0,x1,y1"),
        ("a,1,2,3,4\nb,3,2,1,4\n", "boxes.csv:2: .*x0 < x1"),
        ("a,1,2,x,4\n", "got a,1,2,x,4"),
        ("a,1,2,inf,4\n", "got a,1,2,inf,4"),
        (",1,2,3,4\n", "got ,1,2,3,4"),
    ],
)
def test_faults_in_a_file_of_boxes_are_named(tmp_path, text, words):
    if text is not None:
        (tmp_path / "boxes.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_boxes(tmp_path / "boxes.csv")


def test_boxes_find_their_frames_by_file_name_or_stem(tmp_path):
    (tmp_path / "boxes.csv").write_text("frame1.png,1,2,3,4\nframe.2,1,2,3,4\n")
    known = read_boxes(tmp_path / "boxes.csv")
    assert match_boxes(known, ["frame1", "frame.2", "unknown"], tmp_path).keys() == {"frame1", "frame.2"}
    with pytest.raises(DataError, match="aren't in the folder: frame1"):
        match_boxes(known, ["frame.2"], tmp_path)
