"""Trains for some steps and tells the peak memory after each, in MB.

``python -m scripts.benchmarks.step_memory STEPS THREADS CONFIG section.key=value...``, for
:mod:`scripts.benchmarks.memory`.
"""

import sys

from lib.utils.config import load_config
from lib.utils.machine import peak_memory
from scripts.benchmarks.children import tell
from scripts.benchmarks.setup import CONFIGS, threads
from scripts.benchmarks.stepping import run_trainer


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
