"""The one way into a thermal file: a reader per format, then the same conversion to deg C for all."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path

import numpy as np

from lib.thermal.formats.arrays import check_finite, read_bin, read_npy, read_npz
from lib.thermal.formats.channels import read_channels, size_of_channels
from lib.thermal.formats.flir import read_fff
from lib.thermal.formats.foreign import converter_of
from lib.thermal.formats.pictures import read_picture
from lib.thermal.formats.table import read_csv
from lib.thermal.formats.tiff import read_tiff
from lib.thermal.formats.video import VIDEO_SUFFIXES, read_video
from lib.thermal.frame import GREY_LEVELS, Reading, Stored, ThermalFrame
from lib.thermal.plausibility import are_grey_levels, doubt_about_frame
from lib.thermal.units import CELSIUS, NO_TEMPERATURES, Unit, UnitError, check_celsius, decide_unit
from lib.utils.errors import DataError

logger = logging.getLogger("samcl")

READERS: dict[str, Callable[[Path, Reading], Stored]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".bin": read_bin,
    ".csv": read_csv,
    ".tsv": read_csv,
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp"), read_picture),
    **dict.fromkeys((".tif", ".tiff"), read_tiff),
    **dict.fromkeys((".fff", ".seq"), read_fff),
    **dict.fromkeys(VIDEO_SUFFIXES, read_video),
}
"""By the end of a file's name, in lower case."""
FRAME_SUFFIXES = tuple(suffix for suffix in READERS if suffix not in VIDEO_SUFFIXES)
"""Ends of the names of files that may hold a single frame."""
SAMPLED = 16
"""Files, or frames of a file, whose values tell the unit of all."""
SAMPLED_PIXELS = 20_000
"""Pixels of each of them."""


def read_thermal(path: str | os.PathLike, reading: Reading | None = None) -> ThermalFrame:
    """Read a file that holds one thermal frame.

    Floats are deg C. What integers of more than 8 bits mean is decided from their values, and said in the note;
    a unit in ``reading`` says it instead, of floats and grey levels as well.

    Args:
        path: a file with one of the endings in :data:`READERS`.
        reading: what is known beforehand, such as ``Reading(preset="centikelvin")``.

    Raises:
        DataError: missing, damaged or cut off, of another kind or size, more than one frame, or values that can't be
            temperatures; it names the file and the option that would help.
    """
    return FrameReader(reading).read(Path(path))


class FrameReader:
    """Reads many files alike, in every phase: training, validation, testing, checking, predicting.

    Args:
        reading: what is known beforehand.
        channels: of each frame. One channel is deg C, or grey levels; several are values as stored.
    """

    def __init__(self, reading: Reading | None = None, channels: int = 1) -> None:
        self._reading = reading or Reading()
        self._channels = channels
        self._decided: dict[str, Unit] = {}
        self._warned = False

    def decide(self, paths: Sequence[Path], where: str) -> list[str]:
        """Decide what the integers of files mean, once for all files of the same ending.

        A few files, spread evenly, tell it together. Files that :meth:`read` would refuse are left to it.

        Args:
            paths: files of one frame, or one file of several.
            where: the folder, for messages.

        Returns:
            Notes on what was decided.

        Raises:
            DataError: the numbers leave it open, see :func:`~lib.thermal.units.decide_unit`.
        """
        notes = []
        for suffix in dict.fromkeys(path.suffix.lower() for path in paths) if self._channels == 1 else ():
            alike = [path for path in paths if path.suffix.lower() == suffix]
            spread = alike[:: -(-len(alike) // SAMPLED)]
            samples = [sample for path in spread for sample in self._undecided(path, SAMPLED // len(spread))]
            if samples:
                unit = self._decided[suffix] = decide_unit(np.concatenate(samples), where)
                notes.append(f"{where}: integers of {suffix} files are read as {unit.name} ({unit.formula})")
            elif self._reading.grey_range and self._is_grey(alike[0]):
                low, high = self._reading.grey_range
                notes.append(
                    f"{where}: grey levels of {suffix} files are no temperatures; 0 to 255 are taken for {low:g} to "
                    f"{high:g} deg C, as data.grey_range says"
                )
        return notes

    def _is_grey(self, path: Path) -> bool:
        """Whether a file's first frame has 8 bits and no unit; of one that can't be read, False."""
        try:
            stored = self.open(path)
            return next(iter(stored.frames)).dtype == np.uint8 and not (stored.calibrated or self._reading.unit)
        except Exception:  # as of _undecided
            return False

    def _undecided(self, path: Path, frames: int) -> list[np.ndarray]:
        """Pixels of a file's first frames if these are integers of an unknown unit."""
        try:
            stored = self.open(path)
            undecided = takewhile(lambda numbers: self._is_open(numbers, stored), stored.frames)
            found = [numbers.ravel() for numbers in islice(undecided, frames)]
        except Exception:  # damaged files fail in many ways, which reading them tells
            return []
        return [numbers[:: -(-numbers.size // SAMPLED_PIXELS)] for numbers in found]

    def _is_open(self, numbers: np.ndarray, stored: Stored) -> bool:
        """Whether nothing but the numbers tells what they mean."""
        told = stored.calibrated or stored.unit or self._reading.unit or self._reading.preset
        return not told and numbers.dtype != np.uint8 and numbers.dtype.kind != "f"

    def read(self, path: Path) -> ThermalFrame:
        """Read the frame of a file that holds one; arguments and errors as of :func:`read_thermal`.

        A frame of several channels is (H, W, C) and not radiometric.
        """
        if self._channels > 1:
            try:
                numbers = read_channels(path, self._channels)
            except OSError as error:
                raise _unreadable(path, error) from error
            return ThermalFrame(np.ascontiguousarray(numbers, np.float32), False, "", GREY_LEVELS, numbers.dtype)
        return next(iter(self.frames(path, self._open_single(path))))

    def size(self, path: Path) -> tuple[int, int]:
        """(H, W) in pixels of the frame of a file that holds one, from its header where that says it.

        Raises:
            DataError: as :meth:`read`, as far as the header tells.
        """
        if self._channels > 1:
            return size_of_channels(path, self._channels)
        stored = self._open_single(path)
        height, width = stored.size or self.read(path).values.shape
        return height, width

    def _open_single(self, path: Path) -> Stored:
        stored = self.open(path)
        if stored.count != 1:
            raise DataError(
                f"{path}: holds {stored.count or 'several'} frames, expected one; name a file of several frames alone, "
                "as --input"
            )
        return stored

    def open(self, path: Path) -> Stored:
        """A file's frames as stored, which nothing but :meth:`frames` needs."""
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            expected = f"expected a name that ends in one of {' '.join(READERS)}"
            raise DataError(f"{path}: {converter_of(path) or expected}")
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
        unit = CELSIUS if stored.calibrated else self._reading.unit
        if unit is None and (numbers.dtype == np.uint8 or self._reading.preset == NO_TEMPERATURES):
            levels = np.ascontiguousarray(numbers, np.float32)
            check_finite(levels, path)
            if numbers.dtype == np.uint8 and self._reading.grey_range:
                low, high = self._reading.grey_range
                levels = np.float32(low) + levels * np.float32((high - low) / 255)
            note = _joined([stored.note, *stored.found, "grey levels, no temperatures"])
            return ThermalFrame(levels, False, note, GREY_LEVELS, numbers.dtype)
        notes = [stored.note, *stored.found]
        if self._is_open(numbers, stored):
            unit = self._decided.get(path.suffix.lower()) or decide_unit(numbers, str(path))
            notes.append(f"integers read as {unit.name}, by their values (--temp_preset overrules that)")
        unsaid, unit = unit is None and stored.unit is None, unit or stored.unit or CELSIUS
        if unsaid and are_grey_levels(numbers):
            raise UnitError(
                f"{path}: its numbers reach exactly from 0 to {numbers.max():g}, as of a picture whose grey levels "
                f"were scaled: --temp_preset {NO_TEMPERATURES} reads them as such, --temp_scale 1 as deg C"
            )
        with np.errstate(over="ignore"):  # what is too large for float32 is told as not finite
            celsius = np.ascontiguousarray(numbers if unit is CELSIUS else unit.celsius(numbers), np.float32)
        notes.append(check_celsius(celsius, numbers, unit, str(path), calibrated=stored.calibrated))
        if not stored.calibrated and not self._warned:
            doubt = doubt_about_frame(celsius, numbers, unit)
            if doubt:
                self._warned = True
                logger.warning("%s: %s", path, doubt)
        return ThermalFrame(celsius, True, _joined(notes), unit.name, numbers.dtype)


def _joined(notes: Iterable[str]) -> str:
    return "; ".join(filter(None, notes))


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, OSError) and error.strerror:
        return DataError(f"{path}: unreadable ({error.strerror})")
    return DataError(f"{path}: damaged, cut off, or not what its name says ({type(error).__name__}: {error})")
