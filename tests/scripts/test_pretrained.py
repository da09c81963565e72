"""The network that comes with the repository: small, whole, and able to find faces in frames that it has not seen."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.synthetic import draw_sequence, draw_subject, render_frame
from scripts.wild.check_weights import WEIGHTS, main

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Scores on 12 frames of people whom it was not trained on, in surroundings of all kinds."""
    folder, lines = tmp_path_factory.mktemp("check"), []
    for number in range(12):
        rng = np.random.default_rng([100, number])
        frame, points = render_frame(draw_subject(rng), draw_sequence(rng, unconstrained=True), rng, 240, 320)
        np.save(folder / f"{number}.npy", frame)
        (y0, x0), (y1, x1) = points.min(0), points.max(0)
        lines.append(f"{number},{x0},{y0},{x1},{y1}")
    (folder / "boxes.csv").write_text("\n".join(lines))
    arguments = ["--frames_dir", str(folder), "--boxes", str(folder / "boxes.csv"), "--out_dir", str(folder / "out")]
    assert main([*arguments, "gpu=[-1]"]) == 0
    return json.loads((folder / "out/check.json").read_text())["overall"]


def test_it_is_small_and_has_its_card_and_config():
    assert WEIGHTS.stat().st_size < 8 * 2**20
    assert WEIGHTS.with_suffix(".yaml").is_file()
    assert "medical" in WEIGHTS.with_name("MODEL_CARD.md").read_text()


def test_most_facial_pixels_lie_in_faces(check):
    assert check["good"] >= 0.75
    assert check["median_inside"] >= 0.95


def test_most_faces_are_found(check):
    assert check["found"] >= 0.65


def test_predict_uses_it_where_no_checkpoint_is_named(tmp_path):
    rng = np.random.default_rng(3)
    frame, points = render_frame(draw_subject(rng), draw_sequence(rng), rng, 240, 320)
    np.save(tmp_path / "frame.npy", frame)
    done = subprocess.run(
        ["bash", REPO / "scripts/predict.sh", tmp_path / "frame.npy", tmp_path / "out", "--gpu", "-1"],
        env={"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": sys.prefix, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    label = np.asarray(Image.open(tmp_path / "out/label/frame.png"))
    nose = points[27:36].mean(0).round().astype(int)
    assert label[tuple(nose)] == 5, "the nose is where the landmarks of the nose are"
    assert set(np.unique(label)) == {0, 1, 2, 3, 4, 5}
