"""CVAT: one XML file in its form "CVAT for images 1.1"."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from lib.datasets.annotations.documents import check_names, different, find_document, read_xml, stem_of
from lib.datasets.annotations.run_lengths import counts_of, pixels_of
from lib.datasets.annotations.shapes import (
    Annotation,
    AnnotationSet,
    LabelledPicture,
    Shape,
    Size,
    check_size,
    ellipse,
    is_coordinate,
    rectangle,
    ring_of,
)
from lib.utils.errors import DataError

FILE = "annotations.xml"
_NO_SHAPES = ("tag", "attribute")


def read(path: Path) -> AnnotationSet:
    """The shapes of a file of CVAT, or of the one in a folder, in the order of ``z_order``, equal ones in the file's.

    Raises:
        DataError: there is none, or it has another form.
    """
    path = find_document(path, ".xml", "CVAT")
    root = read_xml(path)
    if root.tag != "annotations" or root.find("track") is not None:
        raise DataError(f'{path}: not in the form "CVAT for images 1.1"; choose that one when you export')
    found = []
    for number, image in enumerate(root.iter("image"), 1):
        where = f"{path}, image {image.get('name', number)}"
        if not image.get("name"):
            raise DataError(f"{where}: has no name; export it anew")
        found.append(Annotation(stem_of(image.get("name", "")), where, partial(_shapes, image, where)))
    check_names(found)
    labels = [(label.findtext("name") or "", label.findtext("color") or "") for label in root.findall("meta//label")]
    colours = {name: parsed for name, colour in labels if (parsed := _colour(colour)) is not None}
    return AnnotationSet(found, different(name for name, _ in labels if name), colours)


def _colour(text: str) -> tuple[int, int, int] | None:
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except ValueError:
        return None
    return red, green, blue


def _shapes(image: Element, where: str, size: Size) -> list[Shape]:
    shapes = [shape for shape in image if shape.tag not in _NO_SHAPES]
    if shapes:
        check_size((int(_number(image, "height", where)), int(_number(image, "width", where))), size, where)
    found = []
    for number, shape in enumerate(shapes, 1):
        label = shape.get("label", "")
        place = f"{where}, {shape.tag} {number} ({label})"
        found.append((_number(shape, "z_order", place, "0"), _shape(shape, label, place)))
    return [shape for _, shape in sorted(found, key=lambda pair: pair[0])]


def _shape(shape: Element, label: str, where: str) -> Shape:
    if not label:
        raise DataError(f"{where}: has no label; give it one")
    if shape.tag == "polygon":
        points = [pair.split(",") for pair in shape.get("points", "").split(";")]
        return Shape(label, where, (ring_of([[_value(part) for part in pair] for pair in points], where),))
    if shape.tag == "mask":
        left, top, width, height = (int(_number(shape, key, where)) for key in ("left", "top", "width", "height"))
        counts = [int(part) if part.strip().isdecimal() else None for part in shape.get("rle", "").split(",")]
        pixels = pixels_of(counts, max(width, 0) * max(height, 0), where)
        return Shape(label, where, mask=pixels.reshape(height, width), corner=(top, left))
    degrees = _number(shape, "rotation", where, "0")
    if shape.tag == "box":
        x0, y0, x1, y1 = (_number(shape, key, where) for key in ("xtl", "ytl", "xbr", "ybr"))
        return Shape(label, where, (_turned(rectangle(x0, y0, x1, y1), degrees),))
    if shape.tag == "ellipse":
        x, y, radius_x, radius_y = (_number(shape, key, where) for key in ("cx", "cy", "rx", "ry"))
        return Shape(label, where, (ellipse(x, y, radius_x, radius_y, degrees),))
    raise DataError(f"{where}: a {shape.tag} has no area; draw a polygon or a mask in its place, or remove it")


def _turned(ring: np.ndarray, degrees: float) -> np.ndarray:
    centre, angle = ring.mean(0), np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (ring - centre) @ turn + centre


def _value(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _number(element: Element, key: str, where: str, default: str = "") -> float:
    value = _value(element.get(key, default))
    if value is None or not is_coordinate(value):
        raise DataError(f"{where}: expected a number at {key}, got {element.get(key)!r}; export it anew")
    return value


def write(pictures: Sequence[LabelledPicture], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The file of labelled pictures, by name and content; CVAT's *Upload annotations* takes it.

    Args:
        pictures: with shapes of one ring, or a mask; ``z_order`` keeps their order.
        labels: of the task.
    """
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    listing = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for label in labels:
        SubElement(SubElement(listing, "label"), "name").text = label
    for number, picture in enumerate(pictures):
        height, width = map(str, picture.size)
        image = SubElement(root, "image", id=str(number), name=picture.file, width=width, height=height)
        for order, shape in enumerate(picture.shapes):
            common = {"label": shape.label, "source": "auto", "occluded": "0", "z_order": str(order)}
            if shape.mask is None:
                points = ";".join(f"{x:.2f},{y:.2f}" for x, y in shape.rings[0].tolist())
                SubElement(image, "polygon", {**common, "points": points})
                continue
            (top, left), (high, wide) = shape.corner, shape.mask.shape
            place = {"left": str(left), "top": str(top), "width": str(wide), "height": str(high)}
            rle = ", ".join(map(str, counts_of(shape.mask.ravel())))
            SubElement(image, "mask", {**common, "rle": rle, **place})
    ElementTree.indent(root)
    yield FILE, ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
