"""Frames stored turned or mirrored: the orientation tag of EXIF and TIFF."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image

TAG = 274
"""The tag's number in EXIF and TIFF."""
UPRIGHT = 1
_SIDEWAYS = (5, 6, 7, 8)
_PNG_SIGNATURE_BYTES = 8
_PNG_METADATA = {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
"""Chunks of a PNG that may hold EXIF."""


def orientation_of(picture: Image.Image, path: Path) -> int:
    """How an opened picture has to be turned.

    Args:
        picture: not decoded yet.
        path: of its file.

    Returns:
        1 to 8, as its EXIF says; 1 where it says nothing valid, and for TIFF, which Pillow turns by itself.
    """
    # Pillow decodes a whole PNG to find its EXIF behind the pixels.
    if picture.format == "TIFF" or (picture.format == "PNG" and not _PNG_METADATA & _png_chunks(path)):
        return UPRIGHT
    try:
        found = picture.getexif().get(TAG, UPRIGHT)
    except Exception:  # damaged EXIF fails in many ways
        return UPRIGHT
    return found if found in range(1, 9) else UPRIGHT


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as stored so that it is upright.

    Args:
        values: (H, W) or (H, W, C).
        orientation: 1 to 8, as in TIFF 6.0, section 8: where the first row and column of the upright image are.

    Returns:
        (H, W) or (W, H) and, if given, channels; a view.

    >>> upright(np.array([[1, 2, 3], [4, 5, 6]]), 6).tolist()
    [[4, 1], [5, 2], [6, 3]]
    """
    if orientation in (5, 7):
        values = values.swapaxes(0, 1)
    quarters = {3: 2, 6: -1, 7: 2, 8: 1}.get(orientation, 0)
    if orientation == 2:
        return values[:, ::-1]
    if orientation == 4:
        return values[::-1]
    return np.rot90(values, quarters)


def upright_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """(H, W) in pixels of an image that is stored with ``height`` rows, once it is upright."""
    return (width, height) if orientation in _SIDEWAYS else (height, width)


def _png_chunks(path: Path) -> set[bytes]:
    """Names of a PNG's chunks."""
    names = set()
    with path.open("rb") as file:
        file.seek(_PNG_SIGNATURE_BYTES)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            names.add(name)
            file.seek(length + 4, 1)
    return names
