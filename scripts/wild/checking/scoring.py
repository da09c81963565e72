"""Scores of predicted faces against boxes: of one frame, and of many."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

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


@dataclass(frozen=True)
class FrameScore:
    """What was predicted for a frame.

    Attributes:
        frame: its name.
        faces: number of boxes.
        found: number of faces found.
        facial: share of the frame's pixels that are called face.
        inside: share of these that lie in the enlarged boxes; 0 if there are none, nan in a frame without a face.
        inside_strict: in the boxes as they are.
        conditions: what the frame shows, values by name.
    """

    frame: str
    faces: int
    found: int
    facial: float
    inside: float
    inside_strict: float
    conditions: dict[str, list[str]] = field(default_factory=dict)


def score_frame(
    name: str, label: np.ndarray, boxes: np.ndarray, conditions: dict[str, list[str]] | None = None
) -> FrameScore:
    """Compare the classes of a frame with the boxes of its faces.

    Args:
        name: of the frame.
        label: (H, W) integer classes, 0 is background and every other one a part of a face.
        boxes: (N, 4) float, x0, y0, x1, y1 in pixels, edges of pixels: (0, 0, W, H) is the whole frame.
        conditions: see :class:`FrameScore`.
    """
    face = label > 0
    insides = [np.nan, np.nan]
    if len(boxes):
        unions = [np.any([in_box(label.shape, box, m) for box in boxes], axis=0) for m in (MARGIN, 0.0)]
        insides = [float(face[union].sum() / max(face.sum(), 1)) for union in unions]
    covered = [face[in_box(label.shape, box)] for box in boxes]
    found = sum(bool(pixels.size) and pixels.mean() >= ENOUGH_FOUND for pixels in covered)
    return FrameScore(name, len(boxes), int(found), float(face.mean()), *insides, conditions or {})


def in_box(shape: tuple[int, int], box: Sequence[float], margin: float = 0.0) -> np.ndarray:
    """(H, W) bool: the pixels whose centres are in ``box`` enlarged by ``margin`` of its size on each side."""
    x0, y0, x1, y1 = box
    wide, high = margin * (x1 - x0), margin * (y1 - y0)
    y, x = np.ogrid[: shape[0], : shape[1]]
    rows = (y + 0.5 >= y0 - high) & (y + 0.5 < y1 + high)
    return rows & (x + 0.5 >= x0 - wide) & (x + 0.5 < x1 + wide)


def summarise(scores: Iterable[FrameScore]) -> dict[str, float | int | None]:
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


def by_condition(scores: Iterable[FrameScore]) -> dict[str, dict[str, dict]]:
    """:func:`summarise` of the frames of each value of each condition; a frame may show several values of one."""
    groups: dict[str, dict[str, list[FrameScore]]] = {}
    for score in scores:
        for name, values in score.conditions.items():
            for value in values:
                groups.setdefault(name, {}).setdefault(value, []).append(score)
    return {
        name: {value: summarise(group) for value, group in sorted(values.items(), key=_by_number)}
        for name, values in sorted(groups.items())
    }


def as_json(scores: Sequence[FrameScore]) -> dict:
    """Everything as plain data: ``overall``, ``conditions``, ``frames``; nan is None."""
    frames = [{k: None if v != v else v for k, v in asdict(score).items()} for score in scores]
    return {"overall": summarise(scores), "conditions": by_condition(scores), "frames": frames}


def _by_number(item: tuple[str, object]) -> tuple[int, str]:
    """Sort key: the number that a value begins with, then the value."""
    number = re.match(r"\d+", item[0])
    return (int(number.group()) if number else 0), item[0]


def _mean(values: list[bool]) -> float | None:
    return float(np.mean(values)) if values else None


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None
