"""The formats of labels by name."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lib.datasets import landmarks
from lib.datasets.annotations import coco, cvat, label_studio, labelme, masks
from lib.datasets.annotations.shapes import AnnotationSet, LabelledPicture


class LabelFormat(NamedTuple):
    """One format of labels.

    Attributes:
        read: (file or folder) -> :class:`~lib.datasets.annotations.shapes.AnnotationSet`; raises a DataError that names
            the file.
        write: (pictures, labels) -> names and contents of the files to lie beside the pictures; None where it isn't
            written.
        nested: whether shapes may lie over each other in it; otherwise written ones have holes.
    """

    read: Callable[[Path], AnnotationSet]
    write: Callable[[Sequence[LabelledPicture], Sequence[str]], Iterator[tuple[str, str]]] | None = None
    nested: bool = False


FORMATS: dict[str, LabelFormat] = {
    "labelme": LabelFormat(labelme.read, labelme.write, nested=True),
    "coco": LabelFormat(coco.read, coco.write),
    "cvat": LabelFormat(cvat.read, cvat.write, nested=True),
    "label_studio": LabelFormat(label_studio.read),
    "colours": LabelFormat(masks.read_colours),
    "numbers": LabelFormat(masks.read_numbers),
    "binary": LabelFormat(masks.read_binary),
    **{kind: LabelFormat(partial(masks.read_landmarks, kind=kind)) for kind in landmarks.FORMATS},
}
"""By the name that ``--from`` and ``--to`` take; landmarks by the name of their format."""
