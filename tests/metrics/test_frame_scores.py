"""Scores of single frames, against the confusion matrix of that frame alone."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.metrics import ConfusionMatrix, boundary_scores, frame_scores, set_boundary_scores


@st.composite
def frames(draw):
    shape = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    classes = draw(st.integers(1, 5))
    prediction = draw(arrays(np.uint8, shape, elements=st.integers(0, classes - 1)))
    label = draw(arrays(np.uint8, shape, elements=st.sampled_from([*range(classes), 255])))
    return prediction, label, classes


@settings(max_examples=60, deadline=None)
@given(frames())
def test_a_frame_scores_as_a_set_of_one(frame):
    prediction, label, classes = frame
    matrix = ConfusionMatrix(classes)
    matrix.update(
        torch.from_numpy(prediction),
        torch.from_numpy(label.astype(np.int64)).where(torch.from_numpy(label != 255), torch.tensor(-1)),
    )
    expected, found = matrix.scores(), frame_scores("f", prediction, label, classes)
    assert found.miou == (None if expected["miou"] is None else pytest.approx(expected["miou"]))
    assert found.pixel_accuracy == (
        None if expected["pixel_accuracy"] is None else pytest.approx(expected["pixel_accuracy"])
    )
    assert found.iou == [entry["iou"] for entry in expected["classes"]]
    boundary = boundary_scores(prediction, label, classes)
    assert (found.boundary_f1, found.hd95) == (boundary.f1, boundary.hd95)


def test_the_largest_number_of_classes_is_counted_right():
    label = np.arange(254, dtype=np.uint8).reshape(2, 127)
    label[0, 0] = 255
    found = frame_scores("f", np.where(label == 255, 3, label).astype(np.uint8), label, 254)
    assert found.iou[0] is None
    assert found.iou[1:] == [1.0] * 253


def shifted(by):
    classes = np.zeros((20, 20), np.uint8)
    classes[5:12, 5 + by : 12 + by] = 1
    return classes


def test_a_row_has_means_and_classes_by_name():
    row = frame_scores("f1", shifted(2), shifted(0), 3).row(["room", "disc", "square"])
    assert list(row) == [
        *("frame", "miou", "pixel_accuracy", "boundary_f1", "hd95"),
        *("iou_room", "iou_disc", "iou_square"),
        *("boundary_f1_room", "boundary_f1_disc", "boundary_f1_square"),
        *("hd95_room", "hd95_disc", "hd95_square"),
    ]
    assert row["frame"] == "f1"
    assert row["iou_disc"] == pytest.approx(35 / 63)
    assert row["iou_square"] is None
    assert row["hd95_disc"] == 2
    assert row["hd95"] == pytest.approx((row["hd95_room"] + row["hd95_disc"]) / 2)


def test_a_set_has_the_means_of_the_frames_where_scores_are_defined():
    empty = np.zeros((20, 20), np.uint8)
    frames = [
        frame_scores("a", shifted(2), shifted(0), 3),
        frame_scores("b", shifted(4), shifted(0), 3),
        frame_scores("missed", empty, shifted(0), 3),
        frame_scores("empty", empty, empty, 3),
    ]
    scores = set_boundary_scores(frames, 3)
    disc = scores["classes"][1]
    assert disc["hd95"] == pytest.approx((2 + 4) / 2)
    assert disc["hd95_frames"] == 2
    assert disc["boundary_f1"] == pytest.approx((frames[0].boundary_f1[1] + frames[1].boundary_f1[1] + 0) / 3)
    assert scores["classes"][2] == {"boundary_f1": None, "hd95": None, "hd95_frames": 0}
    assert scores["hd95"] == pytest.approx((scores["classes"][0]["hd95"] + disc["hd95"]) / 2)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
