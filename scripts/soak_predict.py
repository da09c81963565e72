"""Predict on a long synthetic sequence and watch the memory: it must not grow with the number of frames.

Takes some minutes and, in the temporary folder, about 100 KB a frame. Usage: python scripts/soak_predict.py
[--frames 10000] [--folder DIR]
"""

import argparse
import logging
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from lib.models.build import build_network  # noqa: E402
from lib.utils.config import load_config  # noqa: E402
from lib.utils.machine import peak_memory  # noqa: E402
from lib.utils.runtime import start_runtime  # noqa: E402
from segmentor.prediction.predictor import Predictor  # noqa: E402

HEIGHT, WIDTH = 64, 80
MOST_GROWTH = 50.0
"""MB between a fifth of the way and the end; what ten thousand frames hold at once would be 200."""


def write_sequence(path: Path, frames: int) -> None:
    """A warm disc that moves and breathes, (T, H, W) float32 in deg C."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    with path.open("wb") as file:
        # Frame by frame: this process must not have held the whole sequence before it is watched.
        shape = {"descr": "<f4", "fortran_order": False, "shape": (frames, HEIGHT, WIDTH)}
        np.lib.format.write_array_header_1_0(file, shape)
        for index in range(frames):
            distance = np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2 - 10 * np.sin(index / 50))
            warm = 33 + 0.3 * np.sin(index / 6) - distance / 20
            frame = np.where(distance < 25, warm, 22) + rng.normal(0, 0.05, (HEIGHT, WIDTH))
            file.write(frame.astype("<f4").tobytes())


def run(frames: int, folder: Path) -> bool:
    """Whether the memory stayed flat; prints how it went."""
    sequence, checkpoint, out = folder / "sequence.npy", folder / "net.pth", folder / "out"
    write_sequence(sequence, frames)
    base = REPO / "configs/thermalFaceDB/U_Base.json"
    flags = {
        "phase": "predict",
        "gpu": [-1],
        "network.base_channels": 4,
        "network.resume": str(checkpoint),
        "train.data_transformer.input_size": [WIDTH, HEIGHT],
        "train_trans.random_crop.crop_size": [WIDTH, HEIGHT],
        "predict.input": str(sequence),
        "predict.fps": 10.0,
        "test.out_dir": str(out),
    }
    config, _ = load_config(base, flags)
    torch.manual_seed(0)
    torch.save({"state_dict": build_network(config).state_dict()}, checkpoint)
    peaks, over = [], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            peaks.append(peak_memory())

    watcher = threading.Thread(target=watch, daemon=True)
    with start_runtime(config) as runtime:
        predictor = Predictor(config, runtime)
        watcher.start()
        predictor.run()
        over.set()
        watcher.join()
    early, end = peaks[len(peaks) // 5], peaks[-1]
    print(f"{frames} frames; memory after a fifth of the time {early:.0f} MB, at the end {end:.0f} MB")
    return end - early < MOST_GROWTH


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; exit status 1 if the memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10000)
    parser.add_argument("--folder", help="where the temporary folder is made")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        flat = run(options.frames, Path(folder))
    print("flat" if flat else f"FAILED: it grew by more than {MOST_GROWTH:g} MB")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
