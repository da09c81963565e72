"""Frames in NumPy's files and in headerless ones, read one by one."""

import os
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, NamedTuple

import numpy as np

from lib.thermal.formats.axes import COMMON_SIZES, Layout, arrange, layout_of, split_frames
from lib.thermal.frame import Reading, Stored
from lib.thermal.units import PRESETS
from lib.utils.errors import DataError

MOST_HEADER_BYTES = 10_000
"""Length from which on NumPy doesn't read a header: a damaged one may promise gigabytes."""
LEAST_SIDE = 32
"""Pixels from which on a frame's rows tell its width."""


class _Header(NamedTuple):
    """What stands before the numbers of an ``.npy`` array, and how many bytes it takes."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    length: int

    @property
    def bytes(self) -> int:
        """Of the numbers; Python integers, as a damaged header may promise more than 64 bits can say."""
        size = self.dtype.itemsize
        for length in self.shape:
            size *= int(length)
        return size

    @property
    def is_numeric(self) -> bool:
        """Whether the array holds integers or floats."""
        return self.dtype.kind in "iuf"


def read_npy(path: Path, reading: Reading) -> Stored:
    """``.npy``: a frame (H, W), a sequence (T, H, W), or other axes (:func:`~lib.thermal.formats.axes.layout_of`)."""
    header = _whole_header(path)
    layout = layout_of(header.shape, header.dtype, reading, str(path))

    def frames() -> Iterator[np.ndarray]:
        with path.open("rb") as file:
            file.seek(header.length)
            yield from _stream(file, header, layout, str(path))

    return Stored(layout.frames, frames(), layout.size)


def read_npz(path: Path, reading: Reading) -> Stored:
    """``.npz`` with one array of numbers of the shapes of :func:`read_npy`.

    What else it holds doesn't matter and isn't read: arrays of fewer axes, text, objects, masks of booleans.
    """
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):
                with archive.open(name) as file:
                    headers[name] = _read_header(file, f"{path}[{name}]")
    candidates = [name for name, header in headers.items() if header.is_numeric and len(header.shape) >= 2]
    if len(candidates) != 1:
        listing = ", ".join(
            f"{name.removesuffix('.npy')} {header.dtype} {header.shape}" for name, header in headers.items()
        )
        raise DataError(
            f"{path}: expected one array of numbers with two or more axes, the frame, got {listing or 'none'}; save it "
            "alone as .npy"
        )
    member = candidates[0]
    where = f"{path}[{member.removesuffix('.npy')}]"
    _check_numeric(headers[member], where)
    layout = layout_of(headers[member].shape, headers[member].dtype, reading, where)

    def frames() -> Iterator[np.ndarray]:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            file.seek(headers[member].length)
            yield from _stream(file, headers[member], layout, where)

    return Stored(layout.frames, frames(), layout.size)


def read_bin(path: Path, reading: Reading) -> Stored:
    """Headerless little-endian uint16, row by row, ``raw_size`` a frame; 0.04 K a count unless said otherwise."""
    width, height = reading.raw_size
    size, frame_bytes = path.stat().st_size, 2 * width * height
    count, rest = divmod(size, frame_bytes)
    if rest or not count:
        fitting = [f"{w} {h}" for w, h in COMMON_SIZES if size == 2 * w * h]
        remedy = f"; --raw_size {' or --raw_size '.join(fitting)} would fit" if fitting else ""
        raise DataError(
            f"{path}: expected {frame_bytes} bytes for a frame of {width}x{height} (width x height) uint16, got "
            f"{size}: cut off, or of another --raw_size{remedy}"
        )

    def frames() -> Iterator[np.ndarray]:
        with path.open("rb") as file:
            for index in range(count):
                frame = np.frombuffer(_take(file, frame_bytes, str(path)), "<u2").reshape(height, width)
                if not index:
                    _check_width(frame, path)
                yield frame

    return Stored(count, frames(), (height, width), PRESETS["flir_tlinear_high"])


def _check_width(frame: np.ndarray, path: Path) -> None:
    """Refuse a headerless frame whose rows fit together much better with width and height swapped."""
    height, width = frame.shape
    if min(frame.shape) < LEAST_SIDE:
        return
    given, swapped = (
        np.abs(np.diff(rows.astype(np.int32), axis=0)).mean() for rows in (frame, frame.reshape(width, height))
    )
    # Bands across a frame alone can make the first the larger one, by no more than width / height.
    if given > 2 * max(1.0, width / height) * swapped:
        raise DataError(
            f"{path}: rows of {width} pixels don't fit together, and rows of {height} do: "
            f"--raw_size {height} {width} (width, height)"
        )


def array_shape(path: str | os.PathLike) -> tuple[int, ...]:
    """Read the shape of a numeric ``.npy`` array from its header.

    Raises:
        DataError: missing, damaged, shorter than the header promises, empty, or not integers or floats.
    """
    return _whole_header(Path(path)).shape


def read_array(path: str | os.PathLike) -> np.ndarray:
    """Read a ``.npy`` array of integers or floats of any shape as stored, without running anything that it holds.

    Raises:
        DataError: as :func:`array_shape`, or a value isn't finite, or too large to be so in float32.
    """
    path = Path(path)
    header = _whole_header(path)
    with path.open("rb") as file:
        file.seek(header.length)
        order: Literal["F", "C"] = "F" if header.fortran_order else "C"
        array = np.frombuffer(_take(file, header.bytes, str(path)), header.dtype).reshape(header.shape, order=order)
    check_finite(array, path)
    return array


def check_finite(values: np.ndarray, path: str | os.PathLike) -> None:
    """Raise a DataError unless all values are finite in float32."""
    with np.errstate(over="ignore"):
        finite = np.isfinite(values.astype(np.float32, copy=False))
    if not finite.all():
        raise DataError(f"{path}: {np.count_nonzero(~finite)} of {values.size} values aren't finite in float32")


def _whole_header(path: Path) -> _Header:
    """The header of an ``.npy`` file that is as long as its header promises."""
    try:
        with path.open("rb") as file:
            header = _read_header(file, str(path))
            _check_numeric(header, str(path))
            there = os.fstat(file.fileno()).st_size - file.tell()
    except OSError as error:
        raise DataError(f"{path}: unreadable ({error.strerror or error})") from error
    if there < header.bytes:
        raise DataError(
            f"{path}: not a whole .npy array, cut off: its header promises {header.dtype} of shape {header.shape}, "
            f"{header.bytes} bytes, and {there} are there; copy or export it again"
        )
    return header


def _read_header(file: IO[bytes], where: str) -> _Header:
    """Leaves ``file`` at the first number."""
    try:
        version = np.lib.format.read_magic(file)
        stored = file.read(2 if version == (1, 0) else 4)
        stored += file.read(min(int.from_bytes(stored, "little"), MOST_HEADER_BYTES))
        return _Header(*_parsed(version, stored), file.tell())
    except OSError:
        raise
    except Exception as error:  # damaged headers fail in many ways: ValueError, SyntaxError, TypeError, ...
        raise DataError(f"{where}: not a whole .npy array ({error})") from error


@lru_cache
def _parsed(version: tuple[int, int], stored: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """A header's length and text as NumPy reads them; the frames of a folder mostly have the same one."""
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(BytesIO(stored))


def _check_numeric(header: _Header, where: str) -> None:
    if not header.is_numeric or min(header.shape, default=1) < 1:
        raise DataError(f"{where}: expected integers or floats, got {header.dtype} of shape {header.shape}")


def _stream(file: IO[bytes], header: _Header, layout: Layout, where: str) -> Iterator[np.ndarray]:
    """Yield the frames (H, W) of an ``.npy`` array whose numbers ``file`` stands at.

    One at a time is in memory if they lie one after the other.
    """
    if header.fortran_order or not layout.axes.startswith("T"):
        order: Literal["F", "C"] = "F" if header.fortran_order else "C"
        whole = np.frombuffer(_take(file, header.bytes, where), header.dtype).reshape(header.shape, order=order)
        yield from split_frames(whole, layout, where)
        return
    for _ in range(layout.frames):
        data = _take(file, header.bytes // layout.frames, where)
        yield arrange(np.frombuffer(data, header.dtype).reshape(header.shape[1:]), layout, where)


def _take(file: IO[bytes], size: int, where: str) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise DataError(
            f"{where}: cut off: {size} bytes were expected, and {len(data)} are there; copy or export it again"
        )
    return data
