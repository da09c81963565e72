"""Label Studio: its JSON export, a list of tasks."""

import re
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from lib.datasets.annotations.documents import check_names, entry, find_document, read_json, stem_of
from lib.datasets.annotations.run_lengths import unpack_label_studio
from lib.datasets.annotations.shapes import (
    Annotation,
    AnnotationSet,
    Shape,
    Size,
    check_size,
    ellipse,
    is_coordinate,
    rectangle,
    ring_of,
)
from lib.utils.errors import DataError

_AREAS = ("brush", "polygon", "rectangle", "ellipse")
_UPLOADED = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the name of a file that was uploaded to it."""


def read(path: Path) -> AnnotationSet:
    """The annotations of an export, or of the one in a folder; later regions lie over earlier ones.

    Raises:
        DataError: there is none, or it has another form.
    """
    path = find_document(path, ".json", "Label Studio")
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise DataError(f"{path}: no list of tasks; export it from Label Studio as JSON (not JSON-MIN)")
    found = []
    for number, task in enumerate(tasks, 1):
        where = f"{path}, task {task.get('id', number)}"
        found.append(Annotation(_name(task, where), where, partial(_shapes, task, where)))
    check_names(found)
    return AnnotationSet(found)


def _name(task: dict, where: str) -> str:
    data = entry(task, "data", dict, where)
    pictures = [value for value in data.values() if isinstance(value, str) and "." in value.rpartition("/")[2]]
    if len(pictures) != 1:
        raise DataError(f"{where}: expected one picture at 'data', got {str(data)[:60]}; export it anew")
    address = urlsplit(pictures[0])
    file = unquote(parse_qs(address.query).get("d", [address.path])[0])
    uploaded = task.get("file_upload") or "/upload/" in file
    return stem_of(_UPLOADED.sub("", file.rpartition("/")[2], count=1) if uploaded else file)


def _shapes(task: dict, where: str, size: Size) -> list[Shape]:
    listed = entry(task, "annotations", list, where) if task.get("annotations") is not None else []
    given = [one for one in listed if not (isinstance(one, dict) and one.get("was_cancelled"))]
    if len(given) > 1:
        raise DataError(f"{where}: has {len(given)} annotations, maybe of several people; keep one of them")
    results = [entry(one, "result", list, where) for one in given]
    regions = [(region, f"{where}, region {number}") for result in results for number, region in enumerate(result, 1)]
    return [_shape(*one, size) for one in regions if entry(one[0], "type", str, one[1]).endswith("labels")]


def _shape(region: dict, where: str, size: Size) -> Shape:
    value, kind = entry(region, "value", dict, where), entry(region, "type", str, where).removesuffix("labels")
    labels = value.get(f"{kind}labels")
    if not isinstance(labels, list) or len(labels) != 1 or not isinstance(labels[0], str):
        raise DataError(f"{where}: expected one label, got {str(labels)[:60]}; give it one")
    where = f"{where} ({labels[0]})"
    if kind not in _AREAS:
        raise DataError(f"{where}: a {kind} has no area; draw a polygon or with the brush in its place, or remove it")
    check_size((region.get("original_height"), region.get("original_width")), size, where)
    if kind == "brush":
        values = unpack_label_studio(value.get("rle"), where)
        if values.size != 4 * size[0] * size[1]:
            raise DataError(f"{where}: a brush of {values.size // 4} pixels, the frame has {size[0] * size[1]}")
        return Shape(labels[0], where, mask=values[3::4].reshape(size) > 0)
    # Percent of width and height.
    scale = np.array([size[1], size[0]]) / 100
    if kind == "polygon":
        return Shape(labels[0], where, (ring_of(entry(value, "points", list, where), where) * scale,))
    keys = ("x", "y", "width", "height") if kind == "rectangle" else ("x", "y", "radiusX", "radiusY")
    x, y, across, down = (_number(value, key, where) * scale[index % 2] for index, key in enumerate(keys))
    degrees = _number({"rotation": 0.0, **value}, "rotation", where)
    if kind == "ellipse":
        return Shape(labels[0], where, (ellipse(x, y, across, down, degrees),))
    # Turned about its first corner.
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Shape(labels[0], where, (rectangle(0, 0, across, down) @ turn + (x, y),))


def _number(value: dict[str, Any], key: str, where: str) -> float:
    number = entry(value, key, float, where)
    if not is_coordinate(number):
        raise DataError(f"{where}: expected a finite number at {key!r}, got {number}; draw it anew")
    return number
