"""Predictions by command, beside the bare forward passes of the shipped network."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lib.models.build import build_network_with_weights
from lib.utils.machine import keep_freed_memory
from lib.utils.runtime import start_runtime
from scripts.benchmarks.measure import Row, Samples, Section, at_most, interleaved
from scripts.benchmarks.setup import REPO, Setup
from scripts.prediction import config_of
from segmentor.prediction.pipeline import CPU_BATCH

WEIGHTS = REPO / "lib/models/pretrained/face.pth"
FRAMES, MANY, COMPARED = 500, 5000, 100
FASTEST = 30.0  # frames a second
AGREEMENT = 0.001  # share of labels that may differ


def measure_predict(setup: Setup) -> Section:
    """Whole processes, their start included, in turns with the passes alone."""
    frames, many = setup.pick((FRAMES, MANY), (40, 80))
    few, long = linked(setup.sequence, setup.folder / "data/few", frames), setup.folder / "data/many"
    bare = BareForward(setup)
    rows = []
    for folder, count, options, repeats in (
        (few, frames, [], setup.pick(3, 1)),
        (linked(setup.sequence, long, many), many, ["--save_vis", "n"], 1),
    ):
        work = {"ours": _command(setup, folder, options), "bare": bare.over(count)}
        seconds = interleaved(work, repeats, warmups=0)
        ours, alone = (seconds[name].times(1000 / count) for name in ("ours", "bare"))
        what = "without pictures and video" if options else "all outputs"
        name = f"predict on {count} frames of 320x240, {what}, start included"
        rows.append(
            Row(f"{name}, against the bare forward passes", ours, alone, "ms/frame", at_most(1.1 if options else 1.3))
        )
        if not options:
            limit = Samples((1000 / FASTEST,))
            rows.append(Row(f"{name}, against {FASTEST:g} frames a second", ours, limit, "ms/frame", at_most(1)))
    rows.append(_agreement(setup))
    text = (
        f"Synthetic frames, float32 deg C, and the network that comes with the repository, in {bare.words}; the bare "
        f"passes are of the network as trained, in batches of {bare.size}, on images that are in memory."
    )
    return Section("Predictions", rows, [text])


def linked(frames: list[Path], folder: Path, count: int) -> Path:
    """A folder of ``count`` links to frames, the first ones again after the last."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for index in range(count):
        (folder / f"frame{index:05d}.npy").symlink_to(frames[index % len(frames)].resolve())
    return folder


def predict(frames: Path, out: Path, *options: str) -> None:
    """Run ``--phase predict`` with the shipped network on the CPU, as ``scripts/predict.sh`` does.

    Raises:
        CalledProcessError: it failed.
    """
    command = ["main.py", "--phase", "predict", "--resume", WEIGHTS, "--input", frames, "--out_dir", out, "--gpu", "-1"]
    subprocess.run([sys.executable, *map(str, command), *options], cwd=REPO, check=True, capture_output=True)


def _command(setup: Setup, folder: Path, options: list[str]) -> Callable[[], None]:
    def run() -> None:
        out = setup.folder / "predicted"
        shutil.rmtree(out, ignore_errors=True)
        predict(folder, out, *options)

    return run


class BareForward:
    """The shipped network's forward passes on images in memory, in the number format of predictions.

    Args:
        setup: of the benchmark.

    Attributes:
        size: images in a batch, those that predictions take on a CPU.
        words: the number format.
    """

    def __init__(self, setup: Setup) -> None:
        keep_freed_memory()  # as in every run on a CPU
        config = config_of(WEIGHTS, {"gpu": [-1]})
        self.size = CPU_BATCH
        self._looks = 2 if config.test.mode == "zoom_test" else 1
        with start_runtime(config) as self._runtime:
            network = build_network_with_weights(config).eval()
        self._network = network.to(memory_format=torch.channels_last)
        width, height = config.train.data_transformer.input_size
        self._images = torch.rand(self.size, 1, height, width).to(memory_format=torch.channels_last)
        self.words = str(self._runtime.autocast_dtype or torch.float32).removeprefix("torch.")
        self._threads = setup.threads

    def over(self, count: int) -> Callable[[], Tensor]:
        """The passes of ``count`` frames: as many for each as its predictions take."""

        @torch.inference_mode()
        def run() -> Tensor:
            torch.set_num_threads(self._threads)
            for _ in range(self._looks * -(-count // self.size)):
                with self._runtime.autocast():
                    logits = self._network(self._images).logits
            return logits

        return run


def _agreement(setup: Setup) -> Row:
    """The share of labels that are others than in float32."""
    count = min(len(setup.sequence), setup.pick(COMPARED, 20))
    frames, labels = linked(setup.sequence, setup.folder / "data/compared", count), []
    for name, options in (("auto", []), ("fp32", ["--precision", "fp32"])):
        out = setup.folder / f"predicted_{name}"
        shutil.rmtree(out, ignore_errors=True)
        predict(frames, out, "--save_vis", "n", *options)
        labels.append(np.stack([np.array(Image.open(path)) for path in sorted((out / "label").iterdir())]))
    differing = Samples((float((labels[0] != labels[1]).mean()),))
    name = f"labels of {count} predicted frames that are others than in float32, against {AGREEMENT:g}"
    return Row(name, differing, Samples((AGREEMENT,)), "of all", at_most(1))
