"""Fresh Python processes whose start or memory is measured."""

import json
import resource
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


def peak_memory() -> float:
    """The greatest resident size of this process so far, MB.

    Linux keeps that of the process itself apart from ``ru_maxrss``, which begins at the size of the parent.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    if kilobytes:
        return kilobytes[0] / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def command_line(config: str, pairs: Sequence[str]) -> list[str]:
    """Arguments of ``main.py`` that train the shipped config ``config`` with ``section.key=value`` pairs."""
    return ["--configs", f"configs/thermalFaceDB/{config}.json", "--phase", "train", *pairs]
