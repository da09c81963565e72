"""Predictions: the files say what was in the frames, in order, whatever their number and size."""

import csv
import json
import os
import re
import threading
import time
import weakref

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import main
from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.masks import read_label_map
from lib.datasets.annotations.shapes import Codes, draw
from lib.models import build_network
from lib.thermal import ThermalFrame, ThermalSequence
from segmentor.evaluation.frame_files import FrameFiles
from segmentor.prediction import segmenter
from tests.metrics.faces import CLASS_NAMES
from tests.segmentor.prediction.thermometer import (
    Thermometer,
    breathing_sequence,
    face_frame,
    files_of,
    label_of,
    predict,
    table_of,
)

COLUMNS = "frame,time_s,region,pixels,mean,std,min,p05,median,p95,max,centroid_x,centroid_y,confidence,valid"


def test_a_folder_becomes_masks_pictures_a_video_and_a_table(face_config, network, folder, tmp_path):
    predict(face_config(folder, "predict.fps=5", "test.save_prob=y"))
    out, names = tmp_path / "out", [f"f{index}" for index in range(5)]
    for part, suffix in (("label", ".png"), ("vis", ".png"), ("prob", ".npy")):
        assert sorted(path.name for path in (out / part).iterdir()) == [name + suffix for name in names]
    for index, name in enumerate(names):
        np.testing.assert_array_equal(label_of(out, name), face_frame(index)[1])
        prob = np.load(out / "prob" / f"{name}.npy")
        assert (prob.shape, prob.dtype) == ((64, 72, 6), np.float32)
        np.testing.assert_allclose(prob.sum(-1), 1, atol=1e-5)
        np.testing.assert_array_equal(prob.argmax(-1), face_frame(index)[1])
    video = cv2.VideoCapture(str(out / "overlay.mp4"))
    assert (video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)) == (5, 5)
    assert (out / "regions.csv").read_text().splitlines()[0] == COLUMNS
    assert (out / "regions.png").read_bytes().startswith(b"\x89PNG")
    assert not list(out.rglob("*.tmp"))


def test_the_table_holds_what_the_regions_measure(face_config, network, folder, tmp_path):
    predict(face_config(folder, "predict.fps=5"))
    rows = table_of(tmp_path / "out")
    regions = [*CLASS_NAMES[1:], "nostrils", "nose_tip"]
    assert [(row["frame"], row["region"]) for row in rows] == [(f"f{i}", name) for i in range(5) for name in regions]
    for row in rows:
        index = int(row["frame"][1:])
        frame, label = face_frame(index)
        assert float(row["time_s"]) == pytest.approx(index / 5)
        if row["region"] in CLASS_NAMES:
            mask = label == CLASS_NAMES.index(row["region"])
            values, (y, x) = frame[mask].astype(np.float64), np.nonzero(mask)
            expected = [mask.sum(), values.mean(), values.std(), *np.percentile(values, (0, 5, 50, 95, 100))]
            got = [float(row[key]) for key in COLUMNS.split(",")[3:11]]
            assert got == pytest.approx(expected, abs=1e-3)
            assert (float(row["centroid_x"]), float(row["centroid_y"])) == pytest.approx((x.mean(), y.mean()), abs=0.01)
        else:
            assert 31.9 < float(row["mean"]) < 32.1
        assert 0.9 < float(row["confidence"]) <= 1
        assert row["valid"] == "1"


def test_statistics_are_numbers_wherever_there_are_pixels_and_empty_elsewhere(face_config, network, folder, tmp_path):
    np.save(folder / "f0.npy", np.full((64, 72), 20.0, np.float32))  # no face
    predict(face_config(folder, "predict.erode=2"))
    rows = table_of(tmp_path / "out")
    assert {int(row["pixels"]) > 0 for row in rows} == {True, False}
    for row in rows:
        numbers = [row[key] for key in COLUMNS.split(",")[4:14]]
        assert all(numbers) if int(row["pixels"]) else not any(numbers)
        assert row["time_s"] == ""
        assert row["valid"] == "0" or int(row["pixels"])


def test_erosion_takes_the_edges_off_what_is_measured(face_config, network, folder, tmp_path):
    sizes = {}
    for erode in (0, 1):
        predict(face_config(folder, f"predict.erode={erode}"))
        sizes[erode] = [int(row["pixels"]) for row in table_of(tmp_path / "out") if row["region"] == "chin & cheeks"]
        np.testing.assert_array_equal(label_of(tmp_path / "out", "f0"), face_frame(0)[1])
    assert (np.array(sizes[1]) < np.array(sizes[0])).all()


def test_frames_of_different_sizes_come_back_at_their_own(face_config, network, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    sizes = [(64, 72), (128, 144), (32, 36), (100, 60), (64, 72)]
    for index, size in enumerate(sizes):
        np.save(frames / f"f{index}.npy", face_frame(0, size)[0])
    predict(face_config(frames))
    for index, size in enumerate(sizes):
        label, truth = label_of(tmp_path / "out", f"f{index}"), face_frame(0, size)[1]
        assert label.shape == size
        assert (label == truth).mean() > (0.999 if size == (64, 72) else 0.8)
    assert {size[1:] for size in network.sizes} == {(1, 64, 72)}
    assert sum(size[0] for size in network.sizes) == len(sizes)
    assert (tmp_path / "out" / "overlay.mp4").exists()


def test_a_sliding_window_takes_frames_at_their_own_size(face_config, network, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for index, size in enumerate([(96, 108), (64, 72)]):
        np.save(frames / f"f{index}.npy", face_frame(index, size)[0])
    predict(face_config(frames, "test.mode=sscrop_test", "test.crop_size=[72, 64]"))
    for index, size in enumerate([(96, 108), (64, 72)]):
        np.testing.assert_array_equal(label_of(tmp_path / "out", f"f{index}"), face_frame(index, size)[1])
    assert {size[1:] for size in network.sizes} == {(1, 64, 72)}


def test_without_pictures_there_is_no_video_and_all_else_is_the_same(face_config, network, folder, tmp_path):
    found = {}
    for wanted in ("y", "n"):
        predict(face_config(folder, "predict.fps=5", f"test.save_vis={wanted}"))
        found[wanted] = files_of(tmp_path / "out")
    gone = {path for path in found["y"] if path.parent.name == "vis" or path.name == "overlay.mp4"}
    assert len(gone) == 6
    assert found["n"] == {path: content for path, content in found["y"].items() if path not in gone}


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_the_network_computes_in_the_number_format_asked_for(
    face_config, folder, tmp_path, monkeypatch, precision, dtype
):
    class Noting(Thermometer):
        def __init__(self):
            super().__init__()
            self.conv, self.dtypes = nn.Conv2d(1, 1, 1), set()
            nn.init.ones_(self.conv.weight)
            nn.init.zeros_(self.conv.bias)

        def forward(self, image):
            features = self.conv(image)
            self.dtypes.add(features.dtype)
            return super().forward(features.float())

    network = Noting()
    monkeypatch.setattr(segmenter, "build_network_with_weights", lambda config: network)
    predict(face_config(folder, f"solver.precision={precision}", "test.save_prob=y"))
    assert network.dtypes == {dtype}
    assert np.load(tmp_path / "out/prob/f0.npy").dtype == np.float32


def test_a_single_file_has_no_video_and_no_figure(face_config, network, folder, tmp_path):
    predict(face_config(folder / "f3.npy"))
    written = sorted(path.name for path in (tmp_path / "out").glob("[!.]*"))
    assert written == ["label", "labelmap.txt", "regions.csv", "vis"]
    np.testing.assert_array_equal(label_of(tmp_path / "out", "f3"), face_frame(3)[1])


@pytest.mark.parametrize("deg_c", [[], ["normalize.clip=[0, 40]"]])
def test_grey_pictures_are_segmented_and_have_no_temperatures(face_config, network, tmp_path, deg_c):
    frames = tmp_path / "frames"
    frames.mkdir()
    for index in range(2):
        grey = np.round((face_frame(index, noise=0)[0] - 20) / 18 * 250).astype(np.uint8)
        Image.fromarray(grey).save(frames / f"g{index}.png")
    predict(face_config(frames, "predict.fps=10", *deg_c))
    out = tmp_path / "out"
    for index in range(2):
        np.testing.assert_array_equal(label_of(out, f"g{index}"), face_frame(index)[1])
    for row in table_of(out):
        assert not any(row[key] for key in ("mean", "std", "min", "p05", "median", "p95", "max"))
        assert int(row["pixels"]) > 0
        assert row["centroid_x"]
        assert row["confidence"]
    assert not (out / "regions.png").exists()
    assert not list(out.glob("breathing*"))


def test_the_log_says_what_is_done_and_where_and_what_is_missing(face_config, network, tmp_path, said):
    Image.fromarray(np.arange(64 * 72).reshape(64, 72).astype(np.uint8)).save(tmp_path / "grey.png")
    predict(face_config(tmp_path / "grey.png"))
    text = "\n".join(said)
    assert "grey.png" in said[0]
    assert "net.pth" in said[0]
    assert str(tmp_path / "out") in said[0]
    assert text.count("not radiometric") == 1
    assert "1 frame in" in text
    assert "frames per second" in text


def test_faces_above_45_deg_c_are_warned_of_once(face_config, network, folder, tmp_path, said):
    """As of deg F in a cold room, where numbers as of skin are things at freezing point."""
    for path in folder.iterdir():
        frame = np.load(path)
        np.save(path, np.where(frame > 34, frame + 58, frame))
    predict(face_config(folder))
    [warning] = [text for text in said if "the warmest part of the face" in text]
    assert re.search(r"f\d: .* read as 9\d\.\d deg C.*--temp_preset fahrenheit would make it 3\d\.\d", warning)


def test_the_breathing_of_a_sequence_is_found(face_config, network, serve, tmp_path, monkeypatch):
    serve(breathing_sequence(18.0))
    monkeypatch.setattr(FrameFiles, "write", lambda self, *rest: np.zeros((8, 8, 3), np.uint8))
    predict(face_config("camera"))
    out = tmp_path / "out"
    found = json.loads((out / "breathing.json").read_text())
    assert found["breaths_per_minute"] == pytest.approx(18, abs=0.5)
    assert found["clear"] is True
    with (out / "breathing.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time_s", "nostrils", "band_passed"]
    assert [float(row["time_s"]) for row in rows] == pytest.approx(np.arange(320) / 10)
    means = [float(row["mean"]) for row in table_of(out) if row["region"] == "nostrils"]
    assert [float(row["nostrils"]) for row in rows] == pytest.approx(means)
    assert (out / "breathing.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("case", ["short", "no rate", "no nose"])
def test_without_enough_to_go_by_there_is_no_breathing(case, face_config, network, serve, tmp_path):
    sequence = breathing_sequence(18.0, count=40)
    pairs = []
    if case == "no rate":
        sequence = ThermalSequence(40, None, sequence.frames)
    if case == "no nose":
        pairs = [f"data.class_names={json.dumps([*CLASS_NAMES[:5], 'snout'])}"]
    serve(sequence)
    predict(face_config("camera", *pairs))
    assert not list((tmp_path / "out").glob("breathing*"))
    assert (tmp_path / "out" / "regions.png").exists()
    regions = {row["region"] for row in table_of(tmp_path / "out")}
    assert ("nostrils" in regions) is (case != "no nose")


def test_order_is_kept_however_long_each_frame_takes(face_config, network, serve, tmp_path, monkeypatch):
    count, write = 30, FrameFiles.write

    def slow_write(self, name, *rest):
        time.sleep(0.02 if int(name) % 2 == 0 else 0)
        write(self, name, *rest)
        return np.full((32, 32, 3), 8 * int(name), np.uint8)

    monkeypatch.setattr(FrameFiles, "write", slow_write)
    serve(
        ThermalSequence(count, 10.0, lambda: ((f"{i}", ThermalFrame(face_frame()[0], True, "")) for i in range(count)))
    )
    predict(face_config("camera"))
    frames = [row["frame"] for row in table_of(tmp_path / "out") if row["region"] == "nose"]
    assert frames == [str(index) for index in range(count)]
    video = cv2.VideoCapture(str(tmp_path / "out" / "overlay.mp4"))
    greys = [video.read()[1].mean() for _ in range(count)]
    assert greys == pytest.approx(8 * np.arange(count), abs=4)


@pytest.mark.parametrize("slow", ["reading", "network", "writing"])
def test_memory_holds_a_bounded_number_of_frames(slow, face_config, network, serve, monkeypatch):
    count, alive, peak, lock = 150, 0, 0, threading.Lock()
    pause = {"reading": 0, "network": 0, "writing": 0} | {slow: 0.002}

    def change(by):
        nonlocal alive, peak
        with lock:
            alive += by
            peak = max(peak, alive)

    def frames():
        for index in range(count):
            time.sleep(pause["reading"])
            values = face_frame(noise=0)[0]
            change(1)
            weakref.finalize(values, change, -1)
            yield f"{index}", ThermalFrame(values, True, "")

    forward = Thermometer.forward
    monkeypatch.setattr(Thermometer, "forward", lambda s, image: (time.sleep(pause["network"]), forward(s, image))[1])
    monkeypatch.setattr(
        FrameFiles, "write", lambda *rest: (time.sleep(pause["writing"]), np.zeros((8, 8, 3), np.uint8))[1]
    )
    serve(ThermalSequence(count, 10.0, frames))
    predict(face_config("camera"))
    assert peak < 40


def test_names_of_any_bytes(face_config, network, folder, tmp_path):
    name = os.fsdecode(b"J\xfcrgen")
    os.rename(folder / "f0.npy", folder / f"{name}.npy")
    predict(face_config(folder))
    assert (tmp_path / "out/label" / f"{name}.png").exists()
    assert b"J\xfcrgen," in (tmp_path / "out/regions.csv").read_bytes()


def test_the_command_takes_its_config_from_the_checkpoint(make_config, tmp_path, capsys):
    config = make_config("train.data_transformer.input_size=[40, 32]", "train_trans.random_crop.crop_size=[40, 32]")
    torch.manual_seed(0)
    checkpoint, out = tmp_path / "net.pth", tmp_path / "out"
    state = build_network(config).state_dict()
    torch.save({"state_dict": state, "config_dict": config.model_dump(mode="json")}, checkpoint)
    np.save(tmp_path / "sequence.npy", np.stack([face_frame(index)[0] for index in range(4)]))
    command = ["--phase", "predict", "--resume", str(checkpoint), "--input", str(tmp_path / "sequence.npy")]
    assert main.main([*command, "--out_dir", str(out), "--fps", "8", "--gpu", "-1"]) == 0
    assert len(list((out / "label").iterdir())) == 4
    assert {row["region"] for row in table_of(out)} == {"disc", "square"}
    said = capsys.readouterr().out
    assert "4 frame" in said
    assert str(out) in said
    assert "nostrils" in said


def test_masks_to_correct_are_written_for_a_tool_and_lead_back_to_themselves(face_config, network, folder, tmp_path):
    predict(face_config(folder, "predict.correct_in=labelme"))
    tool = tmp_path / "out/labelme"
    names = [f"f{index}" for index in range(5)]
    assert sorted(path.name for path in tool.glob("[!.]*")) == sorted(
        [*(f"{name}{end}" for name in names for end in (".json", ".png")), "labels.txt"]
    )
    found = FORMATS["labelme"].read(tool)
    assert list(found.labels) == [*CLASS_NAMES, "ignore"]
    for annotation in found.annotations:
        codes = Codes()
        drawn = draw(annotation.shapes((64, 72)), (64, 72), codes)
        label = np.array([0, *map(CLASS_NAMES.index, codes.first)])[drawn]
        truth = label_of(tmp_path / "out", annotation.name)
        for value in np.unique(truth):
            assert ((label == value) & (truth == value)).sum() >= 0.98 * ((label == value) | (truth == value)).sum()
    picture = np.asarray(Image.open(tool / "f0.png"))
    assert (picture.shape, picture.dtype) == ((64, 72), np.uint8)


def test_the_label_map_names_the_colours_of_the_masks(face_config, network, folder, tmp_path):
    predict(face_config(folder))
    named = read_label_map(tmp_path / "out/labelmap.txt")
    assert list(named) == CLASS_NAMES
    picture = Image.open(tmp_path / "out/label/f0.png")
    indices, colours = np.asarray(picture), np.asarray(picture.convert("RGB"))
    for value, name in enumerate(CLASS_NAMES):
        assert {tuple(colour) for colour in colours[indices == value].tolist()} == {named[name]}
