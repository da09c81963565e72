"""From the start of Python to the first training step, beside the import of PyTorch alone."""

import time
from collections.abc import Callable

from scripts.benchmarks.children import command_line, run_child
from scripts.benchmarks.measure import Row, Samples, Section, at_most
from scripts.benchmarks.setup import Setup

CONFIG = "U_GCL_Occ"
TORCH_ALONE = "import json, time, torch; print('benchmark: ' + json.dumps({'time': time.time()}))"


def measure_start(setup: Setup) -> Section:
    """Both in processes of their own, which take turns."""
    arguments = command_line(CONFIG, setup.pairs("start"))
    loaded: set[str] = set()

    def train() -> float:
        answer = run_child("-m", "scripts.benchmarks.first_step", *arguments)
        loaded.update(answer["loaded"])
        return answer["time"]

    ours, alone = [], []
    for repeat in range(-1, setup.pick(7, 3)):
        for times, run in (ours, train), (alone, lambda: run_child("-c", TORCH_ALONE)["time"]):
            seconds = _seconds(run)
            if repeat >= 0:
                times.append(seconds)
    early = f"imports before they are used: {', '.join(sorted(loaded))}" if loaded else ""
    row = Row(
        "start of main.py to its first training step, against importing torch alone",
        *(Samples(tuple(ours)), Samples(tuple(alone)), "s", at_most(2)),
        otherwise=early,
    )
    text = (
        f"Config {CONFIG} on 602 frames, from the start of the process until the network is called with the first "
        "batch: config, check of all files, network, workers, batch. Of TensorBoard, matplotlib, torchvision and scipy "
        f"{', '.join(sorted(loaded)) if loaded else 'none'} had been imported by then."
    )
    return Section("Start", [row], [text])


def _seconds(run: Callable[[], float]) -> float:
    """From now to the time that ``run`` tells."""
    start = time.time()
    return run() - start
