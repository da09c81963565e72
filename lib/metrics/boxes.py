"""Predicted faces compared with boxes about the true ones: of one frame, and of many.

Boxes are cheaper to draw than masks, so they tell how a network does on the frames of a new camera.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib.utils.errors import DataError

MARGIN = 0.1
"""A box is enlarged by this share of its width, and height, on each side: labels go round the chin and past the brows a
little, and people draw boxes tightly."""
ENOUGH_INSIDE = 0.9
"""Share of a frame's facial pixels that must lie in boxes."""
ENOUGH_FOUND = 0.2
"""Share of a box that facial pixels must cover for its face to count as found: about a third of what an uncovered face
fills. Glasses and a mask together leave little more than that in sight."""
FALSE_ALARM = 0.002
"""Share of a frame without a face that may be called face."""
_HEADER = ["frame", "x0", "y0", "x1", "y1"]


@dataclass(frozen=True)
class BoxScores:
    """How the facial pixels of one frame agree with the boxes of its faces.

    Attributes:
        frame: its name.
        faces: number of boxes.
        found: number of faces found.
        facial: share of the frame's pixels that are called face, 0 to 1.
        inside: share of these that lie in the enlarged boxes; 0 if there are none, nan in a frame without a face.
        inside_strict: in the boxes as they are.
    """

    frame: str
    faces: int
    found: int
    facial: float
    inside: float
    inside_strict: float


def box_scores(frame: str, label: np.ndarray, boxes: np.ndarray) -> BoxScores:
    """Compare the classes of a frame with the boxes of its faces.

    Args:
        frame: its name.
        label: (H, W) integer classes, 0 is background and every other one a part of a face.
        boxes: (N, 4) float, x0, y0, x1, y1 in pixels, edges of pixels: (0, 0, W, H) is the whole frame.

    >>> label = np.zeros((100, 100), np.uint8)
    >>> label[20:60, 20:60] = 1
    >>> scores = box_scores("a", label, np.array([[20, 20, 60, 60], [80, 80, 90, 90]]))
    >>> scores.faces, scores.found, scores.inside
    (2, 1, 1.0)
    """
    face = label > 0
    inside = inside_strict = float("nan")
    if len(boxes):
        inside, inside_strict = (_share_inside(face, boxes, margin) for margin in (MARGIN, 0.0))
    covered = [face[in_box(face.shape, box)] for box in boxes]
    found = sum(bool(pixels.size) and pixels.mean() >= ENOUGH_FOUND for pixels in covered)
    return BoxScores(frame, len(boxes), int(found), float(face.mean()), inside, inside_strict)


def _share_inside(face: np.ndarray, boxes: np.ndarray, margin: float) -> float:
    union = np.any([in_box(face.shape, box, margin) for box in boxes], axis=0)
    return float(face[union].sum() / max(face.sum(), 1))


def in_box(shape: tuple[int, ...], box: Sequence[float] | np.ndarray, margin: float = 0.0) -> np.ndarray:
    """(H, W) bool: the pixels whose centres are in ``box`` enlarged by ``margin`` of its size on each side.

    >>> int(in_box((4, 6), (1, 1, 3, 2)).sum())
    2
    """
    x0, y0, x1, y1 = box
    wide, high = margin * (x1 - x0), margin * (y1 - y0)
    y, x = np.ogrid[: shape[0], : shape[1]]
    rows = (y + 0.5 >= y0 - high) & (y + 0.5 < y1 + high)
    return rows & (x + 0.5 >= x0 - wide) & (x + 0.5 < x1 + wide)


def summarise_boxes(scores: Iterable[BoxScores]) -> dict[str, float | int | None]:
    """Numbers about many frames; None where there is no frame to tell.

    Returns:
        ``frames``, ``frames_with_face``; of frames with a face, ``good`` and ``good_strict`` (share with at least 90 %
        of the facial pixels in boxes, enlarged and as they are; a frame in which nothing is called face is not good),
        ``median_inside``, ``median_inside_strict``; ``faces`` and ``found`` (share of them); of frames without a face,
        ``false_alarms`` (share with more than 0.2 % of the pixels called face).
    """
    scores = list(scores)
    shown, empty = [s for s in scores if s.faces], [s for s in scores if not s.faces]
    faces = sum(s.faces for s in shown)
    return {
        "frames": len(scores),
        "frames_with_face": len(shown),
        "good": _mean([s.inside >= ENOUGH_INSIDE for s in shown]),
        "good_strict": _mean([s.inside_strict >= ENOUGH_INSIDE for s in shown]),
        "median_inside": _median([s.inside for s in shown]),
        "median_inside_strict": _median([s.inside_strict for s in shown]),
        "faces": faces,
        "found": sum(s.found for s in shown) / faces if faces else None,
        "false_alarms": _mean([s.facial > FALSE_ALARM for s in empty]),
    }


def as_json(scores: Sequence[BoxScores]) -> dict[str, Any]:
    """Everything as plain data; nan is None.

    Returns:
        ``overall``, the summary of all frames; ``people``, those of the frames with no face, with one and with several;
        ``frames``, the scores of each.
    """
    groups: dict[str, list[BoxScores]] = {"no face": [], "one": [], "several": []}
    for score in scores:
        groups[list(groups)[min(score.faces, 2)]].append(score)
    people = {name: summarise_boxes(group) for name, group in groups.items() if group}
    frames = [{k: None if v != v else v for k, v in asdict(score).items()} for score in scores]
    return {"overall": summarise_boxes(scores), "people": people, "frames": frames}


def _mean(values: list[bool]) -> float | None:
    return float(np.mean(values)) if values else None


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def read_boxes(path: Path) -> dict[str, np.ndarray]:
    """The boxes (N, 4) of frames: a line ``frame,x0,y0,x1,y1`` per face, ``frame,,,,`` for a frame without one.

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
    boxes: dict[str, list[list[float]]] = {}
    for number, row in rows:
        edges = _edges(row, f"{path}:{number}")
        boxes.setdefault(row[0].strip(), []).extend([edges] if edges else [])
    return {name: np.array(found, float).reshape(-1, 4) for name, found in boxes.items()}


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


def match_boxes(boxes: Mapping[str, np.ndarray], frames: Sequence[str], source: Path) -> dict[str, np.ndarray]:
    """The boxes of each of the frames, by its name; frames that the file doesn't mention are left out.

    Args:
        boxes: what :func:`read_boxes` returned.
        frames: names without ending.
        source: the file, for messages.

    Raises:
        DataError: the file mentions frames that there aren't.
    """
    by_stem = {name if name in frames else Path(name).stem: entry for name, entry in boxes.items()}
    strangers = sorted(set(by_stem) - set(frames))
    if strangers:
        listing = ", ".join(strangers[:5]) + (" ..." if len(strangers) > 5 else "")
        raise DataError(f"{source}: has boxes of frames that aren't in the folder: {listing}")
    return {name: by_stem[name] for name in frames if name in by_stem}
