"""scripts/wild/check_weights.py: its frames, its scores, and the way through it."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from lib.models.build import build_network
from lib.utils.errors import DataError
from scripts.wild import check_weights
from scripts.wild.checking import people
from scripts.wild.checking.frames import match, read_boxes, write_boxes
from scripts.wild.checking.head import Pose, draw_person
from scripts.wild.checking.people import draw_frame
from scripts.wild.checking.scoring import as_json, by_condition, in_box, score_frame, summarise
from tests.test_imports import SOURCES, imports_of

PACKAGE = "scripts/wild/checking/"


@pytest.fixture(scope="module")
def frames():
    return [draw_frame(0, number) for number in range(16)]


def test_what_draws_people_shares_nothing_with_the_world_that_networks_learn_from():
    waiting, seen = [f"{PACKAGE}people.py"], set()
    while waiting:
        source = waiting.pop()
        seen.add(source)
        waiting += imports_of(source) - seen
    assert len(seen) > 5
    assert all(source.startswith(PACKAGE) for source in seen)
    checking = [source for source in SOURCES if source.startswith((PACKAGE, "scripts/wild/check_weights"))]
    assert not [s for source in checking for s in imports_of(source) if s.startswith("lib/synthetic")]


def test_a_number_and_a_seed_are_a_frame(frames):
    again, other, others = draw_frame(0, 7), draw_frame(0, 8), draw_frame(1, 7)
    np.testing.assert_array_equal(again.values, frames[7].values)
    np.testing.assert_array_equal(again.boxes, frames[7].boxes)
    assert again.conditions == frames[7].conditions
    for frame in (other, others):
        assert frame.values.shape != again.values.shape or (frame.values != again.values).any()


def test_frames_are_deg_c_or_grey_and_boxes_lie_in_them(frames):
    assert {frame.values.dtype for frame in frames} == {np.dtype(np.float32), np.dtype(np.uint8)}
    for values, boxes, conditions in frames:
        assert np.isfinite(values).all()
        assert values.std() > 0
        if values.dtype == np.float32:
            assert -60 < np.median(values) < 45
        height, width = values.shape
        assert boxes.shape == (len(boxes), 4)
        assert (boxes >= 0).all()
        assert (boxes[:, ::2] <= width).all()
        assert (boxes[:, 1::2] <= height).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= 2).all()
        assert (conditions["people"] == ["no face in sight"]) == (len(boxes) == 0)
        assert ("view" in conditions) == (len(boxes) > 0)


@pytest.mark.parametrize(
    ("yaw", "left", "right"),
    [(0.0, -0.57, 0.57), (1.5, 0.0, 0.9), (-1.5, -0.9, 0.0), (0.7, -0.45, 0.6)],
)
def test_the_box_reaches_from_brows_to_chin_and_from_ear_to_ear(yaw, left, right):
    unit, middle, ambient = 100, (150, 160), 20.0
    scene = np.full((320, 300), ambient, np.float32)
    rng = np.random.default_rng(3)
    pose, person = Pose(yaw, 0.0, 0.0, 0.0), replace(draw_person(rng, ambient), width=1.0, jaw=1.0)
    covered, face, _ = people._draw_one(scene, middle, unit, pose, person, ambient, rng)
    x0, y0, x1, y1 = people._box_of(face)
    assert y0 == pytest.approx(middle[1] - 0.53 * unit, abs=0.07 * unit)
    assert y1 == pytest.approx(middle[1] + 0.51 * unit, abs=0.05 * unit)
    assert x0 == pytest.approx(middle[0] + left * unit, abs=0.1 * unit)
    assert x1 == pytest.approx(middle[0] + right * unit, abs=0.1 * unit)
    assert covered[face].mean() > 0.99  # something was drawn there
    assert np.median(scene[face]) > ambient + 3


def test_who_is_seen_from_behind_has_no_face():
    scene, rng = np.full((240, 240), 20, np.float32), np.random.default_rng(0)
    person = draw_person(rng, 20.0)
    covered, face, wear = people._draw_one(scene, (120, 100), 80, Pose(3.0, 0, 0, 0), person, 20.0, rng)
    assert covered.mean() > 0.2
    assert not face.any()
    assert "glasses" not in wear


def test_a_box_is_about_what_is_in_sight():
    seen = np.zeros((50, 50), bool)
    seen[10:30, 5:25] = True
    assert people._box_of(seen) == (5, 10, 25, 30)
    seen[:, 10:] = False
    assert people._box_of(seen) == (5, 10, 10, 30)


def test_black_hot_frames_are_the_same_turned_round(frames):
    number = next(n for n, frame in enumerate(frames) if frame.values.dtype == np.uint8 and len(frame.boxes))
    turned = draw_frame(0, number, black_hot=True)
    np.testing.assert_array_equal(turned.boxes, frames[number].boxes)
    assert np.corrcoef(turned.values.ravel(), frames[number].values.ravel())[0, 1] < -0.9


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
    score = score_frame("a", label_with(*areas), np.array([(20, 20, 60, 60)]))
    assert (score.faces, score.found) == (1, found)
    assert score.inside == pytest.approx(inside)
    assert score.inside_strict == pytest.approx(strict)
    assert score.facial == pytest.approx((label_with(*areas) > 0).mean())


def test_boxes_that_overlap_count_a_pixel_once():
    score = score_frame("a", label_with((0, 0, 50, 50)), np.array([(0, 0, 50, 50), (10, 0, 60, 50), (80, 80, 99, 99)]))
    assert (score.faces, score.found, score.inside, score.inside_strict) == (3, 2, 1.0, 1.0)


def test_numbers_about_many_frames():
    box, none = np.array([(20, 20, 60, 60)]), np.zeros((0, 4))
    shows = {"wear": ["glasses", "mask"]}
    scores = [
        score_frame("good", label_with((20, 20, 60, 60)), box, shows),
        score_frame("beside", label_with((20, 20, 60, 60), (80, 80, 100, 100)), box, {"wear": ["mask"]}),
        score_frame("missed", label_with(), box),
        score_frame("quiet", label_with((0, 0, 2, 5)), none),
        score_frame("alarm", label_with((0, 0, 5, 5)), none),
    ]
    overall = summarise(scores)
    assert (overall["frames"], overall["frames_with_face"], overall["faces"]) == (5, 3, 3)
    assert overall["good"] == overall["good_strict"] == pytest.approx(1 / 3)
    assert overall["median_inside"] == pytest.approx(0.8)
    assert overall["found"] == pytest.approx(2 / 3)
    assert overall["false_alarms"] == 0.5
    wear = by_condition(scores)["wear"]
    assert (wear["glasses"]["good"], wear["mask"]["good"]) == (1.0, 0.5)
    assert wear["mask"]["false_alarms"] is None
    plain = as_json(scores)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["frames"][3]["inside"] is None


def test_boxes_are_read_as_they_are_written(tmp_path):
    boxes = {"a": np.array([(1, 2, 3.5, 4), (5, 6, 7, 8)]), "b": np.zeros((0, 4))}
    write_boxes(tmp_path / "boxes.csv", boxes)
    known = read_boxes(tmp_path / "boxes.csv")
    assert known.keys() == boxes.keys()
    for name, entry in known.items():
        np.testing.assert_array_equal(entry.boxes, boxes[name])
    assert [known[name].conditions["people"] for name in "ab"] == [["several"], ["no face in sight"]]


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
    assert match(known, ["frame1", "frame.2", "unknown"], tmp_path).keys() == {"frame1", "frame.2"}
    with pytest.raises(DataError, match="aren't in the folder: frame1"):
        match(known, ["frame.2"], tmp_path)


@pytest.fixture
def checkpoint(make_config, tmp_path):
    """An untrained network that calls everything its first class, or now and then another."""
    config = make_config()
    torch.manual_seed(0)
    path = tmp_path / "net.pth"
    torch.save({"state_dict": build_network(config).state_dict(), "config_dict": config.model_dump(mode="json")}, path)
    return path


def test_frames_are_drawn_predicted_and_scored(checkpoint, tmp_path, capsys):
    out, sheet = tmp_path / "out", tmp_path / "sheet.png"
    arguments = ["--resume", str(checkpoint), "--out_dir", str(out), "--frames", "5", "--seed", "4"]
    assert check_weights.main([*arguments, "--sheet", str(sheet), "--tiles", "2"]) == 0
    printed = capsys.readouterr().out
    assert "all frames" in printed
    assert "false alarms" in printed
    result = json.loads((out / "check.json").read_text())
    assert result["overall"]["frames"] == 5
    assert [frame["frame"] for frame in result["frames"]] == [f"check_4_{number:05d}" for number in range(5)]
    assert {"people", "sensor", "values", "place"} <= result["conditions"].keys()
    assert cv2.imread(str(sheet)).shape == (256, 6 * 320, 3)
    assert len(read_boxes(out / "boxes.csv")) == 5
    # The frames and boxes that it wrote are a user's frames as well.
    more = ["--frames_dir", str(out / "frames"), "--boxes", str(out / "boxes.csv")]
    assert check_weights.main(["--resume", str(checkpoint), "--out_dir", str(tmp_path / "again"), *more]) == 0
    again = json.loads((tmp_path / "again/check.json").read_text())
    same = ("frame", "faces", "found", "facial")
    assert [[f[k] for k in same] for f in again["frames"]] == [[f[k] for k in same] for f in result["frames"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume", "missing.pth"], "missing.pth: no such file"),
        (["--frames_dir", "somewhere"], "belong together"),
        (["--boxes", "boxes.csv"], "belong together"),
    ],
)
def test_what_is_missing_is_said(arguments, words, capsys):
    assert check_weights.main(arguments) == 2
    assert words in capsys.readouterr().err
