"""What a test reports of all its frames: examples, learning curves, and pages that no name can break."""

import json
import re
from html import unescape

import numpy as np
import pytest

from lib.metrics import FrameScores, frame_scores
from segmentor.evaluation.report import choose_examples, learning_curves, read_examples, write_results


def scored(**mious):
    return [FrameScores(name, miou, miou, [], [], []) for name, miou in mious.items()]


def names(groups):
    return {heading: [frame.name for frame in group] for heading, group in groups.items()}


def test_examples_are_the_worst_the_middle_and_the_best():
    frames = scored(**{f"f{index:02}": ((7 * index) % 31) / 31 for index in range(31)})
    ranked = [frame.name for frame in sorted(frames, key=lambda frame: frame.miou)]
    assert names(choose_examples(frames)) == {
        "Worst": ranked[:3],
        "Median": ranked[14:17],
        "Best": [ranked[30], ranked[29], ranked[28]],
    }


@pytest.mark.parametrize("count", [3, 4, 5, 8, 9, 10])
def test_few_frames_give_fewer_examples_and_none_twice(count):
    groups = choose_examples(scored(**{f"f{index}": index / 10 for index in range(count)}))
    shown = [frame.name for group in groups.values() for frame in group]
    assert len(shown) == len(set(shown)) == 3 * min(3, count // 3)


@pytest.mark.parametrize(("mious", "shown"), [({}, set()), ({"a": None}, set()), ({"a": 0.5, "b": None}, {"a"})])
def test_frames_without_a_score_are_no_examples(mious, shown):
    assert {name for group in names(choose_examples(scored(**mious))).values() for name in group} == shown


def test_equal_scores_are_ordered_by_name():
    groups = names(choose_examples(scored(c=0.5, a=0.5, b=0.5)))
    assert groups == {"Worst": ["a"], "Median": ["b"], "Best": ["c"]}


def history(tmp_path, text, name="net_history.csv"):
    (tmp_path / name).write_text(text)
    return tmp_path / "net_max_performance.pth"


HISTORY = """iteration,kind,name,value
10,loss,seg_loss,2.5
10,loss,gcl_loss,0.5
10,loss,total,3.0
20,loss,seg_loss,1.5
20,loss,gcl_loss,0.25
20,loss,total,1.75
20,validation,miou,0.4
20,validation,loss,2.25
20,iou,disc,0.3
"""


@pytest.mark.parametrize("kind", ["latest", "max_performance", "min_loss", "previous", "previous_2"])
def test_learning_curves_come_from_the_table_beside_any_checkpoint_of_a_run(tmp_path, kind):
    history(tmp_path, HISTORY)
    assert learning_curves(tmp_path / f"net_{kind}.pth") == {
        "Training loss": {
            "seg_loss": [(10, 2.5), (20, 1.5)],
            "gcl_loss": [(10, 0.5), (20, 0.25)],
            "total": [(10, 3.0), (20, 1.75)],
        },
        "Validation IoU": {"mean": [(20, 0.4)], "disc": [(20, 0.3)]},
        "Validation loss": {"loss": [(20, 2.25)]},
    }


def test_the_sum_of_a_single_loss_is_left_out(tmp_path):
    lines = [line for line in HISTORY.splitlines(keepends=True) if "gcl" not in line]
    assert list(learning_curves(history(tmp_path, "".join(lines)))["Training loss"]) == ["seg_loss"]


@pytest.mark.parametrize("text", [None, "", "not,a,history\n1,2\n", "iteration,kind,name,value\n10,loss,a,"])
def test_without_a_usable_history_there_are_no_curves(tmp_path, text):
    assert learning_curves(history(tmp_path, text) if text is not None else tmp_path / "net_latest.pth") == {}


def test_weights_that_no_run_wrote_have_no_curves(tmp_path):
    history(tmp_path, HISTORY, "None_history.csv")
    assert learning_curves(tmp_path / "weights.pth") == {}


EVIL = "</td><script>alert(1)</script>&\"'"


@pytest.fixture
def evil(make_config, data_dir, tmp_path):
    """A config, a folder with the results of two frames of dangerous names, and their scores."""
    frames = tmp_path / "frames"
    config = make_config(
        "phase=test",
        f"test.test_dir={frames}",
        f"network.resume={tmp_path / 'net.pth'}",
        'data.class_names=["<b>room</b>", "a&b", "\'x\\""]',
    )
    stems = [EVIL.replace("/", "_"), "100% #1?.x"]
    scores = []
    for folder in ("frames/image", "frames/label", "out/label", "out/vis"):
        (tmp_path / folder).mkdir(parents=True)
    for stem, source in zip(stems, sorted((data_dir / "val" / "image").iterdir()), strict=False):
        (tmp_path / "frames/image" / f"{stem}.npy").write_bytes(source.read_bytes())
        label = (data_dir / "val" / "label" / f"{source.stem}.png").read_bytes()
        (tmp_path / "frames/label" / f"{stem}.png").write_bytes(label)
        (tmp_path / "out/label" / f"{stem}.png").write_bytes(label)
        square = np.kron([[0, 1], [2, 0]], np.ones((24, 32))).astype(np.uint8)
        scores.append(frame_scores(stem, square, np.roll(square, 3, 0), 3))
    return config, tmp_path / "out", scores


def metrics_of(config):
    entry = {"iou": 0.5, "dice": 0.6, "precision": None, "recall": 0.7, "boundary_f1": 0.8, "hd95": 1.5}
    return {
        **{"miou": 0.5, "std_iou": 0.1, "pixel_accuracy": 0.9, "boundary_f1": 0.8, "hd95": None, "images": 2},
        "classes": [{"name": name, **entry, "hd95_frames": 2} for name in config.data.names],
        "confusion_matrix": [[5, 1, 0], [0, 0, 0], [1, 2, 3]],
        **{"boundary_tolerance": 0.0075, "checkpoint": EVIL, "data": EVIL, "val_aug": "none"},
        **{"frames_per_second": 3.0, "environment": {"device": EVIL}},
    }


def test_no_name_becomes_markup(evil):
    config, out, scores = evil
    page = write_results(config, out, metrics_of(config), scores).read_text()
    assert page.count("<script") == 1
    assert "alert(1)" in unescape(re.sub(r"<[^>]*>", "", page.partition("<main>")[2]))  # shown as text
    assert "<b>room" not in page
    assert json.loads((out / "metrics.json").read_text())["data"] == EVIL


def test_links_of_any_name_lead_to_its_picture(evil):
    config, out, scores = evil
    page = write_results(config, out, metrics_of(config), scores).read_text()
    assert 'href="vis/100%25%20%231%3F.x.png"' in page


def test_many_classes_are_left_to_the_files(evil):
    config, out, scores = evil
    names = [f"class {index}" for index in range(200)]
    config = config.model_copy(
        update={"data": config.data.model_copy(update={"num_classes": 200, "class_names": names, "palette": None})}
    )
    lists = {"iou": [0.5] * 200, "boundary_f1": [0.5] * 200, "hd95": [None] * 200}
    frames = [FrameScores(frame.name, frame.miou, 0.5, **lists) for frame in scores]
    metrics = metrics_of(config) | {"confusion_matrix": np.eye(200, dtype=int).tolist()}
    page = write_results(config, out, metrics, frames).read_text()
    assert len(page) < 500_000
    assert "see confusion_matrix in" in page


def test_frames_whose_masks_are_elsewhere_are_no_examples(evil):
    config, out, scores = evil
    (out / "label" / f"{scores[0].name}.png").unlink()
    assert list(read_examples(config, out, {"Worst": scores[:1], "Best": scores[1:]})) == ["Best"]


def test_examples_hold_frame_truth_and_prediction_as_they_were(evil, data_dir):
    config, out, scores = evil
    groups = read_examples(config, out, {"Worst": scores[:1], "Best": scores[1:]})
    source = sorted((data_dir / "val" / "image").iterdir())[0]
    example = groups["Worst"][0]
    assert example.name == scores[0].name
    assert np.array_equal(example.frame, np.load(source))
    assert np.array_equal(example.truth, example.prediction)  # the fixture predicts the truth
    assert set(np.unique(example.truth)) <= {0, 1, 2, 255}
    assert groups["Best"][0].name == scores[1].name
