"""scripts/wild/check_weights.py: from frames and masks or boxes to scores, a table and a sheet."""

import json

import cv2
import numpy as np
import pytest
import torch

from lib.models.build import build_network
from lib.synthetic.wild.database import make_wild_frame
from scripts.wild import check_weights


@pytest.fixture
def checkpoint(make_config, tmp_path):
    """An untrained network that calls everything its first class, or now and then another."""
    config = make_config()
    torch.manual_seed(0)
    path = tmp_path / "net.pth"
    torch.save({"state_dict": build_network(config).state_dict(), "config_dict": config.model_dump(mode="json")}, path)
    return path


@pytest.fixture
def frames(tmp_path):
    """Three drawn frames and a file with a box about what their labels show."""
    lines = []
    (tmp_path / "frames").mkdir()
    for number in range(3):
        image, label = make_wild_frame(0, "val", number, 96, 120)
        np.save(tmp_path / f"frames/f{number}.npy", image)
        rows, columns = np.nonzero(label)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else ("",) * 4
        lines.append(",".join(map(str, (f"f{number}.npy", *box))))
    (tmp_path / "boxes.csv").write_text("\n".join(lines))
    return ["--frames_dir", str(tmp_path / "frames"), "--boxes", str(tmp_path / "boxes.csv")]


def test_frames_are_predicted_scored_and_shown(checkpoint, frames, tmp_path, capsys):
    out, sheet = tmp_path / "out", tmp_path / "sheet.png"
    arguments = ["--resume", str(checkpoint), "--out_dir", str(out), *frames, "--sheet", str(sheet), "--tiles", "2"]
    assert check_weights.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "all frames" in printed
    assert "false alarms" in printed
    result = json.loads((out / "check.json").read_text())
    assert result["overall"]["frames"] == 3
    assert [frame["frame"] for frame in result["frames"]] == ["f0", "f1", "f2"]
    masks = [cv2.imread(str(out / f"label/f{number}.png"), cv2.IMREAD_GRAYSCALE) for number in range(3)]
    assert {mask.shape for mask in masks} == {(96, 120)}
    assert cv2.imread(str(sheet)).shape == (256, 6 * 320, 3)


def test_missing_weights_are_said(frames, capsys):
    assert check_weights.main(["--resume", "missing.pth", *frames]) == 2
    assert "missing.pth: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["--frames_dir", "--boxes"])
def test_frames_and_boxes_belong_together(given, capsys):
    with pytest.raises(SystemExit, match="2"):
        check_weights.main([given, "somewhere"])
    assert "required" in capsys.readouterr().err


@pytest.fixture
def prepared(tmp_path):
    """Drawn frames as grey pictures with their masks in two splits, and what is known of them."""
    folder, lines = tmp_path / "Processed", ["frame,glasses,confidence"]
    for number in range(4):
        split = folder / ("val" if number == 3 else "train")
        for kind in ("image", "label"):
            (split / kind).mkdir(parents=True, exist_ok=True)
        image, label = make_wild_frame(0, "val", number, 96, 120)
        grey = np.interp(image, (image.min(), image.max()), (0, 255)).astype(np.uint8)
        cv2.imwrite(str(split / f"image/f{number}.png"), grey)
        cv2.imwrite(str(split / f"label/f{number}.png"), label % 3)
        lines.append(f"f{number},{'yes' if number % 2 else 'no'},0.{number}")
    (folder / "frames.csv").write_text("\n".join(lines))
    return folder


def test_frames_with_masks_are_scored_by_condition(checkpoint, prepared, tmp_path, capsys):
    out = tmp_path / "out"
    assert check_weights.main(["--resume", str(checkpoint), "--out_dir", str(out), "--data_dir", str(prepared)]) == 0
    printed = capsys.readouterr().out
    assert "glasses yes" in printed
    assert "all frames" in printed
    result = json.loads((out / "check.json").read_text())
    assert result["overall"]["frames"] == 4
    assert len(result["overall"]["iou"]) == 3
    assert {value: row["frames"] for value, row in result["conditions"]["glasses"].items()} == {"no": 2, "yes": 2}
    assert [frame["frame"] for frame in result["frames"]] == ["f0", "f1", "f2", "f3"]
    assert cv2.imread(str(out / "sheet.png")).shape == (6 * 240, 6 * 320, 3)
    assert (out / "train/label/f0.png").is_file()


def test_one_split_alone_has_the_conditions_beside_it(checkpoint, prepared, tmp_path):
    out = tmp_path / "out"
    arguments = ["--resume", str(checkpoint), "--out_dir", str(out), "--data_dir", str(prepared / "val")]
    assert check_weights.main(arguments) == 0
    result = json.loads((out / "check.json").read_text())
    assert result["overall"]["frames"] == 1
    assert list(result["conditions"]["glasses"]) == ["yes"]


@pytest.mark.parametrize("fault", ["no folders", "no label", "twice"])
def test_folders_that_cannot_be_scored_are_said(checkpoint, prepared, tmp_path, capsys, fault):
    if fault == "no folders":
        prepared = tmp_path / "elsewhere"
    elif fault == "no label":
        (prepared / "train/label/f0.png").unlink()
    else:
        for kind in ("image", "label"):
            (prepared / f"train/{kind}/f0.png").rename(prepared / f"val/{kind}/f1.png")
    arguments = ["--resume", str(checkpoint), "--out_dir", str(tmp_path / "out"), "--data_dir", str(prepared)]
    assert check_weights.main(arguments) == 2
    said = {"no folders": "image and label", "no label": "f0", "twice": "a frame of this name"}[fault]
    assert said in capsys.readouterr().err
