"""The table of few frames: which frames are chosen, and that finished runs are not done again."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from scripts.drivers import few_frames


@pytest.fixture
def processed(tmp_path):
    """Eleven frames of one person to train on, three of another."""
    folder = tmp_path / "Processed"
    names = [*(f"1-Man_Normal_{number:05}" for number in range(11)), *(f"1-Woman_Normal_{n:05}" for n in range(3))]
    for kind in ("image", "label"):
        (folder / "train" / kind).mkdir(parents=True)
        for name in names:
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "train" / kind / f"{name}.png")
    with (folder / "frames.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("frame", "subject"))
        writer.writerows((name, name.split("_")[0].replace("-", "_")) for name in names)
    return folder


def test_frames_are_spread_over_time_and_finished_runs_stay(processed, tmp_path, monkeypatch, capsys):
    calls = []

    def train(arguments):
        calls.append(arguments)
        return 0

    def score(arguments):
        folder = tmp_path / "runs" / arguments[arguments.index("--out_dir") + 1]
        folder.mkdir(parents=True)
        overall = {"miou": 0.5, "iou": {"nose": 0.25}, "good": 1.0}
        (folder / "check.json").write_text(json.dumps({"overall": overall}))
        return 0

    monkeypatch.setattr(few_frames, "finetune", train)
    monkeypatch.setattr(few_frames, "check_weights", score)
    arguments = [str(processed), str(tmp_path / "runs"), "--counts", "3", "5", "--from_scratch", "--workers", "0"]
    assert few_frames.main(arguments) == 0
    runs = [call[2] for call in calls]
    assert runs == ["1_Man_3_scratch", "1_Woman_3_scratch", "1_Man_5_scratch"]  # the woman hasn't five
    assert all(call[3:] == ["network.pretrained=null", "--workers", "0"] for call in calls)
    chosen = sorted(path.stem[-5:] for path in (tmp_path / "runs/frames/1_Man_3/label").iterdir())
    assert chosen == ["00000", "00005", "00010"]
    assert "val,scratch,3,1_Man,50.0,25.0,100.0" in capsys.readouterr().out
    assert few_frames.main(arguments) == 0
    assert len(calls) == len(runs)
