"""Reading one frame or label from disk: whole and finite, or a DataError that names the file."""

import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib.utils.errors import DataError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
IMAGE_SUFFIXES = (".npy", *PICTURE_SUFFIXES)
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
"""By content, whatever the suffix: Pillow would start another program for some of the other formats."""


def array_shape(path: str | os.PathLike) -> tuple[int, ...]:
    """Shape of a numeric ``.npy`` array, from its header; a file shorter than the header promises is refused.

    Raises:
        DataError: missing, damaged, cut off, empty, or not integer or floating point.
    """
    return _load_array(path, mmap_mode="r").shape


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Read a ``.npy`` array of integers or floats, without running anything that the file holds.

    Raises:
        DataError: as :func:`array_shape`, or a value isn't finite, or too large to be so in float32.
    """
    array = _load_array(path)
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32, copy=False))
    if not finite.all():
        raise DataError(f"{path}: {np.count_nonzero(~finite)} of {array.size} values aren't finite in float32")
    return array


def _load_array(path: str | os.PathLike, mmap_mode: str | None = None) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path}: unreadable ({error.strerror or error})") from error
    except Exception as error:  # damaged headers fail in many ways: ValueError, MemoryError, SyntaxError, ...
        reason = "no .npy file, or pickled objects, which are never read" if "pickle" in str(error) else error
        raise DataError(f"{path}: not a whole .npy array ({reason})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf" or array.size == 0:
        kind = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else "an .npz archive"
        raise DataError(f"{path}: expected an array of integers or floats, got {kind}")
    return array


def read_image(path: Path, num_channels: int = 1) -> np.ndarray:
    """Read a frame.

    Args:
        path: ``.npy`` array (H, W) or (H, W, C), values kept (deg C in thermal databases), or a picture.
        num_channels: expected channels; pictures are read as grey (1) or RGB (3), at their bit depth.

    Returns:
        float32 (H, W), or (H, W, C) if ``num_channels`` > 1.

    Raises:
        DataError: unreadable, of another shape, or not finite; names the file.
    """
    image = read_array(path) if path.suffix.lower() == ".npy" else _read_picture(path, num_channels)
    if num_channels == 1 and image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    check_image_shape(path, image.shape, num_channels)
    return np.ascontiguousarray(image, np.float32)


def check_image_shape(path: Path, shape: tuple[int, ...], num_channels: int) -> None:
    """Raise a DataError unless ``shape`` is (H, W) or (H, W, C) with ``num_channels`` channels."""
    channels = 1 if len(shape) == 2 else shape[2] if len(shape) == 3 else None
    if channels != num_channels:
        expected = "(H, W)" if num_channels == 1 else f"(H, W, {num_channels})"
        raise DataError(f"{path}: expected shape {expected} (data.num_channels {num_channels}), got {shape}")


def _read_picture(path: Path, num_channels: int) -> np.ndarray:
    if num_channels not in (1, 3):
        raise DataError(f"{path}: pictures have 1 or 3 channels, data.num_channels is {num_channels}; use .npy")
    colour = cv2.IMREAD_GRAYSCALE if num_channels == 1 else cv2.IMREAD_COLOR
    try:
        # imdecode instead of imread: any file name works, and a missing file is told from a damaged one
        content = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(content, colour | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    except OSError as error:
        raise DataError(f"{path}: unreadable ({error.strerror or error})") from error
    except cv2.error as error:
        raise DataError(f"{path}: not a picture ({error.err or error})") from error
    if image is None:
        raise DataError(f"{path}: not a picture that OpenCV can read")
    with np.errstate(over="ignore"):
        if not np.isfinite(image.astype(np.float32, copy=False)).all():
            raise DataError(f"{path}: values aren't finite in float32")
    return image[:, :, ::-1] if num_channels == 3 else image  # OpenCV decodes to BGR


def picture_size(path: Path) -> tuple[int, int]:
    """(H, W) of a picture or label, from its header.

    Raises:
        DataError: missing or no picture.
    """
    with _open_picture(path) as picture:
        return picture.height, picture.width


def read_label(path: Path) -> np.ndarray:
    """Read a label file: one channel of at most 8 bits; of a palette picture, the indices.

    Returns:
        (H, W) uint8, values as in the file.

    Raises:
        DataError: missing, damaged, or of another kind (RGB, 16 bits); names the file.
    """
    with _open_picture(path) as picture:
        if picture.mode not in ("L", "P", "1"):
            raise DataError(
                f"{path}: expected an 8-bit grey or palette picture whose values are classes, got mode {picture.mode}"
            )
        try:
            return np.array(picture, np.uint8)
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path}: damaged label ({error})") from error


def _open_picture(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=_FORMATS)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable picture ({error})") from error
