"""Phase check on the command line, and the part of it that training begins with."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.datasets.build import build_train_loader
from lib.utils.distributed import World
from lib.utils.errors import ConfigError, DataError, OutputError
from lib.utils.runtime import start_runtime
from main import main
from segmentor.checking.data import Checker, check_before_training
from segmentor.trainer import Trainer
from tests.conftest import draw_frame

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def faces(tmp_path):
    """``{train,val}`` of two subjects each, two frames a subject, drawn as the discs are."""
    import cv2

    root, rng = tmp_path / "faces", np.random.default_rng(0)
    for subject in range(4):
        for frame in range(2):
            folder = root / ("val" if subject > 1 else "train")
            for part in ("image", "label"):
                (folder / part).mkdir(parents=True, exist_ok=True)
            values, label = draw_frame(rng)
            name = f"irface_sub00{subject}_seq01_frm{frame}"
            np.save(folder / "image" / f"{name}.npy", values)
            cv2.imwrite(str(folder / "label" / f"{name}.png"), label)
    return root


def leak(root):
    """Give the validation set a frame of a training subject."""
    for part, ending in (("image", ".npy"), ("label", ".png")):
        source = root / "val" / part / f"irface_sub002_seq01_frm0{ending}"
        source.rename(source.with_name(f"irface_sub000_seq01_frm7{ending}"))


def spoil(root, split="train"):
    """Put a NaN into the first frame of a split."""
    path = sorted((root / split / "image").iterdir())[0]
    frame = np.load(path)
    frame[3, 4] = np.nan
    np.save(path, frame)
    return path


def run_check(make_config, root, tmp_path, *pairs):
    config = make_config("phase=check", f"data.data_dir={root}", f"test.out_dir={tmp_path / 'out'}", *pairs)
    with start_runtime(config) as runtime:
        return Checker(config, runtime).run()


def arguments(tmp_path, root, *more):
    """Of the command line that checks a folder."""
    return [*map(str, ["--configs", tmp_path / "discs.yaml", "--phase", "check", "--data_dir", root, *more])]


def test_processes_find_what_one_finds(make_config, faces, tmp_path, monkeypatch):
    alone = run_check(make_config, faces, tmp_path)
    monkeypatch.setattr("lib.datasets.check.report.FRAMES_OF_A_WORKER", 1)
    monkeypatch.setattr("lib.datasets.check.report.available_cores", lambda: 2)
    assert run_check(make_config, faces, tmp_path) == alone
    bad = spoil(faces)
    with pytest.raises(DataError):
        run_check(make_config, faces, tmp_path)
    [error] = json.loads((tmp_path / "out/check.json").read_text())["errors"]
    assert str(bad) in json.dumps(error)


def test_good_data_end_with_status_0_and_a_quiet_stderr(make_config, faces, tmp_path):
    make_config()
    command = [sys.executable, ROOT / "main.py", *arguments(tmp_path, faces)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    assert "no errors" in result.stdout
    content = json.loads((tmp_path / "check/check.json").read_text())
    assert content["errors"] == content["warnings"] == []
    assert content["splits"]["train"]["subjects"] == {"sub000": 2, "sub001": 2}


def test_faults_end_with_status_1_after_all_were_told(make_config, faces, tmp_path, capsys):
    make_config()
    leak(faces)
    spoiled = spoil(faces)
    assert main(arguments(tmp_path, faces, "--out_dir", tmp_path / "elsewhere")) == 1
    printed = capsys.readouterr()
    assert "sub000" in printed.out
    assert str(spoiled) in printed.out
    assert "2 errors" in printed.err
    assert "Traceback" not in printed.err
    content = json.loads((tmp_path / "elsewhere/check.json").read_text())
    assert sorted(error["kind"] for error in content["errors"]) == ["not finite", "subjects"]
    assert not (tmp_path / "check").exists()


def test_names_that_no_terminal_can_show_are_escaped(make_config, faces, tmp_path, monkeypatch):
    make_config()
    path = next((faces / "train/image").iterdir())
    path.rename(path.with_name(os.fsdecode(b"sub000_\xff\xfe.npy")))
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(arguments(tmp_path, faces, "--out_dir", tmp_path / "elsewhere")) == 1
    terminal.flush()
    assert b"\\udcff" in terminal.buffer.getvalue()


def test_the_table_has_what_the_json_has(make_config, faces, tmp_path, capsys):
    content = run_check(make_config, faces, tmp_path)
    text = capsys.readouterr().out
    assert json.loads((tmp_path / "out/check.json").read_text()) == content
    rows = {re.split(" {2,}", line.strip())[0]: line for line in text.splitlines()}
    for split in ("train", "val"):
        summary = content["splits"][split]
        for entry in summary["classes"]:
            assert f"{100 * entry['share']:.2f} %, {entry['frames']}" in rows[entry["name"]]
        assert f"{summary['range']['max']:.4g}" in rows["min / median / max"]
    assert "48x64" in rows["height x width"]
    assert "deg C" in rows["unit"]
    assert "sub003:2" in text


def test_leaks_may_be_warned_of_or_meant(make_config, faces, tmp_path):
    leak(faces)
    with pytest.raises(DataError, match="1 error,"):
        run_check(make_config, faces, tmp_path)
    assert run_check(make_config, faces, tmp_path, "data.on_leak=warn")["warnings"][0]["kind"] == "subjects"
    assert run_check(make_config, faces, tmp_path, "data.include_val=y")["warnings"] == []


def test_of_several_processes_the_first_alone_checks(make_config, faces, tmp_path):
    config = make_config("phase=check", f"data.data_dir={faces}", f"test.out_dir={tmp_path / 'out'}")
    with start_runtime(config) as runtime:
        assert Checker(config, replace(runtime, world=World(rank=1, size=2))).run() is None
    assert not (tmp_path / "out").exists()


def test_without_a_folder_there_is_nothing_to_check(make_config, tmp_path):
    with pytest.raises(DataError, match="--data_dir"):
        run_check(make_config, "[]", tmp_path)


def test_training_begins_where_data_are_good(make_config, faces, project_log):
    check_before_training(make_config(f"data.data_dir={faces}"))
    assert not project_log.records


def test_training_stops_at_a_leak_unless_it_may_go_on(make_config, faces, project_log):
    leak(faces)
    with pytest.raises(DataError, match=r"(?s)data\.on_leak=warn.*sub000"):
        check_before_training(make_config(f"data.data_dir={faces}"))
    check_before_training(make_config(f"data.data_dir={faces}", "data.include_val=y"))
    assert not project_log.records
    check_before_training(make_config(f"data.data_dir={faces}", "data.on_leak=warn"))
    assert "sub000" in project_log.text


def test_training_stops_at_frames_that_it_could_not_read(make_config, faces, project_log):
    spoil(faces)
    with pytest.raises(DataError, match="not finite.*1 frame"):
        check_before_training(make_config(f"data.data_dir={faces}"))
    check_before_training(make_config(f"data.data_dir={faces}", "data.on_bad_sample=skip"))
    assert "not finite" in project_log.text
    spoil(faces, "val")
    with pytest.raises(DataError, match=r"(?s)not finite.*val"):
        check_before_training(make_config(f"data.data_dir={faces}", "data.on_bad_sample=skip"))


def test_training_stops_at_labels_without_a_class(make_config, faces):
    with pytest.raises(DataError, match="value 2, which has no class"):
        check_before_training(
            make_config(f"data.data_dir={faces}", "data.num_classes=2", "data.class_names=null", "data.palette=null")
        )


def relabel(root, change, splits=("train", "val")):
    """Change the values of all labels, (H, W) uint8."""
    from PIL import Image

    for split in splits:
        for path in (root / split / "label").iterdir():
            Image.fromarray(change(np.array(Image.open(path)))).save(path)


def test_training_stops_where_every_label_is_ignored(make_config, faces):
    relabel(faces, lambda label: np.full_like(label, 255))
    with pytest.raises(DataError, match=r"(?s)train: every pixel of every label is ignored.*255.*remap_classes"):
        check_before_training(make_config(f"data.data_dir={faces}"))


TWO = ("data.num_classes=2", "data.class_names=null", "data.palette=null")


def test_training_takes_255_for_what_an_entry_says_and_stops_where_none_leaves_one_class(make_config, faces):
    relabel(faces, lambda label: np.where(label > 0, 255, 0).astype(np.uint8))
    with pytest.raises(DataError, match=r"all pixels with a class are of one, 0.*255"):
        check_before_training(make_config(f"data.data_dir={faces}", *TWO))
    named = make_config(f"data.data_dir={faces}", *TWO, f"data.remap_classes={[0, *[-1] * 254, 1]}")
    check_before_training(named)
    label = next(iter(build_train_loader(named)))["label"]
    assert {0, 1} <= set(label.unique().tolist())


def test_training_says_which_classes_no_label_has(make_config, faces, project_log):
    relabel(faces, lambda label: np.where(label == 2, 1, label).astype(np.uint8), ["train"])
    check_before_training(make_config(f"data.data_dir={faces}"))
    assert "train: classes without a pixel: square" in project_log.text
    assert "val: classes" not in project_log.text


def test_a_rare_class_is_found_beyond_the_few_frames_that_are_looked_at(make_config, faces, project_log):
    folder = faces / "train"
    name = sorted(path.stem for path in (folder / "label").iterdir())[0]
    for copy in range(40):
        for part, ending in (("image", ".npy"), ("label", ".png")):
            target = folder / part / f"irface_sub000_seq01_frm{100 + copy}{ending}"
            target.write_bytes((folder / part / f"{name}{ending}").read_bytes())
    relabel(faces, lambda label: np.where(label == 2, 1, label).astype(np.uint8), ["train"])
    last = sorted((folder / "label").iterdir())[-2]
    from PIL import Image

    rare = np.array(Image.open(last))
    rare[0, 0] = 2
    Image.fromarray(rare).save(last)
    check_before_training(make_config(f"data.data_dir={faces}"))
    assert not project_log.records


def test_training_stops_at_frames_that_normalisation_leaves_no_contrast(make_config, faces, project_log):
    with pytest.raises(DataError, match=r"(?s)train: no frame has contrast.*normalize\.window"):
        check_before_training(make_config(f"data.data_dir={faces}", "normalize.window=[-50,-40]"))
    with pytest.raises(DataError, match=r"the data has 1 error"):
        run_check(make_config, faces, faces / "..", "normalize.window=[-50,-40]")


def test_grey_pictures_have_the_contrast_that_training_gives_them(make_config, faces, project_log):
    from PIL import Image

    for path in [*faces.rglob("image/*.npy")]:
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)).save(path.with_suffix(".png"))
        path.unlink()
    check_before_training(make_config(f"data.data_dir={faces}", "normalize.window=[20,40]"))
    with pytest.raises(DataError, match="no frame has contrast"):
        check_before_training(
            make_config(
                f"data.data_dir={faces}", "normalize.window=[20,40]", "data.grey_range=null", "normalize.clip=[300,400]"
            )
        )


def test_a_trainer_refuses_before_its_first_step(make_config, faces):
    config = make_config(f"data.data_dir={faces}", "train.batch_size=2")
    with start_runtime(config) as runtime:
        Trainer(config, runtime)
        leak(faces)
        with pytest.raises(DataError, match="sub000"):
            Trainer(config, runtime)


def test_a_check_replaces_its_own_file_alone(make_config, faces, tmp_path):
    for _ in range(2):
        run_check(make_config, faces, tmp_path)
    (tmp_path / "out/check.json").write_text("changed by hand, and longer than it was" * 1000)
    with pytest.raises(OutputError, match=r"check\.json.*--out_dir"):
        run_check(make_config, faces, tmp_path)
    for folder in ("", "val", "val/label"):
        with pytest.raises(ConfigError, match="is read from.*--out_dir"):
            run_check(make_config, faces, tmp_path, f"test.out_dir={faces / folder}")
