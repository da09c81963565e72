"""The confusion matrix and its scores, against loops over pixels and numbers worked out by hand."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.labels import LabelMap
from lib.metrics import ConfusionMatrix, format_scores
from tests.metrics.benchmark import benchmark_miou


@st.composite
def pixels(draw):
    classes = draw(st.integers(1, 5))
    count = draw(st.integers(0, 40))
    prediction = draw(st.lists(st.integers(0, classes - 1), min_size=count, max_size=count))
    label = draw(st.lists(st.integers(-1, classes - 1), min_size=count, max_size=count))
    return classes, prediction, label


def scores_of(classes, prediction, label, names=None):
    matrix = ConfusionMatrix(classes)
    matrix.update(torch.tensor(prediction, dtype=torch.int64), torch.tensor(label, dtype=torch.int64))
    return matrix.scores(names)


@given(pixels())
def test_iou_is_intersection_over_union_of_pixel_sets(case):
    classes, prediction, label = case
    labelled = [index for index, value in enumerate(label) if value != -1]
    ious = []
    for k, entry in enumerate(scores_of(*case)["classes"]):
        predicted = {index for index in labelled if prediction[index] == k}
        truth = {index for index in labelled if label[index] == k}
        both, either = len(predicted & truth), len(predicted | truth)
        if not either:
            assert entry["iou"] is None
            assert entry["dice"] is None
        else:
            ious.append(both / either)
            assert entry["iou"] == pytest.approx(both / either)
            assert entry["dice"] == pytest.approx(2 * both / (len(predicted) + len(truth)))
        assert entry["precision"] == (pytest.approx(both / len(predicted)) if predicted else None)
        assert entry["recall"] == (pytest.approx(both / len(truth)) if truth else None)
    scores = scores_of(*case)
    if ious:
        assert scores["miou"] == pytest.approx(np.mean(ious))
        assert scores["std_iou"] == pytest.approx(np.std(ious))
        right = sum(prediction[index] == label[index] for index in labelled)
        assert scores["pixel_accuracy"] == pytest.approx(right / len(labelled))
    else:
        assert scores["miou"] is scores["std_iou"] is scores["pixel_accuracy"] is None


@given(pixels(), st.integers(1, 7))
def test_batches_add_up_to_the_set(case, size):
    classes, prediction, label = case
    whole, parts = ConfusionMatrix(classes), ConfusionMatrix(classes)
    prediction, label = torch.tensor(prediction).long(), torch.tensor(label).long()
    whole.update(prediction, label)
    for start in range(0, len(label), size):
        parts.update(prediction[start : start + size], label[start : start + size])
    assert torch.equal(whole.matrix, parts.matrix)
    assert int(whole.matrix.sum()) == int((label != -1).sum())


def test_numbers_worked_out_by_hand():
    # class 0 has 2 hits in a union of 4, class 1 has 1 in a union of 3, class 2 is absent
    scores = scores_of(3, [0, 0, 1, 1, 0, 1], [0, 0, 0, 1, 1, -1], ["a", "b", "c"])
    assert scores["confusion_matrix"] == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert [entry["iou"] for entry in scores["classes"]] == [2 / 4, 1 / 3, None]
    assert [entry["dice"] for entry in scores["classes"]] == [4 / 6, 2 / 4, None]
    assert [entry["precision"] for entry in scores["classes"]] == [2 / 3, 1 / 2, None]
    assert [entry["recall"] for entry in scores["classes"]] == [2 / 3, 1 / 2, None]
    assert scores["miou"] == pytest.approx(5 / 12)
    assert scores["std_iou"] == pytest.approx(1 / 12)
    assert scores["pixel_accuracy"] == pytest.approx(3 / 5)


def test_a_class_never_predicted_counts_as_zero():
    entry = scores_of(2, [0, 0], [0, 1])["classes"][1]
    assert entry == {"name": "1", "iou": 0.0, "dice": 0.0, "precision": None, "recall": 0.0}


def test_a_class_predicted_where_it_is_not_counts_as_zero():
    scores = scores_of(2, [0, 1], [0, 0])
    assert scores["classes"][1] == {"name": "1", "iou": 0.0, "dice": 0.0, "precision": 0.0, "recall": None}
    assert scores["miou"] == pytest.approx(0.25)


def test_counts_pass_the_range_of_float32_exactly():
    matrix = ConfusionMatrix(1)
    matrix.matrix += 2**24
    matrix.update(torch.zeros(1, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))
    assert matrix.scores()["confusion_matrix"] == [[2**24 + 1]]


def test_any_shape_and_memory_layout_counts_the_same():
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randint(0, 4, (2, 5, 7), generator=generator)
    label = torch.randint(-1, 4, (2, 5, 7), generator=generator)
    straight, turned = ConfusionMatrix(4), ConfusionMatrix(4)
    straight.update(prediction, label)
    turned.update(prediction.permute(2, 0, 1), label.permute(2, 0, 1))
    assert torch.equal(straight.matrix, turned.matrix)


def test_updating_never_waits_for_the_device():
    # Fake CUDA tensors hold no values, so anything that would copy one to the host fails.
    fake = pytest.importorskip("torch._subclasses.fake_tensor")
    with fake.FakeTensorMode():
        matrix = ConfusionMatrix(6).to("cuda")
        matrix.update(
            torch.zeros(2, 8, 8, dtype=torch.int64, device="cuda"),
            torch.zeros(2, 8, 8, dtype=torch.int64, device="cuda"),
        )
        assert matrix.matrix.device.type == "cuda"
        assert matrix.matrix.shape == (6, 6)


def test_the_inputs_stay_as_they_are():
    prediction, label = torch.tensor([0, 1]), torch.tensor([-1, 1])
    ConfusionMatrix(2).update(prediction, label)
    assert prediction.tolist() == [0, 1]
    assert label.tolist() == [-1, 1]


def test_differing_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        ConfusionMatrix(2).update(torch.zeros(2).long(), torch.zeros(3).long())


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="expected 2 class names, got 1"):
        ConfusionMatrix(2).scores(["only"])


def test_scores_survive_json_and_hold_no_nan():
    scores = scores_of(3, [0], [-1])
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_the_table_names_every_class_and_marks_absent_ones():
    scores = scores_of(3, [0, 0, 1, 1], [0, 0, 0, 1], ["background", "nose", "eyes"])
    lines = format_scores(scores).splitlines()
    assert lines[1].split() == ["background", "66.67", "80.00", "100.00", "66.67"]
    assert lines[3].split() == ["eyes", "-", "-", "-", "-"]
    assert lines[4].startswith("mean")
    assert f"{100 * scores['miou']:.2f}" in lines[4]
    assert not math.isnan(scores["miou"])


def test_the_table_shows_boundary_scores_where_there_are_some():
    scores = scores_of(2, [0, 0, 1, 1], [0, 0, 0, 1], ["background", "nose"])
    assert "hd95" not in format_scores(scores)
    for entry, distance in zip(scores["classes"], (1.5, None), strict=True):
        entry |= {"boundary_f1": 0.25, "hd95": distance, "hd95_frames": 1}
    head, first, second, _ = format_scores(scores).splitlines()
    assert head.endswith("boundary f1      hd95 px")
    assert first.split()[-2:] == ["25.00", "1.50"]
    assert second.split()[-2:] == ["25.00", "-"]


@given(st.integers(0, 2**32 - 1))
def test_cityscapes_score_is_that_of_its_nineteen_classes_and_255_counts_nowhere(seed):
    rng = np.random.default_rng(seed)
    ids = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
    classes = [ids.index(value) if value in ids else -1 for value in range(34)]
    occurring = rng.choice([*range(34), 255], 12)  # so that classes are absent
    truths = [rng.choice(occurring, shape).astype(np.uint8) for shape in ((5, 7), (4, 6))]
    predictions = [rng.integers(0, 19, truth.shape) for truth in truths]
    matrix = ConfusionMatrix(19)
    for truth, prediction in zip(truths, predictions, strict=True):
        label = torch.from_numpy(LabelMap(19, classes)(truth, "label.png").astype(np.int64))
        matrix.update(torch.from_numpy(prediction), label.masked_fill(label == 255, -1))
    results = [np.array(ids)[prediction] for prediction in predictions]
    if np.isin(np.concatenate([truth.ravel() for truth in truths]), ids).any():
        assert matrix.scores()["miou"] == pytest.approx(benchmark_miou(truths, results, ids), abs=1e-12)
