"""Predictions against masks: scores of one frame by hand, of many against the confusion matrix, by condition."""

import math

import numpy as np
import pytest
import torch

from lib.metrics.confusion import ConfusionMatrix
from lib.metrics.masks import mask_scores, masks_as_json, summarise_masks

NAMES = ["background", "chin", "nose"]


def frame(rows) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_a_frame_by_hand():
    truth = frame([[0, 1, 1, 255], [0, 1, 2, 0], [0, 0, 0, 0]])
    prediction = frame([[0, 1, 2, 1], [0, 1, 2, 2], [0, 0, 0, 0]])
    score = mask_scores("a", prediction, truth, 3)
    assert score.counts.tolist() == [[6, 0, 1], [0, 2, 1], [0, 0, 1]]
    assert score.inside == 4 / 5
    assert score.found
    assert score.facial == 5 / 11
    assert score.miou == pytest.approx((6 / 7 + 2 / 3 + 1 / 3) / 3)


def test_a_face_of_which_little_is_called_face_is_not_found():
    truth = np.zeros((20, 20), np.uint8)
    truth[5:15, 5:15] = 1
    prediction = np.zeros_like(truth)
    prediction[5:7, 5:15] = 2
    assert mask_scores("a", prediction, truth, 3).found
    prediction[6, 14] = 0
    score = mask_scores("a", prediction, truth, 3)
    assert not score.found
    assert score.inside == 1
    assert mask_scores("a", np.zeros_like(truth), truth, 3).inside == 0


def test_without_a_face_there_is_nothing_to_find():
    truth, prediction = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint8)
    prediction[0, 0] = 1
    alarm, quiet = mask_scores("a", prediction, truth, 3), mask_scores("b", truth, truth, 3)
    assert math.isnan(alarm.inside)
    assert not alarm.has_face
    summary = summarise_masks([alarm, quiet], NAMES)
    assert (summary["frames_with_face"], summary["good"], summary["found"]) == (0, None, None)
    assert summary["false_alarms"] == 0.5
    assert summary["iou"] == {"background": 0.995, "chin": 0, "nose": None}


def test_the_scores_of_a_set_are_those_of_one_confusion_matrix():
    rng = np.random.default_rng(0)
    truths, predictions = rng.integers(0, 3, (2, 5, 12, 9), np.uint8)
    truths[rng.random(truths.shape) < 0.1] = 255
    matrix = ConfusionMatrix(3, 255)
    matrix.update(torch.from_numpy(predictions), torch.from_numpy(truths))
    expected = matrix.scores(NAMES)
    scores = [mask_scores(str(index), predictions[index], truths[index], 3) for index in range(5)]
    summary = summarise_masks(scores, NAMES)
    assert summary["miou"] == pytest.approx(expected["miou"])
    assert summary["iou"] == {entry["name"]: pytest.approx(entry["iou"]) for entry in expected["classes"]}


def test_frames_are_summarised_by_what_is_known_of_them():
    truth = frame([[0, 1], [1, 2]])
    scores = [mask_scores(name, truth if name < "c" else 0 * truth, truth, 3) for name in "abcd"]
    result = masks_as_json(scores, NAMES, {"glasses": {"a": "no", "b": "no", "c": "yes"}, "hat": {}})
    assert result["conditions"]["hat"] == {}
    assert {value: row["frames"] for value, row in result["conditions"]["glasses"].items()} == {"no": 2, "yes": 1}
    assert result["conditions"]["glasses"]["no"]["miou"] == 1
    assert result["conditions"]["glasses"]["yes"]["good"] == 0
    assert result["overall"]["found"] == 0.5
    assert [row["frame"] for row in result["frames"]] == list("abcd")


def test_no_frames_have_no_scores():
    summary = summarise_masks([], NAMES)
    assert summary["frames"] == 0
    assert summary["miou"] is summary["good"] is summary["false_alarms"] is None
