"""Small raw and prepared databases for the tests of this folder."""

import json
from pathlib import Path

import cv2
import numpy as np


def face_points(height: float, width: float) -> np.ndarray:
    """(68, 2) [y, x] of a schematic face in the middle of a frame, in the order of the 68-point scheme."""
    centre, radius = np.array([height * 0.45, width * 0.5]), height * 0.3

    def arc(y: float, x: float, ry: float, rx: float, count: int, start: float, stop: float) -> np.ndarray:
        angles = np.linspace(start, stop, count, endpoint=abs(stop - start) < 2 * np.pi)
        return np.stack([y + ry * np.sin(angles), x - rx * np.cos(angles)], 1)

    parts = [arc(0, 0, 1, 1, 17, 0, np.pi)]
    parts += [arc(-0.3, side * 0.4, -0.08, 0.25, 5, 0, np.pi) for side in (-1, 1)]
    parts += [np.stack([np.linspace(-0.2, 0.2, 4), np.zeros(4)], 1), arc(0.25, 0, 0.05, 0.2, 5, 0, np.pi)]
    parts += [arc(-0.15, side * 0.4, 0.08, 0.2, 6, 0, 2 * np.pi) for side in (-1, 1)]
    parts += [arc(0.6, 0, 0.15, 0.35, 12, 0, 2 * np.pi), arc(0.6, 0, 0.07, 0.2, 8, 0, 2 * np.pi)]
    return centre + radius * np.concatenate(parts)


def write_ljson(path: Path, points: np.ndarray, labels: list | None = None) -> None:
    """An LJSON file of ``points``."""
    content = {"version": 2, "labels": labels or [], "landmarks": {"points": np.asarray(points).tolist()}}
    path.write_text(json.dumps(content))


def write_raw_frame(
    folder: Path, stem: str, shape: tuple[int, int] = (48, 64), ending: str = ".jpg_lfb", seed: int = 0
) -> np.ndarray:
    """A raw frame of ``shape`` with its landmarks; returns the temperatures float64."""
    folder.mkdir(parents=True, exist_ok=True)
    image = 20 + 15 * np.random.default_rng(seed).random(shape)
    np.save(folder / f"{stem}{ending}.npy", image)
    write_ljson(folder / f"{stem}{ending}.ljson", face_points(*shape))
    return image


def write_pair(
    folder: Path, name: str, shape: tuple[int, ...] = (6, 8), value: float = 0.0, label: np.ndarray | None = None
) -> None:
    """``image/<name>.npy``, its every value ``value``, and ``label/<name>.png``."""
    (folder / "image").mkdir(parents=True, exist_ok=True)
    (folder / "label").mkdir(exist_ok=True)
    np.save(folder / "image" / f"{name}.npy", np.full(shape, value, np.float32))
    label = np.zeros(shape[:2], np.uint8) if label is None else label
    cv2.imwrite(str(folder / "label" / f"{name}.png"), label)
