"""Frames of several channels: their values as they are stored, whatever they mean."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib.thermal.formats.arrays import array_shape, check_finite, read_array
from lib.thermal.formats.orientation import orientation_of, upright, upright_size
from lib.thermal.formats.pictures import FORMATS
from lib.thermal.formats.tiff import read_tiff_channels, tiff_size
from lib.utils.errors import DataError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_TIFF = (".tif", ".tiff")


def read_channels(path: Path, channels: int) -> np.ndarray:
    """Read a frame of two or more channels.

    Args:
        path: an ``.npy`` array (H, W, C), or a picture, which is read as RGB at its own bit depth,
            upright as it says.
        channels: C.

    Returns:
        (H, W, C), as stored.

    Raises:
        DataError: unreadable, of another shape, or not finite; it names the file.
    """
    size_of_channels(path, channels)
    if path.suffix.lower() == ".npy":
        return read_array(path)
    if path.suffix.lower() in _TIFF:
        page = read_tiff_channels(path)
        if page.shape[2] not in (1, channels):
            raise DataError(f"{path}: has {page.shape[2]} channels, data.num_channels is {channels}")
        check_finite(page, path)
        return np.broadcast_to(page, (*page.shape[:2], channels))
    try:
        # imdecode instead of imread: any file name works, and a missing file is told from a damaged one
        content = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise DataError(f"{path}: not a picture ({error.err or error})") from error
    if image is None:
        raise DataError(f"{path}: not a picture that OpenCV can read")
    check_finite(image, path)
    with Image.open(path, formats=FORMATS) as picture:
        image = upright(image, orientation_of(picture, path))
    return image[:, :, ::-1]  # OpenCV decodes to BGR


def size_of_channels(path: Path, channels: int) -> tuple[int, int]:
    """(H, W) in pixels of a frame that :func:`read_channels` would read, from its header; errors as there."""
    if path.suffix.lower() == ".npy":
        shape = array_shape(path)
        if len(shape) != 3 or shape[2] != channels:
            raise DataError(f"{path}: expected shape (H, W, {channels}) (data.num_channels {channels}), got {shape}")
        return shape[0], shape[1]
    if path.suffix.lower() not in PICTURES:
        raise DataError(f"{path}: frames of several channels are read from .npy arrays and pictures")
    if channels != 3:
        raise DataError(f"{path}: pictures have 1 or 3 channels, data.num_channels is {channels}; use .npy")
    try:
        if path.suffix.lower() in _TIFF:
            return tiff_size(path)
        with Image.open(path, formats=FORMATS) as picture:
            return upright_size(picture.height, picture.width, orientation_of(picture, path))
    except OSError as error:
        raise DataError(f"{path}: not a readable picture ({error.strerror or error})") from error
    except (SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable picture ({error})") from error
