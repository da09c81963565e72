"""What a prediction neither replaces nor removes, and what it leaves when a frame, the disk or a person ends it."""

import csv
import io
import os
import re
import signal
import time

import cv2
import numpy as np
import pytest

from lib.datasets.annotations.formats import FORMATS
from lib.thermal import ThermalFrame, ThermalSequence
from lib.utils.errors import CheckpointError, ConfigError, DataError, Interrupted, OutputError
from segmentor.evaluation.frame_files import FrameFiles
from tests.segmentor.prediction.thermometer import (
    face_frame,
    files_of,
    label_of,
    predict,
    table_of,
)


def test_what_an_earlier_prediction_left_is_gone_and_what_others_wrote_stays(face_config, network, folder, tmp_path):
    first, second = sorted(folder.glob("*.npy"))[:2]
    predict(face_config(first, "test.save_prob=y"))
    (tmp_path / "out/notes.txt").write_text("mine")
    predict(face_config(second))
    left = {path.stem for path in files_of(tmp_path / "out")}
    assert left == {second.stem, "regions", "notes", "labelmap"}


def test_labels_that_no_prediction_wrote_are_never_replaced_or_removed(face_config, network, folder, tmp_path):
    (tmp_path / "out/label").mkdir(parents=True)
    (tmp_path / "out/label/f0.png").write_text("drawn by hand")
    before = files_of(tmp_path)
    for frames in (folder, folder / "f0.npy", folder / "f3.npy"):
        with pytest.raises(OutputError, match=r"label/f0\.png.*--out_dir"):
            predict(face_config(frames))
        assert files_of(tmp_path) == before


def test_a_predicted_label_that_was_mended_by_hand_stays(face_config, network, folder, tmp_path):
    predict(face_config(folder))
    (tmp_path / "out/label/f0.png").write_text("mended by hand")
    os.utime(tmp_path / "out/label/f0.png", (0, 0))
    before = files_of(tmp_path)
    with pytest.raises(OutputError, match=r"changed since.*label/f0\.png"):
        predict(face_config(folder))
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", ["overlay.mp4", "regions.csv", "breathing.json", "skipped.csv"])
def test_files_of_others_that_are_called_as_results_stay(face_config, network, folder, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(OutputError, match=re.escape(name)):
        predict(face_config(folder))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("x", "x"),
        ("x/image", "x"),
        ("x", "x/image"),
        ("x/image", "y/../x"),
        ("link", "x"),
        ("x/image", "x/image"),
        ("x", "x/label"),
    ],
)
def test_results_never_go_into_the_folder_of_the_frames(face_config, network, folder, tmp_path, source, out):
    (tmp_path / "x/label").mkdir(parents=True)
    (tmp_path / "y").mkdir()
    (tmp_path / "link").symlink_to("x")
    folder.rename(tmp_path / "x/image")
    before = files_of(tmp_path)
    with pytest.raises(ConfigError, match="--out_dir"):
        predict(face_config(tmp_path / source, f"test.out_dir={tmp_path / out}"))
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("source", ["overlay.mp4", "regions.png", "label", "vis", "vis/f1.png", "-"])
def test_results_are_not_removed_before_they_are_read(face_config, network, folder, tmp_path, source, monkeypatch):
    predict(face_config(folder))
    before, out = files_of(tmp_path), tmp_path / "out"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{out / 'vis/f1.png'}\n{out / 'label/f2.png'}\n"))
    with pytest.raises(ConfigError, match="is read.*--out_dir"):
        predict(face_config("-" if source == "-" else out / source))
    assert files_of(tmp_path) == before


def test_a_frame_may_lie_beside_its_results(face_config, network, folder, tmp_path):
    (tmp_path / "out").mkdir()
    (folder / "f0.npy").rename(tmp_path / "out/f0.npy")
    for _ in range(2):
        predict(face_config(tmp_path / "out/f0.npy"))
    np.testing.assert_array_equal(label_of(tmp_path / "out", "f0"), face_frame(0)[1])


def test_masks_that_a_person_corrected_are_not_replaced(face_config, network, folder, tmp_path):
    predict(face_config(folder, "predict.correct_in=labelme"))
    predict(face_config(folder, "predict.correct_in=labelme"))
    corrected = tmp_path / "out/labelme/f3.json"
    corrected.write_text(corrected.read_text() + " " * 9)
    for pairs in (["predict.correct_in=labelme"], []):
        with pytest.raises(OutputError, match=r"changed since \(labelme/f3\.json\)"):
            predict(face_config(folder, *pairs))
    assert corrected.exists()
    assert (tmp_path / "out/labelme/f3.png").exists()


def damage(path):
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_a_damaged_frame_ends_it_and_what_was_before_it_is_there(face_config, network, folder, tmp_path, batch_size):
    predict(face_config(folder))
    damage(folder / "f3.npy")
    with pytest.raises(DataError, match=r"f3\.npy"):
        predict(face_config(folder, f"test.batch_size={batch_size}", "predict.fps=5"))
    out = tmp_path / "out"
    names = [f"f{index}" for index in range(3)]
    for part in ("label", "vis"):
        assert sorted(path.stem for path in (out / part).iterdir()) == names
    assert [row["frame"] for row in table_of(out) if row["region"] == "nose"] == names
    assert cv2.VideoCapture(str(out / "overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert (out / "regions.png").exists()
    assert not list(out.rglob("*.tmp"))


def test_a_first_frame_that_is_damaged_leaves_everything_as_it_was(face_config, network, folder, tmp_path):
    predict(face_config(folder))
    before = files_of(tmp_path / "out")
    for path in folder.iterdir():
        damage(path)
    with pytest.raises(DataError, match=r"f0\.npy"):
        predict(face_config(folder))
    with pytest.raises(DataError, match=r"none of 5 files can be read[^$]*f0\.npy[^$]*f4\.npy"):
        predict(face_config(folder, "data.on_bad_sample=skip"))
    assert files_of(tmp_path / "out") == before
    with pytest.raises(DataError, match=r"f0\.npy"):
        predict(face_config(folder, f"test.out_dir={tmp_path / 'new/out'}"))
    assert not (tmp_path / "new").exists()


def test_damaged_frames_are_left_out_if_that_is_asked_for(face_config, network, folder, tmp_path, said):
    for index in (0, 3):
        damage(folder / f"f{index}.npy")
    with pytest.raises(DataError, match=r"2 of 5 .*skipped\.csv[^$]*f0\.npy[^$]*f3\.npy"):
        predict(face_config(folder, "data.on_bad_sample=skip", "predict.fps=5"))
    out = tmp_path / "out"
    rows = [row for row in table_of(out) if row["region"] == "nose"]
    # The time of what was left out passes.
    assert [(row["frame"], float(row["time_s"])) for row in rows] == [("f1", 0.2), ("f2", 0.4), ("f4", 0.8)]
    for index in (1, 2, 4):
        np.testing.assert_array_equal(label_of(out, f"f{index}"), face_frame(index)[1])
    with (out / "skipped.csv").open(newline="") as file:
        skipped = list(csv.DictReader(file))
    assert [row["name"] for row in skipped] == ["f0.npy", "f3.npy"]
    assert all(row["name"] in row["reason"] for row in skipped)
    (folder / "f0.npy").unlink()
    (folder / "f3.npy").unlink()
    predict(face_config(folder, "data.on_bad_sample=skip"))
    assert not (out / "skipped.csv").exists()


def test_damaged_files_named_on_standard_input_are_left_out(face_config, network, folder, tmp_path, monkeypatch):
    damage(folder / "f1.npy")
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{path}\n" for path in sorted(folder.iterdir()))))
    with pytest.raises(DataError, match=r"1 of 5 .*skipped\.csv[^$]*f1\.npy"):
        predict(face_config("-", "data.on_bad_sample=skip"))
    assert len(list((tmp_path / "out/label").iterdir())) == 4


def test_what_was_measured_is_written_when_a_later_frame_cant_be(face_config, network, folder, tmp_path, monkeypatch):
    write = FrameFiles.write

    def full(self, name, *rest):
        if name == "f3":
            raise OSError("no space left on device")
        return write(self, name, *rest)

    monkeypatch.setattr(FrameFiles, "write", full)
    with pytest.raises(OSError, match="no space"):
        predict(face_config(folder, "test.batch_size=1"))
    rows = [row["frame"] for row in table_of(tmp_path / "out") if row["region"] == "nose"]
    assert "f0" in rows
    assert "f3" not in rows


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Interrupted)])
def test_what_was_measured_is_written_when_it_is_stopped(face_config, network, serve, tmp_path, number, error):
    def frames():
        for index in range(1000):
            if index == 40:
                os.kill(os.getpid(), number)
            if index > 40:
                time.sleep(0.05)
            yield f"{index}", ThermalFrame(face_frame()[0], True, "")

    serve(ThermalSequence(1000, 10.0, frames))
    with pytest.raises(error):
        predict(face_config("camera", "predict.correct_in=cvat"))
    measured = {row["frame"] for row in table_of(tmp_path / "out")}
    assert 3 < len(measured) < 60
    assert {one.name for one in FORMATS["cvat"].read(tmp_path / "out/cvat").annotations} == measured
    assert not list((tmp_path / "out").rglob(".*tmp*"))


def test_an_error_in_writing_is_raised(face_config, network, folder, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(FrameFiles, "write", full)
    with pytest.raises(OSError, match="no space"):
        predict(face_config(folder))
    assert not (tmp_path / "out" / "regions.csv").exists()


def test_no_frames_is_an_error(face_config, network, serve):
    serve(ThermalSequence(None, None, lambda: iter(())))
    with pytest.raises(DataError, match="no frames"):
        predict(face_config("-"))


@pytest.mark.parametrize(
    ("pairs", "error", "words"),
    [
        (["network.resume=null"], CheckpointError, "--resume FILE"),
        (["predict.input=null"], ConfigError, "--input"),
        (["data.num_channels=3"], ConfigError, "data.num_channels 3"),
        (["predict.input=/nowhere/x"], DataError, "/nowhere/x: no such file or folder"),
    ],
)
def test_what_is_missing_is_named(face_config, network, pairs, error, words):
    with pytest.raises(error, match=words):
        predict(face_config("x.npy", *pairs))
