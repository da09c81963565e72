"""From the start of Python to the first training step, beside the import of PyTorch alone."""

import time
from collections.abc import Callable
from functools import partial

from scripts.benchmarks.children import command_line, run_child
from scripts.benchmarks.measure import Row, Samples, Section, at_most
from scripts.benchmarks.setup import REPO, Setup

CONFIG = "U_GCL_Occ"
WEIGHTS = REPO / "lib/models/pretrained/face.pth"
TORCH_ALONE = "import json, time, torch; print('benchmark: ' + json.dumps({'time': time.time()}))"


def measure_start(setup: Setup) -> Section:
    """All in processes of their own, which take turns."""
    frame = setup.sequence[0]
    commands = {
        "train": command_line(CONFIG, setup.pairs("start")),
        "predict": [
            *("--phase", "predict", "--resume", str(WEIGHTS), "--input", str(frame), "--gpu", "-1"),
            *("--out_dir", str(setup.folder / "predicted_start")),
        ],
    }
    loaded: set[str] = set()

    def to_network(arguments: list[str]) -> float:
        answer = run_child("-m", "scripts.benchmarks.first_step", *arguments)
        loaded.update(answer["loaded"])
        return answer["time"]

    cases = {name: partial(to_network, arguments) for name, arguments in commands.items()}
    cases["torch"] = lambda: run_child("-c", TORCH_ALONE)["time"]
    found: dict[str, list[float]] = {name: [] for name in cases}
    for repeat in range(-1, setup.pick(7, 3)):
        for name, run in cases.items():
            seconds = _seconds(run)
            if repeat >= 0:
                found[name].append(seconds)
    early = f"imports before they are used: {', '.join(sorted(loaded))}" if loaded else ""
    train, predict, alone = (Samples(tuple(found[name])) for name in ("train", "predict", "torch"))
    rows = [
        Row(
            "start of main.py to its first training step, against importing torch alone",
            *(train, alone, "s", at_most(1.6)),
            otherwise=early,
        ),
        Row(
            "start of main.py to its first prediction, against importing torch alone", predict, alone, "s", at_most(1.5)
        ),
    ]
    text = (
        f"Config {CONFIG} on 602 frames, from the start of the process until the network is called with the first "
        "batch: config, check of all files, network, workers, batch; and a frame that the shipped network predicts. Of "
        "TensorBoard, matplotlib, torchvision and scipy "
        f"{', '.join(sorted(loaded)) if loaded else 'none'} had been imported by then."
    )
    return Section("Start", rows, [text])


def _seconds(run: Callable[[], float]) -> float:
    """From now to the time that ``run`` tells."""
    start = time.time()
    return run() - start
