"""Comparing tests: differences worked out by hand, and folders that can't be compared."""

import csv
import json
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from lib.utils.errors import ConfigError, DataError, OutputError
from segmentor.evaluation.comparison import Comparer, unique_names

SCORES = ("iou", "dice", "precision", "recall", "boundary_f1", "hd95")
FRAMES = {"a": 0.50, "b": 0.60, "c": 0.40, "d": 0.70}


@pytest.fixture
def write(tmp_path):
    """Writes the result folder of a test."""

    def make(name, miou, frames, classes=("room", "disc"), truth=(30, 10), hd95=2.0, **others):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        metrics = {
            **{"miou": miou, "pixel_accuracy": 0.9, "boundary_f1": 0.8, "hd95": hd95, "images": len(frames)},
            "classes": [
                {"name": label, **dict.fromkeys(SCORES, miou), "hd95": hd95, "hd95_frames": 3} for label in classes
            ],
            "confusion_matrix": [[truth[0], 0], [0, truth[1]]],
            **{"checkpoint": "x.pth", "data": "val", "val_aug": "none", "mode": "ss_test", "environment": {}},
            **others,
        }
        (folder / "metrics.json").write_text(json.dumps(metrics))
        with open(folder / "frames.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["frame", "miou", "pixel_accuracy", "boundary_f1", "hd95"])
            writer.writerows([frame, score, 0.9, "", hd95 + score] for frame, score in frames.items())
        return folder

    return make


@pytest.fixture
def compare(make_config, tmp_path):
    def run(*folders):
        runs = json.dumps([str(folder) for folder in folders])
        config = make_config("phase=compare", f"compare.runs={runs}", f"test.out_dir={tmp_path / 'cmp'}")
        return Comparer(config, None).run(), tmp_path / "cmp"

    return run


def read_rows(out):
    with open(out / "compare.csv", newline="") as file:
        return {(row["class"], row["score"], row["run"]): row for row in csv.DictReader(file)}


def test_differences_are_to_the_first_run(write, compare):
    first, second = write("first", 0.55, FRAMES), write("second", 0.60, FRAMES, hd95=1.5)
    content, out = compare(first, second)
    rows = read_rows(out)
    assert rows["", "miou", "first"]["difference"] == ""
    assert float(rows["", "miou", "second"]["value"]) == pytest.approx(60)
    assert float(rows["", "miou", "second"]["difference"]) == pytest.approx(5)
    assert float(rows["", "hd95", "second"]["difference"]) == pytest.approx(-0.5)
    assert float(rows["disc", "iou", "second"]["difference"]) == pytest.approx(5)
    assert {name for name, _, _ in rows} == {"", "room", "disc"}
    assert content["first"] == "first"
    assert content["warnings"] == []
    assert json.loads((out / "compare.json").read_text()) == json.loads(json.dumps(content))
    text = re.sub(r"<[^>]*>", "", (out / "compare.html").read_text())
    assert "+5.00 \N{BLACK UP-POINTING TRIANGLE} better" in text
    assert "\N{MINUS SIGN}0.50 \N{BLACK UP-POINTING TRIANGLE} better" in text  # a smaller distance
    assert "worse" not in text.partition("A triangle")[0]


def test_frames_are_paired_by_name_with_students_interval(write, compare):
    changes = {"a": 0.02, "b": -0.01, "c": 0.05, "d": 0.0}
    other = {name: FRAMES[name] + changes[name] for name in reversed(FRAMES)}
    content, out = compare(write("first", 0.55, FRAMES), write("second", 0.56, other))
    paired = content["paired"]["second"]["miou"]
    points = 100 * np.array(list(changes.values()))
    assert paired["mean"] == pytest.approx(points.mean())
    expected = stats.t.interval(0.95, 3, points.mean(), stats.sem(points))
    assert paired["interval"] == pytest.approx(expected)
    assert (paired["count"], paired["better"], paired["worse"]) == (4, 2, 1)
    distance = content["paired"]["second"]["hd95"]  # the same changes, where smaller is better
    assert (distance["better"], distance["worse"]) == (1, 2)
    assert distance["mean"] == pytest.approx(points.mean() / 100)
    assert content["paired"]["second"]["boundary_f1"] is None  # no frame has it
    row = read_rows(out)["", "miou", "second"]
    assert float(row["interval_high"]) == pytest.approx(expected[1])


def test_only_common_frames_are_paired_and_different_ones_are_warned_of(write, compare, project_log):
    other = {"a": 0.6, "b": 0.7, "x": 0.1}
    content, out = compare(write("first", 0.55, FRAMES), write("second", 0.56, other))
    assert content["paired"]["second"]["miou"]["count"] == 2
    assert content["paired"]["second"]["miou"]["mean"] == pytest.approx(10)
    logged = [record.getMessage() for record in project_log.records if record.levelno == logging.WARNING]
    assert content["warnings"] == logged
    assert "second and first were tested on different frames: 3 and 4, 2 of them in both" in content["warnings"][0]
    assert content["warnings"][0] in (out / "compare.html").read_text()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"truth": (29, 11)}, "frames of the same names but different labels"),
        ({"val_aug": "tiaug"}, "different augmentation (val_aug: tiaug and none)"),
        ({"mode": "ms_test"}, "different modes of testing (mode: ms_test and ss_test)"),
        ({"classes": ("room", "square")}, "different classes"),
    ],
)
def test_what_speaks_against_a_comparison_is_said(write, compare, others, said):
    content, out = compare(write("first", 0.55, FRAMES), write("second", 0.56, FRAMES, **others))
    assert any(said in warning for warning in content["warnings"])
    assert ("disc", "iou", "second") not in read_rows(out) or "classes" not in others


def test_results_of_an_earlier_version_are_compared_as_far_as_they_go(write, compare):
    first, old = write("first", 0.55, FRAMES), write("old", 0.5, FRAMES)
    (old / "frames.csv").unlink()
    metrics = json.loads((old / "metrics.json").read_text())
    for entry in metrics["classes"]:
        for score in ("boundary_f1", "hd95", "hd95_frames"):
            del entry[score]
    for key in ("boundary_f1", "hd95", "mode", "environment", "data"):
        del metrics[key]
    (old / "metrics.json").write_text(json.dumps(metrics))
    content, out = compare(first, old)
    rows = read_rows(out)
    assert float(rows["disc", "iou", "old"]["difference"]) == pytest.approx(-5)
    assert rows["disc", "hd95", "old"]["value"] == ""
    assert any("no frames.csv" in warning for warning in content["warnings"])
    assert "The runs have no frame in common." in (out / "compare.html").read_text()


def test_runs_of_one_folder_name_are_told_apart():
    assert unique_names([Path("/x/a/val"), Path("/x/b/val")]) == ["a/val", "b/val"]
    assert unique_names([Path("/x/a"), Path("/x/b")]) == ["a", "b"]


def test_the_same_folder_twice_is_refused(write, compare, tmp_path):
    folder = write("first", 0.5, FRAMES)
    with pytest.raises(ConfigError, match="named twice"):
        compare(folder, tmp_path / "x" / ".." / "first")


@pytest.mark.parametrize("count", [0, 1])
def test_one_run_is_no_comparison(write, compare, count):
    with pytest.raises(ConfigError, match=f"two result folders .* got {count}.*--runs"):
        compare(*[write("first", 0.5, FRAMES)][:count])


def test_a_folder_without_metrics_is_named_with_the_remedy(write, compare, tmp_path):
    (tmp_path / "empty").mkdir()
    first = write("first", 0.5, FRAMES)
    with pytest.raises(DataError, match=r"empty: no metrics\.json in it; --runs takes result folders"):
        compare(first, tmp_path / "empty")
    with pytest.raises(DataError, match="gone: no such folder"):
        compare(first, tmp_path / "gone")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"classes": 3}', '{"classes": [{}]}', "\xff", '{"classes": []}'])
def test_what_is_no_metrics_file_is_refused_by_name(write, compare, text):
    first, broken = write("first", 0.5, FRAMES), write("broken", 0.5, FRAMES)
    (broken / "metrics.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"broken.metrics\.json: not the results"):
        compare(first, broken)


def test_a_damaged_frames_file_is_refused_by_name(write, compare):
    first, broken = write("first", 0.5, FRAMES), write("broken", 0.5, FRAMES)
    (broken / "frames.csv").write_text("frame,miou\na,much\n")
    with pytest.raises(DataError, match="broken"):
        compare(first, broken)


def test_tests_without_a_common_class_are_refused(write, compare):
    with pytest.raises(DataError, match="no class that all runs have"):
        compare(write("first", 0.5, FRAMES), write("second", 0.5, FRAMES, classes=("x", "y")))


def test_links_lead_from_the_page_to_the_runs(write, compare, tmp_path):
    _, out = compare(write("some runs/first", 0.5, FRAMES), write("second", 0.5, FRAMES))
    page = (out / "compare.html").read_text()
    assert 'href="../some%20runs/first/vis/a.png"' in page
    assert 'href="../second/report.html"' in page


def test_frames_of_any_encoding_are_compared(write, compare):
    folders = write("first", 0.5, FRAMES), write("second", 0.6, FRAMES)
    for folder in folders:
        path = folder / "frames.csv"
        path.write_bytes(path.read_bytes().replace(b"\na,", b"\ncaf\xe9,"))
    content, out = compare(*folders)
    assert content["paired"]["second"]["miou"]["count"] == len(FRAMES)
    assert 'href="../second/vis/caf%E9.png"' in (out / "compare.html").read_text(encoding="utf-8")


def test_a_comparison_replaces_its_own_files_alone(write, compare, make_config, tmp_path):
    runs = [write(name, 0.5, FRAMES) for name in ("first", "second")]
    compare(*runs)
    compare(*runs)
    (tmp_path / "cmp/compare.csv").write_text("changed by hand, and longer than it was" * 100)
    with pytest.raises(OutputError, match=r"compare\.csv.*--out_dir"):
        compare(*runs)
    config = make_config(
        *("phase=compare", f"compare.runs={json.dumps([str(run) for run in runs])}", f"test.out_dir={runs[0]}")
    )
    with pytest.raises(ConfigError, match="is read from.*--out_dir"):
        Comparer(config, None)
