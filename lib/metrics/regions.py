"""What the regions of a face measure in one frame: size, temperatures, place, and whether to trust them.

The regions are the classes but the background (class 0), and two parts of a class named ``nose``:

- ``nostrils``, its lowest fifth, where breathing warms and cools the skin (Fei and Pavlidis, *Thermistor at a
  Distance*, IEEE TBME 2010; Pereira et al., *Remote monitoring of breathing dynamics using infrared thermography*,
  Biomed. Opt. Express 2015);
- ``nose_tip``, between a fifth and not quite half of the way up, and within a quarter of the nose's width of its axis:
  the part that cools under stress (Ioannou et al., *Thermal infrared imaging in psychophysiology*, Psychophysiology
  2014).

Low and high are along the face, not the frame: see :func:`up_direction`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

NOSE_PARTS = ("nostrils", "nose_tip")
NOSTRILS_END = 0.2
NOSE_TIP_END = 0.45
"""Ends of the parts, as shares of the nose's height from below. In the 68-point scheme the base of the nose lies in the
lowest tenth of that height, and its tip near a quarter."""
NOSE_TIP_HALF_WIDTH = 0.25
"""Of the nose's width."""

BOTH_EYES = 0.2
"""What is seen of the smaller eye is at least this share of the other; less is a speck."""
AGREEMENT = 0.5
"""Cosine of the angle (60 degrees) that eyes may turn the rough direction by; more, and they are none."""
ELONGATED = 1.3
"""Standard deviation of a nose's pixels along its longer axis, over that along the other, for it to show the way up."""

MIN_PIXELS = 10
MIN_CONFIDENCE = 0.5
SKIN_CELSIUS = (5.0, 45.0)
"""Mean temperatures that skin can have, from a nose in the cold to one beside a heater."""
_QUANTILES = {"min": 0, "p05": 5, "median": 50, "p95": 95, "max": 100}


class Region(NamedTuple):
    """A part of a frame.

    Attributes:
        mask: (H, W) bool.
        whole: False for a part of a nose that the frame cuts off, as nobody knows where that one ends.
    """

    mask: np.ndarray
    whole: bool = True


@dataclass(frozen=True)
class Measurement:
    """One region in one frame. Numbers are None where there is nothing to say: no pixels, or no temperatures.

    Attributes:
        region: its name.
        pixels: that were measured.
        mean, std, min, p05, median, p95, max: of their temperatures in deg C; ``std`` is the population's.
        centroid_x, centroid_y: in pixels; (0, 0) is the centre of the frame's first pixel.
        confidence: their mean probability of the predicted class, 0 to 1.
        valid: at least :data:`MIN_PIXELS`, a confidence of :data:`MIN_CONFIDENCE`, a mean that skin can have
            (:data:`SKIN_CELSIUS`), and of parts of the nose: that the frame holds the whole nose.
    """

    region: str
    pixels: int
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    p05: float | None = None
    median: float | None = None
    p95: float | None = None
    max: float | None = None
    centroid_x: float | None = None
    centroid_y: float | None = None
    confidence: float | None = None
    valid: bool = False


def region_names(class_names: Sequence[str]) -> list[str]:
    """The names of the regions that :func:`find_regions` finds, in its order.

    >>> region_names(["background", "eyes", "nose"])
    ['eyes', 'nose', 'nostrils', 'nose_tip']
    """
    return [*class_names[1:], *(NOSE_PARTS if _has_parts(class_names) else ())]


def find_regions(label: np.ndarray, class_names: Sequence[str], erode: int = 0) -> dict[str, Region]:
    """The regions of a frame by name; those that it doesn't show are empty.

    Args:
        label: (H, W) uint8 classes.
        class_names: C names. ``nose`` has the two parts; ``eyes`` (or ``left eye`` and the like) and ``mouth`` help to
            tell which way is up.
        erode: pixels that are taken off the edges of every class; the parts of the nose are found before that. The
            frame's own edge is none.
    """
    masks = {index: label == index for index in range(1, len(class_names))}
    regions = {class_names[index]: Region(_eroded(mask, erode)) for index, mask in masks.items()}
    if _has_parts(class_names):
        face = (_classes(class_names, part) for part in ("nose", "eyes?", "mouth|lips?"))
        nose, eyes, mouth = (_union([masks[index] for index in indices], label.shape) for indices in face)
        nose, inner = _largest(nose), _eroded(nose, erode)
        whole = not _touches_edge(nose)
        for name, mask in zip(NOSE_PARTS, nose_parts(nose, eyes, mouth), strict=True):
            regions[name] = Region(mask & inner, whole)
    return regions


def measure(name: str, region: Region, temperatures: np.ndarray | None, probability: np.ndarray) -> Measurement:
    """Measure a region.

    Args:
        name: of the region.
        region: from :func:`find_regions`.
        temperatures: (H, W) float32 deg C; None where the frame has none.
        probability: (H, W) float32, that of each pixel's predicted class.

    >>> label = np.zeros((8, 10), np.uint8)
    >>> label[2:6, 3:8] = 1
    >>> cheeks = find_regions(label, ["background", "cheeks"])["cheeks"]
    >>> found = measure("cheeks", cheeks, np.full(label.shape, 33.5, np.float32), np.ones(label.shape, np.float32))
    >>> found.pixels, found.mean, found.centroid_x, found.valid
    (20, 33.5, 5.0, True)
    """
    rows, columns = window = _window(region.mask)
    mask = region.mask[window]
    moments = cv2.moments(_bytes(mask), binaryImage=True)
    pixels = round(moments["m00"])
    if not pixels:
        return Measurement(name, 0)
    x, y = columns.start + moments["m10"] / pixels, rows.start + moments["m01"] / pixels
    confidence = float(probability[window][mask].mean(dtype=np.float64))
    statistics: dict[str, float] = {}
    if temperatures is not None:
        values = temperatures[window][mask]
        mean, std = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
        quantiles = np.percentile(values, list(_QUANTILES.values())).tolist()
        statistics = {"mean": mean, "std": std, **dict(zip(_QUANTILES, quantiles, strict=True))}
    plausible = temperatures is None or SKIN_CELSIUS[0] <= statistics["mean"] <= SKIN_CELSIUS[1]
    valid = pixels >= MIN_PIXELS and confidence >= MIN_CONFIDENCE and plausible and region.whole
    return Measurement(name, pixels, centroid_x=x, centroid_y=y, confidence=confidence, valid=valid, **statistics)


def nose_parts(nose: np.ndarray, eyes: np.ndarray, mouth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nostrils and nose tip, bool (H, W) each, as the module says; empty without a nose.

    Args:
        nose, eyes, mouth: bool (H, W).
    """
    nostrils, tip = np.zeros_like(nose), np.zeros_like(nose)
    points = _points(nose)
    if len(points):
        up = up_direction(nose, eyes, mouth)
        height, across = points @ up, points @ np.array([-up[1], up[0]])
        # Not the extremes: a single pixel that sticks out would move them.
        bottom, top = np.percentile(height, (1, 99))
        share = (height - bottom) / max(top - bottom, 1.0)
        width = max(np.ptp(np.percentile(across, (1, 99))), 1.0)
        near = np.abs(across - across.mean()) <= NOSE_TIP_HALF_WIDTH * width
        columns, rows = points.T
        nostrils[rows, columns] = share <= NOSTRILS_END
        tip[rows, columns] = near & (share > NOSTRILS_END) & (share <= NOSE_TIP_END)
    return nostrils, tip


def up_direction(nose: np.ndarray, eyes: np.ndarray, mouth: np.ndarray) -> np.ndarray:
    """The unit vector (x, y) from chin to forehead, in pixels of the frame, whose y points down.

    Roughly, it leads from the mouth to the nose; without a mouth it is the nose's longer axis, towards the eyes or
    else upwards in the frame; without such an axis it is the frame's. Where eyes are seen on both sides of the nose,
    it is square to the line between them, as turning the head moves the nose against the mouth, but not the eyes.

    Args:
        nose: bool (H, W), not empty.
        eyes, mouth: bool (H, W), perhaps empty.
    """
    nose_at, eye_points = _points(nose).mean(0), _points(eyes)
    rough = _rough_direction(nose, eye_points, mouth)
    side = (eye_points - nose_at) @ np.array([-rough[1], rough[0]])
    left, right = eye_points[side < 0], eye_points[side > 0]
    if min(len(left), len(right)) > BOTH_EYES * max(len(left), len(right)):
        line = right.mean(0) - left.mean(0)
        square = np.array([line[1], -line[0]]) / np.linalg.norm(line)
        if square @ rough > AGREEMENT:
            return square
    return rough


def _rough_direction(nose: np.ndarray, eye_points: np.ndarray, mouth: np.ndarray) -> np.ndarray:
    """See :func:`up_direction`."""
    points = _points(nose)
    if mouth.any():
        away = points.mean(0) - _points(_largest(mouth)).mean(0)
        if np.linalg.norm(away) > 1:
            return away / np.linalg.norm(away)
    up = np.array([0.0, -1.0])
    if len(points) > 2:
        variances, axes = np.linalg.eigh(np.cov(points.T))
        if variances[1] > ELONGATED**2 * max(variances[0], 1e-6):
            axis = axes[:, 1]
            towards = eye_points.mean(0) - points.mean(0) if len(eye_points) else up
            return axis if axis @ towards > 0 else -axis
    return up


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest 8-connected part of a mask."""
    window = _window(mask)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(_bytes(mask[window]), connectivity=8)
    if count <= 2:
        return mask
    largest = np.zeros_like(mask)
    largest[window] = parts == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])
    return largest


def _points(mask: np.ndarray) -> np.ndarray:
    """(N, 2) x and y of its pixels."""
    rows, columns = window = _window(mask)
    found = cv2.findNonZero(_bytes(mask[window]))
    # (N, 2) in OpenCV 5, (N, 1, 2) in OpenCV 4.
    return np.empty((0, 2), int) if found is None else found.reshape(-1, 2) + (columns.start, rows.start)


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns that hold all of a mask; the first pixel alone of an empty one."""
    left, top, width, height = cv2.boundingRect(_bytes(mask))
    return slice(top, top + max(height, 1)), slice(left, left + max(width, 1))


def _bytes(mask: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(mask).view(np.uint8)


def _eroded(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Without the pixels that have one of another class within ``pixels`` rows and columns."""
    if pixels == 0:
        return mask
    return cv2.erode(_bytes(mask), np.ones((3, 3), np.uint8), iterations=pixels).view(bool)


def _touches_edge(mask: np.ndarray) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _union(masks: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.logical_or.reduce(masks) if masks else np.zeros(shape, bool)


def _has_parts(class_names: Sequence[str]) -> bool:
    """Whether there is a nose whose parts aren't classes of their own."""
    return bool(_classes(class_names, "nose")) and not set(NOSE_PARTS) & set(class_names)


def _classes(class_names: Sequence[str], part: str) -> list[int]:
    """Indices of the classes that have the word ``part`` (a regular expression) in their name; not the background."""
    words = re.compile(rf"(?<![a-z])({part})(?![a-z])")
    return [index for index, name in enumerate(class_names) if index > 0 and words.search(name.lower())]
