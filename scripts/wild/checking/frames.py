"""Frames to check with, in a folder, and the boxes of their faces: drawn here, or a user's own."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from scripts.wild.checking.people import draw_frame

BOXES = "boxes.csv"
_HEADER = ["frame", "x0", "y0", "x1", "y1"]


class Known(NamedTuple):
    """What is known of a frame: ``boxes`` (N, 4) float, x0, y0, x1, y1 in pixels; and what it shows."""

    boxes: np.ndarray
    conditions: dict[str, list[str]]


def write_frames(folder: Path, seed: int, count: int, black_hot: bool = False) -> dict[str, Known]:
    """Draw ``count`` frames into ``folder``: ``.npy`` in deg C or ``.png`` of grey levels; and ``boxes.csv`` beside it.

    Frames that an earlier call wrote are replaced or removed.

    Returns:
        What is known, by the frames' names.
    """
    for file in folder.glob("check_*"):
        file.unlink()
    known = {}
    for number in tqdm(range(count), desc="draw", unit="frame", disable=None):
        frame, name = draw_frame(seed, number, black_hot), f"check_{seed}_{number:05d}"
        with atomic_write(folder / f"{name}{'.png' if frame.values.dtype == np.uint8 else '.npy'}") as file:
            if frame.values.dtype == np.uint8:
                file.write(cv2.imencode(".png", frame.values)[1].tobytes())
            else:
                np.save(file, frame.values)
        known[name] = Known(frame.boxes, frame.conditions)
    write_boxes(folder.parent / BOXES, {name: entry.boxes for name, entry in known.items()})
    return known


def write_boxes(path: Path, boxes: dict[str, np.ndarray]) -> None:
    """Write what :func:`read_boxes` reads."""
    with atomic_write(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_HEADER)
        for name, found in boxes.items():
            rows.writerows([name, *(f"{edge:g}" for edge in box)] for box in found)
            if not len(found):
                rows.writerow([name, "", "", "", ""])


def read_boxes(path: Path) -> dict[str, Known]:
    """The boxes of frames: a line ``frame,x0,y0,x1,y1`` per face, ``frame,,,,`` for a frame without one.

    ``frame`` is a file's name with or without its ending; the first line may be a header.

    Raises:
        DataError: missing, empty, or a line says something else.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if any(map(str.strip, row))]
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror}") from error
    if rows and [cell.strip().lower() for cell in rows[0][1]] == _HEADER:
        rows = rows[1:]
    if not rows:
        raise DataError(f"{path}: no boxes; expected lines frame,x0,y0,x1,y1")
    boxes: dict[str, list] = {}
    for number, row in rows:
        edges = _edges(row, f"{path}:{number}")
        boxes.setdefault(row[0].strip(), []).extend([edges] if edges else [])
    return {name: Known(np.array(found, float).reshape(-1, 4), _people(len(found))) for name, found in boxes.items()}


def _edges(row: list[str], where: str) -> list[float] | None:
    """x0, y0, x1, y1 of a line; None of a frame without a face."""
    cells = [cell.strip() for cell in row[1:]]
    if len(cells) == 4 and not any(cells):
        return None
    try:
        x0, y0, x1, y1 = map(float, cells)
    except ValueError:
        x0 = y0 = x1 = y1 = np.nan
    if not (row[0].strip() and x1 > x0 and y1 > y0 and np.isfinite([x0, y0, x1, y1]).all()):
        raise DataError(
            f"{where}: expected frame,x0,y0,x1,y1 with x0 < x1 and y0 < y1, or frame,,,,, got {','.join(row)}"
        )
    return [x0, y0, x1, y1]


def _people(faces: int) -> dict[str, list[str]]:
    return {"people": ["no face in sight" if not faces else "one" if faces == 1 else "several"]}


def match(known: dict[str, Known], names: Iterable[str], boxes_file: Path) -> dict[str, Known]:
    """What is known of each of the frames ``names``; frames that the file doesn't mention are left out.

    Raises:
        DataError: none is mentioned, or the file mentions frames that there aren't.
    """
    by_stem = {name if name in names else Path(name).stem: entry for name, entry in known.items()}
    strangers = sorted(set(by_stem) - set(names))
    if strangers:
        listing = ", ".join(strangers[:5]) + (" ..." if len(strangers) > 5 else "")
        raise DataError(f"{boxes_file}: has boxes of frames that aren't in the folder: {listing}")
    return {name: by_stem[name] for name in names if name in by_stem}
