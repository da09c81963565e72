"""A small clone with the layout of ThermalImagesDataset, of frames drawn here."""

from pathlib import Path

import cv2
import numpy as np

from tests.datasets.landmarks.helpers import points_of, yolo_line

SIZE = (48, 64)
SEQUENCES = {
    "1_Man_NoGlasses_Normal": "Face & Keypoints",
    "1_Man_Glasses1_Yawning": "Face & Kpts",
    "2_Man_NoGlasses_Yawning2": "Face & Kpts",
    "2_Man_Glasses2_Normal": "Face & Keypoints",
}
"""Folder of the landmarks by sequence."""


def write_clone(folder: Path, frames: int = 3) -> Path:
    """``frames`` frames of each of :data:`SEQUENCES`; yawning is annotated in the yawning ones, from frame 1 on."""
    rng = np.random.default_rng(0)
    for sequence, keypoints in SEQUENCES.items():
        (folder / sequence / "Jpg").mkdir(parents=True)
        (folder / sequence / keypoints / "labels").mkdir(parents=True)
        for index in range(frames):
            name = f"Imag_{index:05d}"
            image = rng.integers(40, 220, SIZE).astype(np.uint8)
            cv2.imwrite(str(folder / sequence / "Jpg" / f"{name}.jpg"), image)
            cv2.imwrite(str(folder / sequence / keypoints / f"{name}.jpg"), 255 - image)  # with points drawn in
            line = yolo_line(points_of(54, *SIZE), SIZE, 0.9 + index / 100)
            (folder / sequence / keypoints / "labels" / f"{name}.txt").write_text(line)
        if "Yawning" in sequence:
            lines = [f"c:\\Users\\x\\{sequence}\\Jpg\\Imag_{index:05d}.jpg;{min(index, 1)}" for index in range(frames)]
            (folder / sequence / "yawning_annotations.txt").write_text("\n".join(lines))
    return folder


def landmarks_file(clone: Path, sequence: str, index: int) -> Path:
    return clone / sequence / SEQUENCES[sequence] / "labels" / f"Imag_{index:05d}.txt"
