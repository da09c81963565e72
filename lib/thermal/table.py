"""Frames in text: the CSV exports of camera software."""

import codecs
import csv
from collections import Counter
from pathlib import Path

import numpy as np

from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

NUMBERED = 8
"""Rows and columns from which on 0, 1, 2, ... down the first column counts as row numbers, not as temperatures."""


def read_csv(path: Path, reading: Reading) -> Stored:
    """Numbers separated by semicolons, tabs or commas, with decimal points or commas, one line a row.

    Lines before the first whole row are headers; separators at the ends of lines, quotation marks and a byte order
    mark don't matter. Columns and rows of row and column numbers are left out. Numbers without decimals are counts.
    """
    lines = [line for line in enumerate(_text(path).splitlines(), 1) if line[1].strip()]
    if not lines:
        raise DataError(f"{path}: no text in it")
    delimiter = next((mark for mark in ";\t," if mark in lines[-1][1]), None)
    if delimiter is None:
        raise DataError(f"{path}: expected numbers separated by semicolons, tabs or commas, got {_short(lines[-1][1])}")
    rows = [_numbers(_cells(line, delimiter)) for _, line in lines]
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        raise DataError(f"{path}: no line of numbers alone; its last line is {_short(lines[-1][1])}")
    # A cut-off file has one short line, a header few numbers: the frame's rows are the most, and the longest of these.
    width = max(widths, key=lambda width: (widths[width], width))
    first = next(index for index, row in enumerate(rows) if row and len(row) == width)
    for (number, line), row in zip(lines[first:], rows[first:], strict=True):
        if row is None or len(row) != width:
            got = f"{len(row)} numbers" if row else _short(line)
            raise DataError(f"{path}: line {number}: expected {width} numbers as in other lines, got {got}; cut off?")
    values, note = _without_numbering(np.array(rows[first:], np.float64))
    if all(cell.strip().isdecimal() for _, line in lines[first:] for cell in _cells(line, delimiter)):
        values = values.astype(np.int64)
    return Stored(1, iter([values]), values.shape, note=note)


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # degree signs of older software


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line without empty ones at its end."""
    cells = next(csv.reader([line], delimiter=delimiter)) if '"' in line else line.split(delimiter)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _numbers(cells: list[str]) -> list[float] | None:
    """The numbers in the cells of a line; None if they hold anything else."""
    try:
        return [float(cell.replace(",", ".")) for cell in cells]
    except ValueError:
        return None


def _without_numbering(values: np.ndarray) -> tuple[np.ndarray, str]:
    """Leave out a first column, or row and column, that only count; says so."""
    if min(values.shape) < NUMBERED or not _counts(values[1:, 0]):
        return values, ""
    return (values[1:, 1:] if _counts(values[0, 1:]) else values[:, 1:]), "without its row and column numbers"


def _counts(values: np.ndarray) -> bool:
    return values[0] in (0, 1, 2) and bool((np.diff(values) == 1).all())


def _short(line: str) -> str:
    return repr(line if len(line) <= 40 else f"{line[:40]}...")
