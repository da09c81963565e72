"""The landmarks of one face, and what makes numbers from a file usable as such."""

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.datasets.landmarks.regions import COUNTS
from lib.utils.errors import DataError

MAX_BYTES = 1 << 20
"""A file of the landmarks of one face has about 5 KB."""
MAX_COORDINATE = 1e5
"""Pixels; far beyond any camera, and safe in OpenCV's fixed-point drawing."""
MARGIN = 0.25
"""Of the frame's longer side: how far outside the frame a landmark may lie. Faces that the frame cuts off are data;
farther out, landmarks belong to another frame."""


class Landmarks(NamedTuple):
    """Landmarks of one face.

    Attributes:
        points: (68, 2) or (54, 2) float64, [y, x] in pixels of the frame.
        groups: indices into the points by group name, all names of
            :data:`lib.datasets.landmarks.regions.STANDARD_GROUPS`.
        confidence: mean over the points, 0 to 1, of how sure a detector was; None where the file doesn't say.
    """

    points: np.ndarray
    groups: Mapping[str, tuple[int, ...]]
    confidence: float | None = None


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Content of a landmark file.

    Raises:
        DataError: missing, unreadable, or larger than ``max_bytes``.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise DataError(f"{path}: {size} bytes, more than any such file of landmarks has")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: unreadable landmarks ({error.strerror or error})") from error


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """Content of a landmark file that is UTF-8 text; errors as of :func:`read_bytes`."""
    try:
        return read_bytes(path, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no text ({error})") from error


def check_points(points: Sequence, where: object) -> np.ndarray:
    """Pairs from a file as an array, if all can be landmarks.

    Args:
        points: of each landmark [y, x] in pixels; None in the place of a pair or of its numbers is a landmark that
            wasn't marked.
        where: the file (and line), for messages.

    Returns:
        (68, 2) or (54, 2) float64.

    Raises:
        DataError: another number of points, a landmark that wasn't marked, or one that is no pair of finite numbers
            within 100,000 pixels; names the landmark, counted from 0.
    """
    if len(points) not in COUNTS:
        raise DataError(f"{where}: expected {' or '.join(map(str, COUNTS))} landmarks, got {len(points)}")
    for index, pair in enumerate(points):
        if pair is None or isinstance(pair, list) and len(pair) == 2 and None in pair:
            raise DataError(f"{where}: landmark {index} is null: it wasn't marked, and masks need all")
        if not _is_coordinates(pair):
            raise DataError(f"{where}: landmark {index}: expected [y, x] in pixels, got {reprlib.repr(pair)}")
    return np.array(points, np.float64)


def _is_coordinates(pair: object) -> bool:
    if not (isinstance(pair, list) and len(pair) == 2):
        return False
    # NaN fails every comparison, and True is no number here.
    return all(type(value) in (int, float) and abs(value) <= MAX_COORDINATE for value in pair)


def check_inside(points: np.ndarray, size: tuple[int, int], where: object) -> None:
    """Refuse landmarks that must belong to another frame.

    Args:
        points: (N, 2) [y, x] in pixels.
        size: (H, W) of the frame.
        where: the file, for messages.

    Raises:
        DataError: a landmark lies outside the frame by more than a quarter of its longer side.
    """
    outside = max(np.max(-points), np.max(points - np.array(size) + 1))
    margin = MARGIN * max(size)
    if outside > margin:
        raise DataError(
            f"{where}: a landmark lies {outside:.0f} pixels outside the frame of {size[0]}x{size[1]}; "
            f"at most {margin:.0f} (a quarter of the longer side) are expected"
        )
