"""The figure of TiAug, drawn from a small data set."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.datasets.transforms.frames import smooth_frame

SCRIPT = Path(__file__).resolve().parents[3] / "scripts/thermalFaceDB/draw_tiaug.py"


def draw(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=120)


def test_it_draws_a_figure(tmp_path):
    for folder in ("image", "label"):
        (tmp_path / "train" / folder).mkdir(parents=True)
    y, x = np.mgrid[:256, :320]
    face = (((y - 128) / 90) ** 2 + ((x - 160) / 70) ** 2 < 1).astype(np.uint8)
    np.save(tmp_path / "train/image/one.npy", smooth_frame(256, 320) + 5 * face)
    Image.fromarray(face).save(tmp_path / "train/label/one.png")
    result = draw(tmp_path, "--out", tmp_path / "figure.png", "--draws", "2")
    assert result.returncode == 0, result.stderr
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.size == (1400, 900)
        assert np.asarray(figure).std() > 20


def test_a_missing_folder_is_named_without_a_traceback(tmp_path):
    result = draw(tmp_path / "nowhere", "--out", tmp_path / "figure.png")
    assert result.returncode == 2
    assert "nowhere" in result.stderr
    assert "Traceback" not in result.stderr
