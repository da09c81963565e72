"""The one way into a thermal file: a reader per format, then the same conversion to deg C for all."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from lib.thermal.arrays import read_bin, read_npy, read_npz
from lib.thermal.frame import Reading, Stored, ThermalFrame
from lib.thermal.pictures import read_picture, read_tiff
from lib.thermal.table import read_csv
from lib.thermal.units import CELSIUS, Unit, check_celsius, decide_unit
from lib.thermal.video import VIDEO_SUFFIXES, read_video
from lib.utils.errors import DataError

READERS: dict[str, Callable[[Path, Reading], Stored]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".bin": read_bin,
    ".csv": read_csv,
    ".tsv": read_csv,
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp"), read_picture),
    **dict.fromkeys((".tif", ".tiff"), read_tiff),
    **dict.fromkeys(VIDEO_SUFFIXES, read_video),
}
"""By the end of a file's name, in lower case."""


def read_thermal(
    path: str | os.PathLike,
    *,
    preset: str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    raw_size: tuple[int, int] = (640, 512),
) -> ThermalFrame:
    """Read a file that holds one thermal frame.

    Floats are deg C. What integers of more than 8 bits mean is decided from their values, and said in the note;
    ``preset``, or ``scale`` and ``offset``, say it instead, of floats and grey levels as well.

    Args:
        path: a file with one of the endings in :data:`READERS`.
        preset, scale, offset, raw_size: see :class:`~lib.thermal.frame.Reading`.

    Raises:
        ConfigError: ``preset``, ``scale``, ``offset`` or ``raw_size`` can't be.
        DataError: missing, damaged or cut off, of another kind or size, more than one frame, or values that can't be
            temperatures; it names the file and the option that would help.
    """
    return next(iter(FrameReader(Reading(preset, scale, offset, tuple(raw_size))).single(Path(path))))


class FrameReader:
    """Reads many files alike: what was decided for the first of a format holds for the others.

    Args:
        reading: what is known beforehand.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._decided: dict[str, Unit] = {}

    def single(self, path: Path) -> Iterator[ThermalFrame]:
        """The frame of a file that holds one; arguments and errors as of :func:`read_thermal`."""
        stored = self.open(path)
        if stored.count != 1:
            raise DataError(
                f"{path}: holds {stored.count or 'several'} frames, expected one; name a file of several frames alone, "
                "as --input"
            )
        return self.frames(path, stored)

    def open(self, path: Path) -> Stored:
        """A file's frames as stored, which nothing but :meth:`frames` needs."""
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise DataError(f"{path}: expected a name that ends in one of {' '.join(READERS)}")
        try:
            return reader(path, self._reading)
        except DataError:
            raise
        except Exception as error:  # decoders of damaged files raise whatever their parts do
            raise _unreadable(path, error) from error

    def frames(self, path: Path, stored: Stored) -> Iterator[ThermalFrame]:
        """Frames of ``stored``, from :meth:`open`, one at a time in memory."""
        try:
            for numbers in stored.frames:
                yield self._convert(numbers, stored, path)
        except DataError:
            raise
        except Exception as error:
            raise _unreadable(path, error) from error

    def _convert(self, numbers: np.ndarray, stored: Stored, path: Path) -> ThermalFrame:
        notes = [stored.note]
        unit = None if stored.calibrated else self._reading.unit
        if unit is None and numbers.dtype == np.uint8:
            notes.append("grey levels, no temperatures")
            return ThermalFrame(np.ascontiguousarray(numbers, np.float32), False, _joined(notes))
        if unit is None:
            unit = stored.unit or (CELSIUS if numbers.dtype.kind == "f" else None)
        if unit is None:
            unit = self._decided.get(path.suffix.lower()) or decide_unit(numbers, str(path))
            self._decided[path.suffix.lower()] = unit
            notes.append(f"integers read as {unit.name}, by their values (--temp_preset overrules that)")
        with np.errstate(over="ignore"):  # what is too large for float32 is told as not finite
            celsius = np.ascontiguousarray(numbers if unit is CELSIUS else unit.celsius(numbers), np.float32)
        notes.append(check_celsius(celsius, numbers, unit, str(path)))
        return ThermalFrame(celsius, True, _joined(notes))


def _joined(notes: list[str]) -> str:
    return "; ".join(filter(None, notes))


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, OSError) and error.strerror:
        return DataError(f"{path}: unreadable ({error.strerror})")
    return DataError(f"{path}: damaged, cut off, or not what its name says ({type(error).__name__}: {error})")
