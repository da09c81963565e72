"""Fresh Python processes whose start or memory is measured."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]

MARK = "benchmark: "


def run_child(*command: str) -> Any:
    """Run this Python with ``command`` in the repository; returns what its last line holds after :data:`MARK`, as JSON.

    Raises:
        RuntimeError: the process failed or printed no such line; with the end of what it said.
    """
    done = subprocess.run([sys.executable, *command], cwd=REPO, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not lines:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{said}")
    return json.loads(lines[-1].removeprefix(MARK))


def tell(value: Any) -> None:
    """Print ``value`` for :func:`run_child`."""
    print(f"{MARK}{json.dumps(value)}", flush=True)


def command_line(config: str, pairs: Sequence[str]) -> list[str]:
    """Arguments of ``main.py`` that train the shipped config ``config`` with ``section.key=value`` pairs."""
    return ["--configs", f"configs/thermalFaceDB/{config}.json", "--phase", "train", *pairs]
