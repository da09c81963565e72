"""LJSON files of landmarks, as menpo and landmarker.io write them: versions 1, 2 and 3."""

import json
from pathlib import Path
from typing import Any

from lib.datasets.landmarks.points import Landmarks, check_points, read_bytes
from lib.datasets.landmarks.regions import COUNTS, STANDARD_GROUPS, standard_groups
from lib.utils.errors import DataError


def read_ljson(path: Path) -> Landmarks:
    """Read and check an LJSON file; nothing in it is trusted.

    Version 1 has ``groups``, a list of ``{label, landmarks: [{point: [y, x]}, ...]}``, whose points follow each other.
    Version 2 has ``landmarks.points`` and ``labels``, a list of ``{label, mask}``. Version 3 has ``groups``, an object
    of such landmarks by name, of which one must be of a face. A file without a version is read as version 2.

    A group of :data:`STANDARD_GROUPS` that the file names is used if it is a list of at least 3 distinct indices; one
    that is missing, repeated or otherwise invalid falls back to the standard scheme.

    Raises:
        DataError: missing, unreadable, over 1 MiB, not JSON, of another version, or not 68 or 54 pairs of finite
            numbers; names the landmark that is null, that is, wasn't marked.
    """
    content = _load_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected an LJSON object, got {type(content).__name__}")
    version = content.get("version", 2)
    if type(version) is not int or version not in _VERSIONS:
        raise DataError(f"{path}: LJSON of version {str(version)[:20]}; versions 1, 2 and 3 can be read")
    points, labels = _VERSIONS[version](content, path)
    checked = check_points(points, path)
    return Landmarks(checked, {**standard_groups(len(checked)), **_valid_groups(labels, len(checked))})


def _load_json(path: Path) -> Any:
    content = read_bytes(path)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # bad UTF-8, bad JSON, endless digits, endless nesting
        raise DataError(f"{path}: not JSON ({error})") from error


def _version_1(content: dict, path: Path) -> tuple[list, list]:
    points: list = []
    labels = []
    groups = content.get("groups")
    for group in groups if isinstance(groups, list) else [None]:
        marks = group.get("landmarks") if isinstance(group, dict) else None
        if not isinstance(group, dict) or not isinstance(marks, list):
            raise DataError(f'{path}: expected an LJSON object with lists at "groups"[]."landmarks" (version 1)')
        labels.append({"label": group.get("label"), "mask": list(range(len(points), len(points) + len(marks)))})
        points += [mark.get("point") if isinstance(mark, dict) else mark for mark in marks]
    return points, labels


def _version_2(content: dict, path: Path) -> tuple[list, Any]:
    points = _points_of(content)
    if points is None:
        raise DataError(f'{path}: expected an LJSON object with a list at "landmarks"."points"')
    return points, content.get("labels")


def _version_3(content: dict, path: Path) -> tuple[list, Any]:
    groups = content.get("groups")
    if not isinstance(groups, dict):
        groups = {}
    found = {name: _points_of(group) for name, group in groups.items()}
    listed = {name: points for name, points in found.items() if points is not None}
    faces = [name for name, points in listed.items() if len(points) in COUNTS] if len(listed) > 1 else list(listed)
    if len(faces) != 1:
        which = ", ".join(f"{name[:30]} ({len(points)})" for name, points in list(listed.items())[:8]) or "none"
        raise DataError(
            f'{path}: expected an LJSON object with one list of 68 or 54 at "groups".*."landmarks"."points" '
            f"(version 3), got {which}"
        )
    return listed[faces[0]], groups[faces[0]].get("labels")


_VERSIONS = {1: _version_1, 2: _version_2, 3: _version_3}


def _points_of(group: Any) -> list | None:
    landmarks = group.get("landmarks") if isinstance(group, dict) else None
    points = landmarks.get("points") if isinstance(landmarks, dict) else None
    return points if isinstance(points, list) else None


def _valid_groups(labels: Any, count: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    repeated = set()
    for entry in labels if isinstance(labels, list) else ():
        name = entry.get("label") if isinstance(entry, dict) else None
        if not isinstance(name, str) or name not in STANDARD_GROUPS:
            continue
        if name in found:
            repeated.add(name)
        mask = entry.get("mask")
        indices = isinstance(mask, list) and all(type(i) is int and 0 <= i < count for i in mask)
        if indices and len(set(mask)) == len(mask) >= 3:
            found[name] = tuple(mask)
    return {name: mask for name, mask in found.items() if name not in repeated}
