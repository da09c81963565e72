"""Trains for some steps and tells the peak memory after each, in MB.

``python -m scripts.benchmarks.step_memory STEPS THREADS CONFIG section.key=value...``, for
:mod:`scripts.benchmarks.memory`.
"""

import resource
import sys
from pathlib import Path

from lib.utils.config import load_config
from scripts.benchmarks.children import tell
from scripts.benchmarks.setup import CONFIGS, threads
from scripts.benchmarks.stepping import run_trainer


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


def main(steps: str, number: str, config: str, *pairs: str) -> None:
    """Train and tell."""
    peaks: list[float] = []

    def between(done: int) -> None:
        if done:
            peaks.append(peak_memory())

    with threads(int(number)):
        run_trainer(load_config(CONFIGS / f"{config}.json", {}, pairs)[0], int(steps), between)
    tell(peaks)


if __name__ == "__main__":
    main(*sys.argv[1:])
