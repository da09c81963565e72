"""Frames that are segmented for a figure."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lib.datasets.labels import read_label
from scripts.prediction import predict


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
        predict(checkpoint, taken, given)
        return {name: read_label(given / "label" / f"{name}.png") for name in frames}
