"""COCO: one JSON file of images, categories and annotations."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets.annotations.documents import check_names, different, entry, find_document, read_json, stem_of
from lib.datasets.annotations.run_lengths import counts_of, pixels_of, unpack_coco
from lib.datasets.annotations.shapes import Annotation, AnnotationSet, LabelledPicture, Shape, Size, check_size, ring_of
from lib.utils.errors import DataError

FILE = "annotations.json"


def read(path: Path) -> AnnotationSet:
    """The annotations of a COCO file, or of the one in a folder; later ones lie over earlier ones.

    Raises:
        DataError: there is none, or it has no such content.
    """
    path = find_document(path, ".json", "COCO")
    content = read_json(path)
    categories = {}
    for category in entry(content, "categories", list, str(path)):
        name = entry(category, "name", str, f"{path}, categories")
        categories[entry(category, "id", int, f"{path}, category {name}")] = name
    of_image: dict[int, list[dict]] = {}
    for number, one in enumerate(entry(content, "annotations", list, str(path)), 1):
        of_image.setdefault(entry(one, "image_id", int, f"{path}, annotation {number}"), []).append(one)
    found = []
    for number, image in enumerate(entry(content, "images", list, str(path)), 1):
        file = entry(image, "file_name", str, f"{path}, image {number}")
        own = of_image.pop(entry(image, "id", int, f"{path}, image {file}"), [])
        where = f"{path}, image {file}"
        found.append(Annotation(stem_of(file), where, partial(_shapes, image, own, categories, where)))
    if of_image:
        raise DataError(f"{path}: annotations of the image {next(iter(of_image))}, which isn't in it; export it anew")
    check_names(found)
    return AnnotationSet(found, different(categories.values()))


def _shapes(image: dict, own: list[dict], categories: dict[int, str], where: str, size: Size) -> list[Shape]:
    if own:
        check_size((image.get("height"), image.get("width")), size, where)
    places = [f"{where}, annotation {one.get('id', number)}" for number, one in enumerate(own, 1)]
    return [_shape(one, categories, size, place) for one, place in zip(own, places, strict=True)]


def _shape(one: dict, categories: dict[int, str], size: Size, where: str) -> Shape:
    number = entry(one, "category_id", int, where)
    if number not in categories:
        raise DataError(f"{where}: of category {number}, which isn't among the categories; export it anew")
    label = categories[number]
    where, area = f"{where} ({label})", one.get("segmentation")
    if isinstance(area, dict):
        check_size((*entry(area, "size", list, where), None, None)[:2], size, where)
        counts = area.get("counts")
        counts = unpack_coco(counts, where) if isinstance(counts, str) else counts
        pixels = pixels_of(counts, size[0] * size[1], where)
        return Shape(label, where, mask=pixels.reshape(size[::-1]).T)
    if not isinstance(area, list) or not area:
        raise DataError(f"{where}: has no segmentation, so it is a box or points alone; draw a polygon, or remove it")
    return Shape(label, where, tuple(_ring(numbers, where) for numbers in area))


def _ring(numbers: Any, where: str) -> np.ndarray:
    if not isinstance(numbers, list) or len(numbers) % 2:
        raise DataError(f"{where}: expected its segmentation as lists x, y, x, y, ..., got {str(numbers)[:60]}")
    return ring_of([list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)], where)


def write(pictures: Sequence[LabelledPicture], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The file of labelled pictures, by name and content.

    COCO's polygons have no holes, so a hole is joined to the outline around it by a line there and back.

    Args:
        pictures: their shapes don't overlap.
        labels: the categories, of which the first is 1.
    """
    numbers = {label: number for number, label in enumerate(labels, 1)}
    images: list[dict] = []
    annotations: list[dict] = []
    for number, picture in enumerate(pictures, 1):
        height, width = picture.size
        images.append({"id": number, "file_name": picture.file, "width": width, "height": height})
        for shape in picture.shapes:
            place = {"id": len(annotations) + 1, "image_id": number, "category_id": numbers[shape.label]}
            annotations.append({**place, **_as_json(shape, picture.size), "iscrowd": 0})
    categories = [{"id": number, "name": label, "supercategory": ""} for label, number in numbers.items()]
    content = {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    yield FILE, json.dumps(content, ensure_ascii=False) + "\n"


def _as_json(shape: Shape, size: Size) -> dict[str, Any]:
    pixels = shape.pixels(size)
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    left, top = int(columns[0]), int(rows[0])
    box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    area: Any = {"size": list(size), "counts": counts_of(pixels.T.ravel())}
    if shape.mask is None:
        area = [joined(shape.rings).round(2).ravel().tolist()]
    return {"segmentation": area, "bbox": box, "area": int(pixels.sum())}


def joined(rings: Sequence[np.ndarray]) -> np.ndarray:
    """One ring (N, 2) that encloses what the first of ``rings`` does, without what the others do."""
    outline = rings[0]
    for hole in rings[1:]:
        distances = np.linalg.norm(outline[:, None] - hole[None], axis=2)
        here, there = np.unravel_index(int(distances.argmin()), distances.shape)
        way = np.concatenate([hole[there:], hole[: there + 1]])
        outline = np.concatenate([outline[: here + 1], way, outline[here:]])
    return outline
