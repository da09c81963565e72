"""A network and a loss in one file each, outside the project, as lib/models/README.md shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def file_on_the_page(name: str) -> str:
    """The page's code block that begins with a comment naming the file."""
    page = (ROOT / "lib/models/README.md").read_text()
    return re.search(rf"```python\n(# {re.escape(name)}\n.*?)```", page, re.DOTALL)[1]


def test_files_on_the_page_train_and_test(make_config, tmp_path):
    make_config()
    for name in ("my_network.py", "my_loss.py", "my_train.py"):
        (tmp_path / name).write_text(file_on_the_page(name))
    options = ["--configs", tmp_path / "discs.yaml", "--model_name", "my_network", "--loss_type", "my_loss"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*arguments):
        command = [sys.executable, "my_train.py", *map(str, [*options, *arguments])]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)

    result = run("--max_iters", 2)
    assert result.returncode == 0, result.stderr
    best = tmp_path / "checkpoints/thermalFaceDB/run_max_performance.pth"
    result = run("--phase", "test", "--resume", best, "--out_dir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "metrics.json").exists()
