"""Masks as pictures, one for each frame: class numbers, colours, or 0 and 255; and masks that landmarks enclose."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from lib.datasets import landmarks
from lib.datasets.annotations.documents import check_names, read_text
from lib.datasets.annotations.shapes import Annotation, AnnotationSet, Shape, Size, check_size
from lib.datasets.labels import read_label
from lib.datasets.landmarks.text import open_table
from lib.thermal.formats.pictures import FORMATS
from lib.utils.errors import DataError
from lib.utils.text import first_few

LABEL_MAP = "labelmap.txt"
"""Names of colours, a line ``name:r,g,b`` each, as CVAT and datumaro write it beside colour masks."""
FOLDERS = ("label", "SegmentationClass", "SegmentationClassPNG")
ENDINGS = (".png", ".bmp", ".tif", ".tiff")
OF_LANDMARKS = {
    **{0: "background", 1: "chin & cheeks", 2: "mouth", 3: "eyes", 4: "eyes", 5: "eyebrows", 6: "eyebrows"},
    7: "nose",
}
"""What the values that landmarks draw are called, as in the classes of the shipped network."""
MOST_COLOURS = 64
"""Of a mask; a photograph has more."""


def read_numbers(path: Path) -> AnnotationSet:
    """Pictures of 8 bits whose values are class numbers, 255 being ignored."""
    return AnnotationSet(_of_pictures(path, lambda file, label: [(str(v), label == v) for v in np.unique(label)]))


def read_binary(path: Path) -> AnnotationSet:
    """Pictures of 0 and 255 (or 1): background and class 1."""

    def areas(file: Path, label: np.ndarray) -> list[tuple[str, np.ndarray]]:
        values = np.unique(label).tolist()
        if not {*values} <= {0, 255} and not {*values} <= {0, 1}:
            raise DataError(
                f"{file}: expected 0 and 255, got {first_few(values)}; if these are class numbers: --from numbers; if "
                "edges are smooth, write it anew with a threshold, as PNG"
            )
        return [("0", label == 0), ("1", label > 0)]

    return AnnotationSet(_of_pictures(path, areas))


def read_colours(path: Path) -> AnnotationSet:
    """Pictures whose colours are classes, with a palette or not, as of Pascal VOC.

    A :data:`LABEL_MAP` in the folder, or in the one that it is in, names the colours; others are called ``#rrggbb``.

    Raises:
        DataError: the label map can't be read.
    """
    folder = _folder_of(path)
    places = [place / LABEL_MAP for place in (folder, path, folder.parent)]
    named = next((read_label_map(place) for place in places if place.is_file()), {})
    names = {colour: name for name, colour in named.items()}

    def shapes(file: Path, size: Size) -> list[Shape]:
        colours = _colours_of(file)
        check_size(colours.shape[:2], size, str(file))
        codes = colours.astype(np.int64) @ (1 << 16, 1 << 8, 1)
        found = []
        for code in np.unique(codes).tolist():
            colour = (code >> 16, code >> 8 & 255, code & 255)
            label = names.get(colour, "#{:02x}{:02x}{:02x}".format(*colour))
            found.append(Shape(label, f"{file} ({label})", mask=codes == code))
        if len(found) > MOST_COLOURS:
            raise DataError(f"{file}: has {len(found)} colours, so it is no mask; masks have a colour for each class")
        return found

    return AnnotationSet([_of_file(file, shapes) for file in _files_of(folder)], list(named), named)


def read_label_map(path: Path) -> dict[str, tuple[int, int, int]]:
    """Colours by name of a :data:`LABEL_MAP`.

    Raises:
        DataError: it can't be read, or a line isn't ``name:r,g,b``; names the line.
    """
    found: dict[str, tuple[int, int, int]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, *rest = line.split(":")
        levels = [int(part) for part in (rest[0] if rest else "").split(",") if part.strip().isdecimal()]
        if len(levels) != 3 or max(levels) > 255 or not name.strip():
            raise DataError(f"{path}, line {number}: expected name:r,g,b with values of 0 to 255, got {line[:60]!r}")
        found[name.strip()] = (levels[0], levels[1], levels[2])
    return found


def label_map(names: list[str], palette: np.ndarray) -> str:
    """The content of a :data:`LABEL_MAP` of classes and their colours (C, 3)."""
    lines = [f"{name}:{r},{g},{b}::\n" for name, (r, g, b) in zip(names, palette.tolist(), strict=True)]
    return "# label:color_rgb:parts:actions\n" + "".join(lines)


def _folder_of(path: Path) -> Path:
    return next((path / name for name in FOLDERS if (path / name).is_dir()), path)


def _files_of(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [file for file in entries if file.suffix.lower() in ENDINGS and not file.name.startswith(".")]
    if not files:
        raise DataError(f"{folder}: no masks; expected a folder of pictures that end in {' '.join(ENDINGS)}")
    return files


def _of_file(file: Path, shapes: Callable[[Path, Size], list[Shape]]) -> Annotation:
    return Annotation(file.stem, str(file), partial(shapes, file))


def _of_pictures(path: Path, areas: Callable[[Path, np.ndarray], list[tuple[str, np.ndarray]]]) -> list[Annotation]:
    def shapes(file: Path, size: Size) -> list[Shape]:
        label = read_label(file)
        check_size(label.shape, size, str(file))
        return [Shape(name, f"{file}, value {name}", mask=area) for name, area in areas(file, label) if area.any()]

    found = [_of_file(file, shapes) for file in _files_of(_folder_of(path))]
    check_names(found)
    return found


def _colours_of(path: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable picture ({error}); write it anew") from error


def read_landmarks(path: Path, kind: str) -> AnnotationSet:
    """Masks of faces from landmarks, as of the Thermal Face Database: hulls, later over earlier.

    Args:
        path: the folder of the files, or of the table.
        kind: one of :data:`lib.datasets.landmarks.FORMATS`.

    Raises:
        DataError: there are none.
    """
    form = landmarks.FORMATS[kind]
    folder = path.parent if path.is_file() else path
    if form.table:
        names = list(open_table(folder / form.table).rows)
    else:
        names = [file.name.removesuffix(form.ending) for file in sorted(folder.glob(f"*{form.ending}"))]
    if not names:
        raise DataError(f"{folder}: no landmarks; expected {form.table or f'files that end in {form.ending}'}")

    def shapes(name: str, size: Size) -> list[Shape]:
        file = form.path(folder, name)
        marks = form.read(file, name, size)
        landmarks.check_inside(marks.points, size, file)
        label = landmarks.draw_labels(marks.points, size, marks.groups)
        return [Shape(OF_LANDMARKS[v], f"{file}, {name}", mask=label == v) for v in np.unique(label).tolist()]

    found = [Annotation(name, f"{form.path(folder, name)}, {name}", partial(shapes, name)) for name in names]
    return AnnotationSet(found, list(dict.fromkeys(OF_LANDMARKS.values())))
