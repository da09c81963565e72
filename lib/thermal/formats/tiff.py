"""TIFF files: which pages are frames, and their numbers at the depth and in the direction they were stored with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from lib.thermal.formats.colours import Colours, one_channel
from lib.thermal.formats.names import utf8_name
from lib.thermal.formats.orientation import UPRIGHT, upright
from lib.thermal.formats.tiff_pages import REMEDY, Directories, Page
from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError


class _Outline(NamedTuple):
    """What tells a frame from a preview."""

    deep: bool
    reduced: bool
    size: tuple[int, int]


class _Place(NamedTuple):
    """Of a page: its number in the file, and where its directory is."""

    page: int
    directory: int


def read_tiff(path: Path, reading: Reading) -> Stored:
    """TIFF of integers or floats, one page a frame; colours of 8 bits as grey levels.

    Previews, which are tagged as such or of 8 bits beside deeper pages, are no frames.
    """
    frames = _frames_of(path)
    colours = Colours(path)
    note = f"without {_several(frames.left_out, 'page')} of previews" if frames.left_out else ""
    pages = (
        one_channel(values, page.alpha, f"{path}: page {page.index + 1}")
        for page, values in _decoded(path, frames.places, colours)
    )
    return Stored(len(frames.places), pages, frames.size, note=note, found=colours.notes)


def read_tiff_channels(path: Path) -> np.ndarray:
    """The channels (H, W, C) of a TIFF of one frame, at their own depth; RGB of 8 bits."""
    frames = _frames_of(path)
    if len(frames.places) != 1:
        raise DataError(f"{path}: holds {len(frames.places)} frames, expected one")
    page, values = next(_decoded(path, frames.places, None))
    return np.atleast_3d(values)[:, :, : page.channels - page.alpha]


def tiff_size(path: Path) -> tuple[int, int]:
    """(H, W) in pixels of a TIFF's frames."""
    return _frames_of(path).size


class _Frames(NamedTuple):
    size: tuple[int, int]
    places: list[_Place]
    left_out: int


def _frames_of(path: Path) -> _Frames:
    outlines: dict[_Outline, list[_Place]] = {}
    with path.open("rb") as file:
        directories = Directories(file, path)
        for page in directories.pages():
            if page.plain and page.end > directories.file_bytes:
                raise DataError(f"{path}: cut off: the pixels of page {page.index + 1} are truncated")
            outline = _Outline(page.deep, page.reduced, page.size)
            outlines.setdefault(outline, []).append(_Place(page.index, page.place))
    if not outlines:
        raise DataError(f"{path}: a TIFF without a page")
    size, places = _frames(outlines, path)
    return _Frames(size, places, sum(map(len, outlines.values())) - len(places))


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _frames(outlines: dict[_Outline, list[_Place]], path: Path) -> tuple[tuple[int, int], list[_Place]]:
    """Size and places of the pages that are frames."""
    kept = [outline for outline in outlines if not outline.reduced] or list(outlines)
    kept = [outline for outline in kept if outline.deep] or kept
    sizes = {outline.size for outline in kept}
    if len(sizes) > 1:
        listing = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise DataError(
            f"{path}: has pages of different sizes, {listing} (width x height), none tagged as a preview; "
            "save the frames alone, all of one size"
        )
    return sizes.pop(), sorted(place for outline in kept for place in outlines[outline])


def _decoded(path: Path, places: list[_Place], colours: Colours | None) -> Iterator[tuple[Page, np.ndarray]]:
    """Pages and their numbers (H, W[, C]), upright; of 8 bits without a sign as levels, or RGB without ``colours``."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        directories, by_library = Directories(file, path), _Library(path, stack, colours)
        for number, directory in places:
            page, _ = directories.page(number, directory)
            yield page, upright(_plain(file, page), page.orientation) if page.plain else by_library.decode(page)


def _plain(file: BinaryIO, page: Page) -> np.ndarray:
    """(H, W[, C]) numbers of an uncompressed page, in the machine's byte order."""
    assert page.dtype is not None
    parts = []
    for offset, size in zip(page.offsets, page.part_sizes(), strict=True):
        file.seek(offset)
        parts.append(np.frombuffer(file.read(size), page.dtype))
    planes = page.channels if page.planar else 1
    within = page.channels // planes
    if page.tile is None:
        whole = np.concatenate(parts).reshape(planes, page.height, page.width, within)
    else:
        down, across = page.tiles
        height, width = page.tile
        tiled = np.concatenate(parts).reshape(planes, down, across, height, width, within)
        whole = tiled.swapaxes(2, 3).reshape(planes, down * height, across * width, within)
        whole = whole[:, : page.height, : page.width]
    values = np.moveaxis(whole, 0, -1).reshape(page.height, page.width, page.channels)
    return values.astype(page.dtype.newbyteorder("="))


class _Library:
    """Decodes what isn't plain: by Pillow, and what that doesn't know or would cut to 8 bits, by OpenCV."""

    def __init__(self, path: Path, stack: ExitStack, colours: Colours | None) -> None:
        self._path, self._stack, self._colours = path, stack, colours
        self._picture: Image.Image | None = None

    def decode(self, page: Page) -> np.ndarray:
        """(H, W[, C]), upright."""
        if not page.deep or page.channels == 1:
            try:
                return self._by_pillow(page)
            except (UnidentifiedImageError, SyntaxError):  # a kind, as of float64, that Pillow doesn't know
                pass
        return self._by_opencv(page)

    def _by_pillow(self, page: Page) -> np.ndarray:
        if self._picture is None:
            # Not by its name: Pillow would map an uncompressed page into memory as if it were upright already.
            file = self._stack.enter_context(self._path.open("rb"))
            self._picture = self._stack.enter_context(Image.open(file, formats=("TIFF",)))
        self._picture.seek(page.index)
        if not page.deep:
            if self._colours is None:
                return np.array(self._picture.convert("RGB"))
            return self._colours.of_picture(self._picture)
        values = np.array(self._picture)
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        # Pillow has neither whole numbers of 32 bits without a sign, nor of 8 bits with one.
        same = page.dtype is not None and page.dtype.itemsize == values.dtype.itemsize
        return values.view(page.dtype.newbyteorder("=")) if same and page.dtype is not None else values

    def _by_opencv(self, page: Page) -> np.ndarray:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            with utf8_name(self._path) as name:
                _, pages = cv2.imreadmulti(name, page.index, 1, flags=cv2.IMREAD_UNCHANGED)
        finally:
            cv2.utils.logging.setLogLevel(level)
        # Whether OpenCV turns pages depends on its version and on their depth.
        if not pages or page.orientation != UPRIGHT or pages[0].shape[:2] != page.size:
            raise DataError(
                f"{self._path}: page {page.index + 1} is damaged, or of a kind that neither Pillow nor OpenCV reads; "
                f"{REMEDY} and upright"
            )
        return pages[0]
