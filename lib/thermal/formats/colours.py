"""From colours to one number a pixel: equal channels, palettes of thermal pictures, brightness."""

import logging
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib.thermal.formats.palettes import NEAR, Palette, palette_of
from lib.utils.errors import DataError

logger = logging.getLogger("samcl")

SAMPLED = 3000
"""Pixels that tell a picture's palette."""
_COLOURED = 40
"""Difference between the channels of a pixel from which on it counts as coloured; compression alone makes less."""
_COLOURFUL = 0.1
"""Share of coloured pixels from which on a picture isn't a grey one with coloured text or marks."""
_AROUND = 5
"""Side in pixels of the neighbourhood that gives the level of a pixel whose colour is of no palette."""
_BRIGHTNESS = "colours read as their brightness"
UNKNOWN = (
    "its colours are of no palette that is known, and brightness may not rise with temperature in them: "
    "export it in grey (white hot or black hot), or with its temperatures"
)

_warned: set[Path] = set()


def one_channel(values: np.ndarray, alpha: int, where: str) -> np.ndarray:
    """The one channel (H, W) of numbers whose depth says that they may be temperatures.

    Args:
        values: (H, W) or (H, W, C).
        alpha: how many of the last channels say how opaque a pixel is, and don't matter.
        where: the file, for messages.

    Raises:
        DataError: the channels differ.
    """
    if values.ndim == 2:
        return values
    channels = values[:, :, : max(1, values.shape[2] - alpha)]
    if (channels != channels[:, :, :1]).any():
        raise DataError(
            f"{where}: expected one channel of {values.dtype}, or equal ones, got {channels.shape[2]} that differ; "
            "save the temperatures alone, or a picture in colours with 8 bits a channel"
        )
    return np.ascontiguousarray(channels[:, :, 0])


class Colours:
    """Reads the colours of a file's frames as grey levels, all frames by the palette of the first that has colours.

    Attributes:
        notes: what was found.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._palette: Palette | None = None
        self._known = False
        self.notes: list[str] = []

    def of_picture(self, picture: Image.Image) -> np.ndarray:
        """(H, W) uint8 of a picture of 8 bits or less, as stored."""
        has_colours = picture.mode in ("RGB", "RGBA", "CMYK", "YCbCr", "P", "PA", "LAB", "RGBX")
        return self.levels(np.array(picture.convert("RGB"))) if has_colours else np.array(picture.convert("L"))

    def levels(self, colours: np.ndarray) -> np.ndarray:
        """(H, W) uint8 of RGB (H, W, 3) uint8."""
        if not self._known:  # a video may begin in black
            self._known = self._decide(colours)
        if self._palette is None:
            return cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)
        packed = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        different, places = np.unique(packed, return_inverse=True)
        unpacked = np.stack([different >> 16, different >> 8 & 255, different & 255], axis=1)
        found, distances = self._palette.levels(unpacked)
        levels, far = found[places].reshape(packed.shape), (distances > NEAR)[places].reshape(packed.shape)
        # Compression mixes the colours of both sides of an edge to ones that the palette doesn't have.
        return np.where(far, cv2.medianBlur(levels, _AROUND), levels) if far.any() else levels

    def _decide(self, colours: np.ndarray) -> bool:
        """Find the palette; False where the frame has too few colours to tell."""
        pixels = colours.reshape(-1, 3)
        # A step that shares no factor with usual widths, so that samples come from all columns.
        sample = pixels[:: max(1, len(pixels) // SAMPLED) | 1]
        if np.mean(np.ptp(sample.astype(np.int16), axis=1) >= _COLOURED) < _COLOURFUL:
            if _BRIGHTNESS not in self.notes:
                self.notes.append(_BRIGHTNESS)
            return False
        if _BRIGHTNESS in self.notes:
            self.notes.remove(_BRIGHTNESS)
        self._palette = palette_of(sample)
        if self._palette is not None:
            self.notes.append(f"colours read as levels of the palette {self._palette.name}")
        elif rises_with_brightness(sample):
            self.notes.append(f"{_BRIGHTNESS}, which tells them apart")
        else:
            self.notes.append(f"{_BRIGHTNESS}, though {UNKNOWN}")
            if self._path.parent not in _warned:  # once a folder
                _warned.add(self._path.parent)
                logger.warning("%s: %s", self._path, UNKNOWN)
        return True


def rises_with_brightness(colours: np.ndarray) -> bool:
    """Whether brightness alone tells the colours of a picture, so that it may stand for their place in a palette.

    Colours of the same brightness must be alike, and those of a little more brightness similar.

    Args:
        colours: (N, 3) uint8, RGB of pixels from all over the picture.
    """
    brightness = cv2.cvtColor(colours[None], cv2.COLOR_RGB2GRAY)[0] // 8
    previous, step, apart = None, 0, 0
    for level in np.unique(brightness).tolist():
        alike = colours[brightness == level].astype(np.float64)
        centre = np.median(alike, axis=0)
        apart += int(np.count_nonzero(np.linalg.norm(alike - centre, axis=1) > 60))
        if len(alike) < len(colours) / 200:  # too few to tell: text, edges
            continue
        if previous is not None and np.linalg.norm(centre - previous) > 60 * (level - step):
            return False
        previous, step = centre, level
    return apart <= 0.1 * len(colours)
