"""The table of a ``metrics.json``."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from tests.scripts.conftest import REPO


def print_scores(monkeypatch, path: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["print_scores.py", str(path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(REPO / "scripts/print_scores.py"), run_name="__main__")
    return ended.value.code


def test_print_scores_shows_a_metrics_file(tmp_path, monkeypatch, capsys):
    entry = {"name": "nose", "iou": 0.5, "dice": 0.6, "precision": 0.7, "recall": None}
    scores = {"miou": 0.5, "std_iou": 0.0, "pixel_accuracy": 0.9, "classes": [entry]}
    (tmp_path / "metrics.json").write_text(json.dumps(scores))
    assert print_scores(monkeypatch, tmp_path / "metrics.json") == 0
    assert re.search(r"nose +50\.00 +60\.00 +70\.00 +-", capsys.readouterr().out)


@pytest.mark.parametrize("text", ["[]", "{}", "not json", None])
def test_print_scores_refuses_other_files(tmp_path, monkeypatch, capsys, text):
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    assert print_scores(monkeypatch, tmp_path / "x.json") == 1
    assert "x.json: not a metrics.json" in capsys.readouterr().err
