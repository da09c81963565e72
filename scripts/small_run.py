"""A run that trains in seconds, started as processes of its own: what the scripts that break runs try themselves on."""

import multiprocessing
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import main

HEIGHT, WIDTH = 32, 40
FRAMES = {"train": 10, "val": 3}

_CONFIG = """
data: {{data_dir: {data}, num_classes: 2, workers: 0}}
train: {{batch_size: 3, data_transformer: {{input_size: [40, 32]}}}}
val: {{batch_size: 2}}
train_trans: {{trans_seq: [random_hflip, thermal_noise, random_resize, random_crop],
               random_crop: {{crop_size: [40, 32]}}}}
network: {{model_name: unet, base_channels: 2}}
loss: {{loss_type: rmi_loss}}
solver: {{display_iter: 1, test_interval: 7, precision: fp32}}
checkpoints: {{checkpoints_root: {folder}, checkpoints_dir: checkpoints, save_iters: 5}}
logging: {{log_file: {folder}/logs/train.log, log_to_file: false, stdout_level: warning}}
gpu: [-1]
"""


def prepare(folder: Path) -> Path:
    """Write frames of warm squares with labels, and a config that learns them; returns the path of the config.

    Ten frames in batches of three: saving every five steps falls in the middle of epochs.
    """
    rng = np.random.default_rng(0)
    for split, count in FRAMES.items():
        for part in ("image", "label"):
            (folder / "data" / split / part).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            label = np.zeros((HEIGHT, WIDTH), np.uint8)
            top, left = rng.integers(2, 12, size=2)
            label[top : top + 14, left : left + 18] = 1
            frame = 22 + 12 * label + rng.normal(0, 0.1, label.shape)
            np.save(folder / "data" / split / "image" / f"{split}{index}.npy", frame.astype(np.float32))
            Image.fromarray(label).save(folder / "data" / split / "label" / f"{split}{index}.png")
    path = folder / "small_run.yaml"
    path.write_text(_CONFIG.format(data=folder / "data", folder=folder))
    return path


def fork_context() -> ForkServerContext:
    """What starts processes in milliseconds: they are forked from one that has imported all and done nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["main", "segmentor.trainer", "segmentor.tester"])
    return context


def start(config: Path, pairs: Sequence[str], output: Path) -> BaseProcess:
    """Start ``main.py --configs config --phase train`` with ``section.key=value`` pairs in a process of its own.

    Args:
        config: path.
        pairs: put over the config.
        output: gets what the process prints, appended.
    """
    arguments = ["--configs", str(config), "--phase", "train", *(part for p in pairs for part in p.split("=", 1))]
    process = fork_context().Process(target=_run, args=(arguments, output))
    process.start()
    return process


def _run(arguments: list[str], output: Path) -> None:
    # As in a process that was started from a shell; the loader makes its workers by it.
    multiprocessing.set_start_method("fork", force=True)
    torch.set_num_threads(1)
    with open(output, "a", buffering=1) as sys.stdout:
        sys.stderr = sys.stdout
        status = main.main(arguments)
    sys.exit(status)
