"""labelme: a JSON file beside each picture."""

import base64
import io
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib.datasets.annotations.documents import entry, read_json, read_text
from lib.datasets.annotations.shapes import (
    Annotation,
    AnnotationSet,
    LabelledPicture,
    Shape,
    Size,
    check_size,
    ellipse,
    rectangle,
    ring_of,
)
from lib.utils.errors import DataError

LABELS_FILE = "labels.txt"
"""The labels to choose from, one a line, as labelme's ``--labels`` takes them."""
_VERSION = "5.5.0"
"""Of the form that is written; labelme reads it since then."""


def read(path: Path) -> AnnotationSet:
    """The shapes of a folder of labelme's files, or of one of them.

    Shapes lie over each other in their order. ``labels.txt`` beside them declares the labels.

    Raises:
        DataError: there is no such file.
    """
    files = [path] if path.is_file() else sorted(file for file in path.glob("*.json") if not file.name.startswith("."))
    if not files:
        raise DataError(f"{path}: no .json files, as labelme writes beside the pictures; name their folder")
    declared = files[0].parent / LABELS_FILE
    labels = [line.strip() for line in read_text(declared).splitlines()] if declared.is_file() else []
    annotations = [Annotation(file.stem, str(file), partial(_shapes, file)) for file in files]
    return AnnotationSet(annotations, [label for label in labels if label])


def _shapes(path: Path, size: Size) -> list[Shape]:
    content = read_json(path)
    shapes = entry(content, "shapes", list, str(path))
    if shapes:
        check_size((content.get("imageHeight"), content.get("imageWidth")), size, str(path))
    return [_shape(shape, f"{path}, shape {number}") for number, shape in enumerate(shapes, 1)]


def _shape(shape: Any, where: str) -> Shape:
    label = entry(shape, "label", str, where)
    where = f"{where} ({label})"
    points = entry(shape, "points", list, where)
    kind = shape.get("shape_type") or "polygon"
    if kind == "mask":
        (left, top), (right, bottom) = _corners(points, kind, where)
        mask = _mask(entry(shape, "mask", str, where), where)
        if mask.shape != (round(bottom - top) + 1, round(right - left) + 1):
            height, width = mask.shape
            raise DataError(f"{where}: its mask has {width}x{height} pixels, its points say otherwise; draw it anew")
        return Shape(label, where, mask=mask, corner=(round(top), round(left)))
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = _corners(points, kind, where)
        return Shape(label, where, (rectangle(x0, y0, x1, y1),))
    if kind == "circle":
        (x, y), (x1, y1) = _corners(points, kind, where)
        radius = float(np.hypot(x1 - x, y1 - y))
        return Shape(label, where, (ellipse(x, y, radius, radius),))
    if kind in ("polygon", "rectangle", "oriented_rectangle"):
        return Shape(label, where, (ring_of(points, where),))
    raise DataError(f"{where}: a {kind} has no area; draw a polygon in its place, or remove it")


def _corners(points: list, kind: str, where: str) -> list[list[float]]:
    if len(points) != 2:
        raise DataError(f"{where}: a {kind} of {len(points)} points; it has 2: draw it anew")
    return ring_of([*points, points[0]], where)[:2].tolist()


def _mask(text: str, where: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)) as picture:
            values = np.array(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{where}: its mask is no picture ({error}); draw it anew") from error
    if values.ndim != 2:
        raise DataError(f"{where}: its mask has several channels; draw it anew")
    return values > 0


def write(pictures: Sequence[LabelledPicture], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Files of labelled pictures, by name and content, to lie beside the pictures.

    Args:
        pictures: with shapes of one ring, or a mask.
        labels: to choose from.
    """
    for picture in pictures:
        content: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": [_as_json(shape) for shape in picture.shapes],
            "imagePath": picture.file,
            "imageData": None,
            "imageHeight": picture.size[0],
            "imageWidth": picture.size[1],
        }
        yield f"{Path(picture.file).stem}.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    yield LABELS_FILE, "".join(f"{label}\n" for label in labels)


def _as_json(shape: Shape) -> dict[str, Any]:
    points: list = [] if shape.mask is not None else shape.rings[0].round(2).tolist()
    content: dict[str, Any] = {
        "label": shape.label,
        "group_id": None,
        "description": "",
        "shape_type": "polygon",
        "flags": {},
    }
    mask = None
    if shape.mask is not None:
        (top, left), (height, width) = shape.corner, shape.mask.shape
        points = [[left, top], [left + width - 1, top + height - 1]]
        encoded = io.BytesIO()
        Image.fromarray(shape.mask.astype(np.uint8) * 255).save(encoded, format="PNG")
        content["shape_type"], mask = "mask", base64.b64encode(encoded.getvalue()).decode()
    return {**content, "points": points, "mask": mask}
