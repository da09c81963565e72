"""A network and a loss in one file each, outside the project, as lib/models/README.md shows."""

import os
import re
import runpy
import sys
from pathlib import Path

from tests.processes import run_once

ROOT = Path(__file__).resolve().parent.parent


def file_on_the_page(name: str) -> str:
    """The page's code block that begins with a comment naming the file."""
    page = (ROOT / "lib/models/README.md").read_text()
    return re.search(rf"```python\n(# {re.escape(name)}\n.*?)```", page, re.DOTALL)[1]


def run_script(folder: Path, *arguments: object) -> None:
    """What ``python my_train.py ARGUMENTS`` does in ``folder``."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.argv = ["my_train.py", *map(str, arguments)]
    runpy.run_path("my_train.py", run_name="__main__")


def test_files_on_the_page_train_and_test(make_config, tmp_path):
    make_config()
    for name in ("my_network.py", "my_loss.py", "my_train.py"):
        (tmp_path / name).write_text(file_on_the_page(name))
    options = ["--configs", tmp_path / "discs.yaml", "--model_name", "my_network", "--loss_type", "my_loss"]
    run_once(run_script, tmp_path, *options, "--max_iters", 2)
    best = tmp_path / "checkpoints/thermalFaceDB/run_max_performance.pth"
    run_once(run_script, tmp_path, *options, "--phase", "test", "--resume", best, "--out_dir", tmp_path / "out")
    assert (tmp_path / "out" / "metrics.json").exists()
