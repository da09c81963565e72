"""Frames that a person saves while watching, with their masks as labels to correct."""

import threading
from pathlib import Path

import cv2
import numpy as np

from lib.datasets.annotations.labelme import LABELS_FILE
from lib.thermal import ThermalFrame
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest
from segmentor.conversion.tool_folder import ToolFolder

TOOL = "labelme"
REMEDY = "name another folder with --save_to"


class SavedFrames:
    """Writes ``frames/`` and ``labelme/`` of a folder, which ``scripts/convert.sh`` takes as FRAMES and LABELS.

    Threads may save at the same time. Files that were changed since, such as a corrected label, are never replaced.

    Args:
        folder: need not exist.
        names: of the classes, the background first.
    """

    def __init__(self, folder: Path, names: list[str]) -> None:
        self._folder = folder
        self._manifest = Manifest(folder, "results")
        self._tool = ToolFolder(folder / TOOL, TOOL, names, self._manifest)
        self._turn = threading.Lock()

    def save(self, name: str, frame: ThermalFrame, label: np.ndarray) -> Path:
        """Write a frame and its label.

        Args:
            name: of the frame.
            frame: written as deg C, or as grey levels.
            label: (H, W) uint8 classes.

        Returns:
            The file of the frame.

        Raises:
            OutputError: the files are there and were changed, or can't be written.
        """
        levels = None if frame.radiometric else _grey_levels(frame.values)
        path = self._folder / "frames" / f"{name}{'.npy' if levels is None else '.png'}"
        labels = [self._folder / TOOL / file for file in (f"{name}.png", f"{name}.json", LABELS_FILE)]
        with self._turn:
            self._manifest.refuse_others([path, *labels], REMEDY)
            with self._manifest.writing(path), atomic_write(path) as file:
                if levels is None:
                    np.save(file, frame.values)
                else:
                    file.write(cv2.imencode(".png", levels)[1])
            self._tool.finish([self._tool.add(name, frame.values, label)])
        return path


def _grey_levels(values: np.ndarray) -> np.ndarray | None:
    """Levels of a picture of 8 bits, (H, W) uint8; None for numbers that such a picture can't hold."""
    levels = values.astype(np.uint8) if values.min() >= 0 and values.max() <= 255 else None
    return levels if levels is not None and np.array_equal(levels, values) else None
