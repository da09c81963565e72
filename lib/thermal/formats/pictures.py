"""Frames in pictures: counts of more than 8 bits, grey levels, colours, and radiometric JPEGs."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib.thermal.formats.colours import Colours, one_channel
from lib.thermal.formats.flir import flir_records, read_flir
from lib.thermal.formats.foreign import HIDDEN, hides_data, refuse_dji
from lib.thermal.formats.jpeg import segments
from lib.thermal.formats.orientation import orientation_of, upright, upright_size
from lib.thermal.formats.tiff import read_tiff
from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""By content, whatever a file's name says: Pillow would start another program for some of the other formats."""
_JPEG = b"\xff\xd8"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_COLOURS = (2, 4, 6)
"""PNG's types of pixels that have several channels: colours, grey and opacity, colours and opacity."""


def read_picture(path: Path, reading: Reading) -> Stored:
    """PNG, JPEG or BMP: grey of 16 bits as counts; of 8 bits, and colours, as grey levels; FLIR's JPEGs as deg C.

    All of them upright, as their EXIF says.
    """
    with path.open("rb") as file:
        head = file.read(32)
    if head.startswith(_TIFF):
        return read_tiff(path, reading)
    colours = Colours(path)
    if head.startswith(_JPEG):
        found = segments(path.read_bytes())
        records = flir_records(found)
        stored = read_flir(path, records) if records else None
        if stored is not None:
            return stored
        refuse_dji(found, path)
        if hides_data(found):
            colours.notes.append(HIDDEN)
    with Image.open(path, formats=FORMATS) as picture:
        orientation = orientation_of(picture, path)
        size = upright_size(picture.height, picture.width, orientation)
    if head.startswith(_PNG) and len(head) == 32 and head[24] == 16 and head[25] in _PNG_COLOURS:
        return Stored(1, _deep_png(path, orientation), size)
    return Stored(1, _picture(path, orientation, colours), size, found=colours.notes)


def _picture(path: Path, orientation: int, colours: Colours) -> Iterator[np.ndarray]:
    with Image.open(path, formats=FORMATS) as picture:
        deep = picture.mode == "I" or picture.mode.startswith("I;16")
        yield upright(np.array(picture) if deep else colours.of_picture(picture), orientation)


def _deep_png(path: Path, orientation: int) -> Iterator[np.ndarray]:
    """The one channel of a PNG of several of 16 bits, which Pillow would cut to 8 bits."""
    with Image.open(path, formats=FORMATS) as picture:
        picture.load()  # finds damage, which OpenCV doesn't tell
    values = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise DataError(f"{path}: not a PNG that OpenCV can read")
    yield upright(one_channel(values, int(values.ndim == 3 and values.shape[2] == 4), str(path)), orientation)
