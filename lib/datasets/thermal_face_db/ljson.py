"""Facial landmarks in LJSON files, and the label that they draw."""

import json
import os
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from lib.utils.errors import DataError

NUM_POINTS = 68
MAX_BYTES = 1 << 20  # a file of 68 points has about 5 KB
MAX_COORDINATE = 1e5  # pixels; far beyond any camera, and safe in OpenCV's fixed-point drawing

STANDARD_GROUPS: dict[str, tuple[int, ...]] = {
    "chin": tuple(range(0, 17)),
    "leyebrow": tuple(range(17, 22)),
    "reyebrow": tuple(range(22, 27)),
    "centernose": tuple(range(27, 31)),
    "bottomnose": tuple(range(31, 36)),
    "leye": tuple(range(36, 42)),
    "reye": tuple(range(42, 48)),
    "outermouth": tuple(range(48, 60)),
    "innermouth": tuple(range(60, 68)),
}
"""Indices of the usual 68-point scheme; left and right are the picture's."""

HULLS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("chin",)),
    (2, ("outermouth", "innermouth")),
    (3, ("leye",)),
    (4, ("reye",)),
    (5, ("leyebrow",)),
    (6, ("reyebrow",)),
    (7, ("centernose", "bottomnose")),
)
"""(value in the label, groups whose points its hull encloses), in drawing order: later lies over earlier."""


class Landmarks(NamedTuple):
    """Landmarks of one face.

    Attributes:
        points: (68, 2) float64, [y, x] in pixels of the raw frame.
        groups: indices into the points by group name, all names of :data:`STANDARD_GROUPS`.
    """

    points: np.ndarray
    groups: Mapping[str, tuple[int, ...]]


def read_ljson(path: str | os.PathLike) -> Landmarks:
    """Read and check an LJSON file; nothing in it is trusted.

    A group's ``mask`` in the file's ``labels`` is used if it is a list of at least 3 distinct indices 0-67; a
    group that is missing, repeated or otherwise invalid falls back to the standard 68-point scheme.

    Raises:
        DataError: missing, unreadable, over 1 MiB, not JSON, or not 68 pairs of finite numbers.
    """
    path = Path(path)
    content = _load_json(path)
    landmarks = content.get("landmarks") if isinstance(content, dict) else None
    points = landmarks.get("points") if isinstance(landmarks, dict) else None
    if not isinstance(points, list):
        raise DataError(f'{path}: expected an LJSON object with a list at "landmarks"."points"')
    return Landmarks(_check_points(points, path), {**STANDARD_GROUPS, **_valid_groups(content.get("labels"))})


def draw_labels(
    points: np.ndarray, shape: tuple[int, int], groups: Mapping[str, Sequence[int]] = STANDARD_GROUPS
) -> np.ndarray:
    """Draw the filled convex hulls of the face's regions, as the Thermal Face Database's masks were drawn.

    Points are truncated to integers, border pixels belong to a hull, and what lies outside the frame is cut.

    Args:
        points: (68, 2) [y, x] in pixels, finite.
        shape: (H, W) of the frame.
        groups: indices into the points by group name.

    Returns:
        (H, W) uint8, values 0-7 as in :data:`lib.datasets.labels.RAW_CLASSES`.
    """
    corners = np.asarray(points, np.float64)[:, ::-1].astype(np.int32)
    label = np.zeros(shape, np.uint8)
    for value, names in HULLS:
        indices = [index for name in names for index in groups[name]]
        cv2.fillConvexPoly(label, cv2.convexHull(corners[indices]), value)
    return label


def _load_json(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(f"{path}: {size} bytes, more than any file of {NUM_POINTS} landmarks has")
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: unreadable landmarks ({error.strerror or error})") from error
    except DataError:
        raise
    except (ValueError, RecursionError) as error:  # bad UTF-8, bad JSON, endless digits, endless nesting
        raise DataError(f"{path}: not JSON ({error})") from error


def _check_points(points: list, path: Path) -> np.ndarray:
    if len(points) != NUM_POINTS:
        raise DataError(f"{path}: expected {NUM_POINTS} landmarks, got {len(points)}")
    for index, pair in enumerate(points):
        if not _is_coordinates(pair):
            raise DataError(f"{path}: landmark {index}: expected [y, x] in pixels, got {reprlib.repr(pair)}")
    return np.array(points, np.float64)


def _is_coordinates(pair: Any) -> bool:
    numbers = isinstance(pair, list) and len(pair) == 2 and all(type(value) in (int, float) for value in pair)
    return numbers and all(abs(value) <= MAX_COORDINATE for value in pair)  # NaN fails every comparison


def _valid_groups(labels: Any) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    repeated = set()
    for entry in labels if isinstance(labels, list) else ():
        name = entry.get("label") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in STANDARD_GROUPS:
            continue
        if name in found:
            repeated.add(name)
        mask = entry.get("mask")
        indices = isinstance(mask, list) and all(type(i) is int and 0 <= i < NUM_POINTS for i in mask)
        if indices and len(set(mask)) == len(mask) >= 3:
            found[name] = tuple(mask)
    return {name: mask for name, mask in found.items() if name not in repeated}
