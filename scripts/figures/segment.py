"""Frames through a trained network, as ``bash scripts/predict.sh`` does it."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lib.datasets.frames import read_label
from lib.utils.checkpoint import portable_config
from lib.utils.config import Config, load_config
from segmentor.checks import check_names
from segmentor.predictor import Predictor
from segmentor.runtime import start_runtime


def config_of(checkpoint: Path, **predicting: str) -> Config:
    """The config that a checkpoint holds of its network: classes, their colours, normalisation.

    Args:
        checkpoint: a ``.pth`` file.
        predicting: ``input`` and ``out_dir`` where frames are to be predicted.

    Raises:
        CheckpointError: it can't be read, or holds no config.
    """
    flags = {"phase": "predict", "network.resume": str(checkpoint)}
    if predicting:
        flags |= {"predict.input": predicting["input"], "test.out_dir": predicting["out_dir"]}
    return load_config("", flags, checks=[check_names], base=portable_config(checkpoint))[0]


def segment(checkpoint: Path, frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Segment frames.

    Args:
        checkpoint: a ``.pth`` file.
        frames: (H, W) float32 deg C by name.

    Returns:
        (H, W) uint8 classes by name.

    Raises:
        CheckpointError: the checkpoint can't be used.
    """
    with TemporaryDirectory() as folder:
        taken, given = Path(folder, "frames"), Path(folder, "found")
        taken.mkdir()
        for name, frame in frames.items():
            np.save(taken / f"{name}.npy", frame)
        config = config_of(checkpoint, input=str(taken), out_dir=str(given))
        with start_runtime(config) as runtime:
            Predictor(config, runtime).run()
        return {name: read_label(given / "label" / f"{name}.png") for name in frames}
