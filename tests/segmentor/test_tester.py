"""Testing: the files it writes are what they say, and nothing else is touched."""

import csv
import json
import os
import re
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from PIL import Image

from lib.metrics import FrameScores, boundary_scores, frame_scores
from lib.models import build_network
from lib.utils.errors import CheckpointError, ConfigError, OutputError
from lib.utils.runtime import start_runtime
from segmentor.evaluation.report import read_examples
from segmentor.tester import Tester
from tests.processes import run_twice


@pytest.fixture
def weights(make_config, tmp_path):
    """The checkpoint of an untrained network that predicts every class somewhere."""
    torch.manual_seed(0)
    network = build_network(make_config())
    head = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)][-1]
    with torch.no_grad():
        head.bias.zero_()
        head.weight -= head.weight.mean(1, keepdim=True)
    path = tmp_path / "net.pth"
    torch.save({"state_dict": network.state_dict()}, path)
    return path


def run(config):
    with start_runtime(config) as runtime:
        return Tester(config, runtime).run()


def test_writes_masks_pictures_probabilities_and_scores(make_config, weights, data_dir, tmp_path):
    out = tmp_path / "out"
    scores = run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}", "test.save_prob=y"))
    stems = sorted(path.stem for path in (data_dir / "val" / "image").glob("*.npy"))
    for folder, suffix in (("label", ".png"), ("vis", ".png"), ("prob", ".npy")):
        assert sorted(path.name for path in (out / folder).iterdir()) == [stem + suffix for stem in stems]
    confusion = np.zeros((3, 3), int)
    for stem in stems:
        picture = Image.open(out / "label" / f"{stem}.png")
        label = np.asarray(picture)
        assert picture.mode == "P"
        prob = np.load(out / "prob" / f"{stem}.npy")
        assert prob.dtype == np.float32
        assert prob.shape == (48, 64, 3)
        assert np.allclose(prob.sum(-1), 1, atol=1e-5)
        assert (prob.argmax(-1) == label).all()
        truth = np.asarray(Image.open(data_dir / "val" / "label" / f"{stem}.png"))
        np.add.at(confusion, (truth[truth != 255], label[truth != 255]), 1)
    assert confusion.sum(0).all()  # else scores would be of one class, and the fixture no longer what it says
    written = json.loads((out / "metrics.json").read_text())
    assert written == scores
    assert written["confusion_matrix"] == confusion.tolist()
    assert written["images"] == 5
    assert written["checkpoint"] == str(weights)
    assert [c["name"] for c in written["classes"]] == ["room", "disc", "square"]
    iou = np.diag(confusion) / (confusion.sum(0) + confusion.sum(1) - np.diag(confusion))
    assert written["miou"] == pytest.approx(np.nanmean(iou))


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(rows, column):
    return [float(row[column]) for row in rows if row[column]]


def test_every_frame_has_its_scores(make_config, weights, data_dir, tmp_path):
    out = tmp_path / "out"
    metrics = run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}"))
    rows = read_rows(out / "frames.csv")
    assert [row["frame"] for row in rows] == sorted(path.stem for path in (data_dir / "val" / "image").glob("*.npy"))
    for row in rows:
        truth = np.asarray(Image.open(data_dir / "val" / "label" / f"{row['frame']}.png"))
        label = np.asarray(Image.open(out / "label" / f"{row['frame']}.png"))
        label, known = np.where(truth == 255, 9, label), truth != 255
        boundary = boundary_scores(np.where(known, label, 0).astype(np.uint8), truth, 3)
        ious = []
        for index, name in enumerate(("room", "disc", "square")):
            union = ((label == index) | (truth == index)).sum()
            ious.append(((label == index) & (truth == index)).sum() / union if union else np.nan)
            assert float(row[f"iou_{name}"] or "nan") == pytest.approx(ious[-1], nan_ok=True)
            f1, hd95 = boundary.f1[index], boundary.hd95[index]
            assert (float(row[f"boundary_f1_{name}"]) if f1 is not None else None) == (f1 and pytest.approx(f1))
            assert (float(row[f"hd95_{name}"]) if hd95 is not None else None) == (hd95 and pytest.approx(hd95))
        assert float(row["miou"]) == pytest.approx(np.nanmean(ious))
        assert float(row["pixel_accuracy"]) == pytest.approx((label == truth)[known].mean())
    for entry in metrics["classes"]:
        f1, distances = numbers(rows, f"boundary_f1_{entry['name']}"), numbers(rows, f"hd95_{entry['name']}")
        assert entry["boundary_f1"] == (pytest.approx(np.mean(f1)) if f1 else None)
        assert entry["hd95"] == (pytest.approx(np.mean(distances)) if distances else None)
        assert entry["hd95_frames"] == len(distances)
    assert metrics["boundary_tolerance"] == 0.0075


def test_what_scores_depend_on_is_written_down(make_config, weights, tmp_path):
    metrics = run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={tmp_path / 'out'}", "seed=5"))
    environment = metrics["environment"]
    assert environment["torch"] == torch.__version__
    assert environment["device"].startswith("cpu")
    assert (environment["seed"], environment["processes"], environment["precision"]) == (5, 1, "float32")


def test_the_report_stands_alone_and_its_links_lead_to_files(make_config, weights, data_dir, tmp_path):
    out = tmp_path / "out"
    run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}"))
    page = (out / "report.html").read_text()
    links = re.findall(r'href="([^"#]+)"', page)
    files = [unquote(link) for link in links if not link.startswith("data:")]
    assert {f"vis/{path.stem}.png" for path in (data_dir / "val" / "image").glob("*.npy")} <= set(files)
    assert all((out / file).is_file() for file in files)
    assert not re.findall(r"https?:", page.replace("http-equiv", ""))
    assert str(data_dir) in page  # the resolved config


@pytest.mark.parametrize("val_aug", ["none", "tiaug", "occlusion"])
def test_examples_of_the_report_are_the_frames_that_were_scored(make_config, weights, tmp_path, val_aug):
    out = tmp_path / "out"
    pairs = (f"network.resume={weights}", f"test.out_dir={out}", f"test.val_aug={val_aug}")
    config = make_config("phase=test", *pairs)
    run(config)
    mious = {row["frame"]: float(row["miou"]) for row in read_rows(out / "frames.csv")}
    scored = [FrameScores(name, miou, None, [], [], []) for name, miou in mious.items()]
    for example in read_examples(config, out, {"All": scored})["All"]:
        again = frame_scores(example.name, example.prediction, example.truth, 3)
        assert again.miou == pytest.approx(mious[example.name])


def test_names_of_any_encoding_are_reported(make_config, weights, data_dir, tmp_path):
    name = os.fsdecode(b"caf\xe9")
    for folder, suffix in (("image", ".npy"), ("label", ".png")):
        (tmp_path / "frames" / folder).mkdir(parents=True)
        source = min((data_dir / "val" / folder).iterdir())
        (tmp_path / "frames" / folder / f"{name}{suffix}").write_bytes(source.read_bytes())
    out = tmp_path / "out"
    run(
        make_config(
            "phase=test", f"network.resume={weights}", f"test.test_dir={tmp_path / 'frames'}", f"test.out_dir={out}"
        )
    )
    assert b"caf\xe9,0." in (out / "frames.csv").read_bytes()
    assert 'href="vis/caf%E9.png"' in (out / "report.html").read_text(encoding="utf-8")
    assert os.fsencode(out / "vis" / "caf") + b"\xe9.png" in map(os.fsencode, (out / "vis").iterdir())


def unlabelled_frames(folder):
    folder.mkdir(parents=True)
    for index, shape in enumerate([(48, 64), (48, 64), (51, 33)]):
        np.save(folder / f"f{index}.npy", np.random.default_rng(index).uniform(20, 35, shape).astype(np.float32))
    return folder


def test_frames_without_labels_get_masks_alone(make_config, weights, tmp_path, project_log):
    frames, out = unlabelled_frames(tmp_path / "frames"), tmp_path / "out"
    config = make_config("phase=test", f"network.resume={weights}", f"test.test_dir={frames}", f"test.out_dir={out}")
    assert run(config) is None
    assert "3 frames without labels" in project_log.text
    assert Image.open(out / "label" / "f2.png").size == (33, 51)
    assert not {"metrics.json", "frames.csv", "report.html"} & {path.name for path in out.iterdir()}


def test_labels_that_are_ignored_everywhere_are_called_that(make_config, weights, tmp_path, project_log):
    unlabelled_frames(tmp_path / "frames" / "image")
    (tmp_path / "frames" / "label").mkdir()
    for index, size in enumerate([(64, 48), (64, 48), (33, 51)]):
        Image.new("L", size, 255).save(tmp_path / "frames" / "label" / f"f{index}.png")
    out = tmp_path / "out"
    pairs = (f"network.resume={weights}", f"test.test_dir={tmp_path / 'frames'}", f"test.out_dir={out}")
    assert run(make_config("phase=test", *pairs)) is None
    assert "every pixel of the labels of all 3 frames is ignored" in project_log.text
    assert "data.remap_classes" in project_log.text
    assert "without labels" not in project_log.text
    assert (out / "label" / "f0.png").exists()
    assert not (out / "metrics.json").exists()


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_earlier_test_leaves_nothing_behind_but_others_files_stay(make_config, weights, tmp_path):
    out, frames = tmp_path / "out", unlabelled_frames(tmp_path / "frames")
    pairs = ("phase=test", f"network.resume={weights}", f"test.out_dir={out}")
    run(make_config(*pairs, "test.save_prob=y"))
    (out / "notes.txt").write_text("mine")
    run(make_config(*pairs, f"test.test_dir={frames}"))
    left = [name for name in names_in(out) if not name.startswith(".written")]
    assert left == sorted(["notes.txt", *(f"{part}/f{index}.png" for part in ("label", "vis") for index in range(3))])


@pytest.mark.parametrize("name", ["label/mine.png", "prob/mine.npy", "metrics.json", "report.html"])
def test_what_others_wrote_is_never_replaced_or_removed(make_config, weights, tmp_path, name):
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("mine")
    with pytest.raises(OutputError, match=rf"{re.escape(name)}.*--out_dir"):
        run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}"))
    assert names_in(out) == [name]


def test_what_a_killed_test_left_goes_and_nothing_outside_its_folder(make_config, weights, tmp_path):
    out = tmp_path / "out"
    for name in ("out/label/old.png", "out/vis/old.png", "outside.png", "out/outside.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (out / ".written-3.jsonl").write_text('"old"\n"../outside"\n"../../outside"\n7\n"cut o')
    run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}"))
    assert not {"label/old.png", "vis/old.png", ".written-3.jsonl"} & set(names_in(out))
    assert (tmp_path / "outside.png").exists()
    assert (out / "outside.png").exists()


@pytest.mark.parametrize("where", ["", "val", "train"])
def test_results_never_go_where_labels_come_from(make_config, weights, data_dir, where):
    config = make_config("phase=test", f"network.resume={weights}", f"test.out_dir={data_dir / where}")
    with pytest.raises(ConfigError, match="is read from.*--out_dir"):
        run(config)


@pytest.mark.parametrize(("frames", "out"), [("x", "x"), ("x/image", "x"), ("x", "y/../x"), ("x", "x/image")])
def test_results_never_go_into_the_tested_folder(make_config, weights, tmp_path, frames, out):
    (tmp_path / "y").mkdir()
    unlabelled_frames(tmp_path / frames)
    pairs = (f"test.test_dir={tmp_path / frames}", f"test.out_dir={tmp_path / out}")
    with pytest.raises(ConfigError, match="is read from.*masks for the truth"):
        run(make_config("phase=test", f"network.resume={weights}", *pairs))


def test_the_mode_of_testing_is_used_and_named(make_config, weights, tmp_path):
    pairs = ("phase=test", f"network.resume={weights}", f"test.out_dir={tmp_path / 'out'}")
    plain = run(make_config(*pairs))
    scaled = run(make_config(*pairs, "test.mode=ms_test", "test.scale_search=[0.5]"))
    assert (plain["mode"], scaled["mode"]) == ("ss_test", "ms_test")
    assert plain["confusion_matrix"] != scaled["confusion_matrix"]


def test_two_processes_write_what_one_writes(make_config, weights, tmp_path):
    alone, both = (
        make_config("phase=test", f"network.resume={weights}", f"test.out_dir={tmp_path / name}", "test.save_prob=y")
        for name in ("alone", "both")
    )
    run(alone)
    run_twice(run, both)
    assert read_rows(tmp_path / "alone" / "frames.csv") == read_rows(tmp_path / "both" / "frames.csv")
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("alone", "both"))
    assert (one["environment"].pop("processes"), two["environment"].pop("processes")) == (1, 2)
    for changing in ("time", "frames_per_second"):
        for metrics in (one, two):
            metrics.pop(changing, None)
            metrics["environment"].pop(changing, None)
    assert one == two
    # Each process lists its own frames, and the next test clears up after both.
    listings = sorted((tmp_path / "both").glob(".written-*"))
    assert [sum("label/" in line for line in path.read_text().splitlines()) for path in listings] == [6, 4]
    run(both)
    assert [path.name for path in (tmp_path / "both").glob(".written-*")] == [".written-results-0.jsonl"]


def test_no_checkpoint_names_resume(make_config):
    with pytest.raises(CheckpointError, match="--resume"):
        run(make_config("phase=test"))


def test_missing_checkpoint_is_named(make_config, tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pth"):
        run(make_config("phase=test", f"network.resume={tmp_path / 'gone.pth'}"))


@pytest.mark.parametrize("val_aug", ["tiaug", "occlusion"])
def test_augmented_validation_scores_other_frames_than_the_plain_one(make_config, weights, tmp_path, val_aug):
    def scores(name, *pairs):
        return run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={tmp_path / name}", *pairs))

    plain, hard = scores("plain"), scores("hard", f"test.val_aug={val_aug}")
    assert (plain["val_aug"], hard["val_aug"]) == ("none", val_aug)
    assert plain["images"] == hard["images"] == 5
    assert plain["confusion_matrix"] != hard["confusion_matrix"]
    assert (
        hard["confusion_matrix"]
        == scores("again", f"test.val_aug={val_aug}", "test.batch_size=5", "seed=9")["confusion_matrix"]
    )
