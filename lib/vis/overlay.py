"""Thermal frames in grey with their classes in colour and a legend."""

import os
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lib.utils.files import atomic_write
from lib.vis.patterns import KINDS, TILE, hatch_tile

OPACITY = 0.45
HATCH_OPACITY = 0.8
MIN_LONG_SIDE = 320  # pixels; smaller frames are enlarged by a whole factor
MIN_LEGEND_WIDTH = 200  # pixels
MOST_NAMES = 24
"""Of more classes, the legend names those in the picture alone."""
LEGEND_BACKGROUND = (24, 24, 24)
LEGEND_TEXT = (235, 235, 235)
LIGHT_GREY = 220


def overlay(frame: np.ndarray, label: np.ndarray, class_names: Sequence[str], palette: np.ndarray) -> np.ndarray:
    """Draw a label over its frame.

    The frame is shown in grey between its own 1st and 99th percentile. Each region is tinted with its class's
    colour, hatched and outlined in it; a class whose colour is black, and ignored pixels, leave the frame as it is.
    A strip below names colours and hatches, which tell the classes apart for those who see no colours; where there are
    more than :data:`MOST_NAMES`, those of the picture.

    Args:
        frame: (H, W) or (H, W, channels) float, any unit; channels are averaged.
        label: (H, W) integer class indices; values without a colour (255, -1) count as ignored.
        class_names: C names.
        palette: (C, 3) uint8.

    Returns:
        (H', W', 3) uint8 RGB, at least as large as the frame.

    Raises:
        ValueError: the sizes of frame and label differ.
    """
    picture = tinted(frame, label, palette)
    width = max(picture.shape[1], MIN_LEGEND_WIDTH)
    if picture.shape[1] < width:
        picture = np.pad(picture, ((0, 0), (0, width - picture.shape[1]), (0, 0)))
    shown = tuple(range(len(class_names)))
    if len(shown) > MOST_NAMES:
        shown = tuple(np.intersect1d(label, shown).tolist())
    legend = _legend(tuple(class_names), tuple(map(tuple, palette.tolist())), shown, width)
    return np.concatenate([picture, legend])


def tinted(frame: np.ndarray, label: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """:func:`overlay` without the strip of names: (H', W', 3) uint8 RGB, the frame's size or a whole multiple of it.

    Raises:
        ValueError: the sizes of frame and label differ.

    >>> frame, label = np.zeros((200, 320)), np.zeros((200, 320), np.uint8)
    >>> tinted(frame, label, np.array([[0, 0, 0]], np.uint8)).shape
    (200, 320, 3)
    """
    if frame.shape[:2] != label.shape:
        raise ValueError(f"frame is {frame.shape[:2]} and its label {label.shape}; they must have one size")
    grey, label = grey_levels(frame), _table_index(label, len(palette))
    factor = max(1, MIN_LONG_SIDE // max(label.shape))
    if factor > 1:
        size = (label.shape[1] * factor, label.shape[0] * factor)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)
        label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    return _tint(grey, label, palette)


def save_overlay(
    path: str | os.PathLike,
    frame: np.ndarray,
    label: np.ndarray,
    class_names: Sequence[str],
    palette: np.ndarray,
) -> np.ndarray:
    """Write :func:`overlay` as a PNG; the arguments and what is returned are its."""
    picture = overlay(frame, label, class_names, palette)
    with atomic_write(path, durable=False) as file:
        file.write(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _png_options())[1])
    return picture


def _png_options() -> list[int]:
    """A sixth of the time of a PNG as it is usually written: weak compression, and one filter rather than the best of
    five for each row. OpenCV before 4.11 has no choice of filters; it takes one."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if hasattr(cv2, "IMWRITE_PNG_FILTER"):
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    return options


def grey_levels(frame: np.ndarray) -> np.ndarray:
    """A frame in grey between its own 1st and 99th percentile.

    Args:
        frame: (H, W) or (H, W, channels) float, any unit; channels are averaged.

    Returns:
        (H, W) uint8; non-finite pixels are black, a constant frame is mid-grey.

    >>> grey_levels(np.array([[20.0, 30.0], [25.0, np.nan]])).tolist()
    [[0, 255], [127, 0]]
    """
    frame = np.asarray(frame, dtype=np.float32)
    if frame.ndim == 3:
        frame = frame.mean(axis=2)
    finite = np.isfinite(frame)
    if not finite.any():
        return np.zeros(frame.shape, dtype=np.uint8)
    low, high = np.percentile(frame if finite.all() else frame[finite], (1, 99))
    if high <= low:
        return np.where(finite, np.uint8(128), np.uint8(0))
    known = frame if finite.all() else np.where(finite, frame, low)
    scaled = (known - low) * (255 / (high - low))
    return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


def _table_index(label: np.ndarray, num_classes: int) -> np.ndarray:
    """(H, W) uint8 with every value that has no colour set to ``num_classes``."""
    known = (label >= 0) & (label < num_classes)
    return np.where(known, label, num_classes).astype(np.uint8)


def _tint(grey: np.ndarray, label: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: grey, blended with the class colours inside regions, replaced by them on the rims."""
    # Ink says per pixel how much of the class's colour there is: 0 a tint, 1 a hatch, 2 a rim.
    ink = (_hatches((label.shape[0], label.shape[1])) >> (label % KINDS)) & 1
    down, right = np.not_equal(label[1:], label[:-1]), np.not_equal(label[:, 1:], label[:, :-1])
    ink[1:][down] = 2
    ink[:-1][down] = 2
    ink[:, 1:][right] = 2
    ink[:, :-1][right] = 2
    table = _blends(tuple(map(tuple, palette.tolist())))
    # One table of (class, ink, grey level) -> colour does the blending of all pixels in one look-up.
    colours = table[(label.astype(np.int32) * 3 + ink) * 256 + grey]
    return cv2.cvtColor(colours.view(np.uint8).reshape(*label.shape, 4), cv2.COLOR_RGBA2RGB)


@lru_cache(maxsize=16)
def _hatches(shape: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 whose bit k says whether the k-th kind of hatch has ink in a pixel."""
    tiles = np.stack([hatch_tile(kind) for kind in range(KINDS)])
    bits = np.packbits(tiles, axis=0, bitorder="little")[0]
    repeats = [-(-side // TILE) for side in shape]
    return np.tile(bits, repeats)[: shape[0], : shape[1]]


@lru_cache(maxsize=16)
def _blends(palette: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """((C + 1) x 3 x 256,) uint32: the colour of each class, ink and grey level as the bytes R, G, B and 0, which
    one look-up takes together; ignored pixels are class C."""
    colours = np.array([*palette, (0, 0, 0)], dtype=np.float64)
    opacity = np.where(colours.max(axis=1, keepdims=True) > 0, (OPACITY, HATCH_OPACITY, 1.0), 0.0)[:, :, None, None]
    blend = np.arange(256)[:, None] * (1 - opacity) + colours[:, None, None] * opacity
    rgb = np.round(blend).astype(np.uint8).reshape(-1, 3)
    return np.pad(rgb, ((0, 0), (0, 1))).view(np.uint32)[:, 0]


@lru_cache(maxsize=16)
def _legend(
    names: tuple[str, ...], colours: tuple[tuple[int, int, int], ...], shown: tuple[int, ...], width: int
) -> np.ndarray:
    """(height, width, 3) uint8: a swatch and a name per class of ``shown``, in as many equal columns as fit."""
    size = int(np.clip(width // 28, 11, 20))
    font = ImageFont.load_default(size)
    margin, swatch, line = size // 2, size - 2, size + size // 2
    column = swatch + margin + size + int(np.ceil(max((font.getlength(names[index]) for index in shown), default=0)))
    columns = max(1, (width - margin) // column)
    rows = -(-len(shown) // columns)
    image = Image.new("RGB", (width, margin + rows * line), LEGEND_BACKGROUND)
    draw = ImageDraw.Draw(image)
    for place, index in enumerate(shown):
        x, y = margin + place % columns * column, margin + place // columns * line
        image.paste(_swatch(index, colours[index], swatch), (x, y))
        draw.rectangle((x, y, x + swatch, y + swatch), outline=(150, 150, 150))
        draw.text((x + swatch + margin, y + swatch / 2), names[index], font=font, fill=LEGEND_TEXT, anchor="lm")
    return np.asarray(image)


def _swatch(index: int, colour: tuple[int, int, int], size: int) -> Image.Image:
    """A square of a class's colour with its hatch, on light grey; black classes have neither."""
    colours = np.array([colour, colour], dtype=np.float64)
    if any(colour):
        colours[0] = (1 - OPACITY) * LIGHT_GREY + OPACITY * colours[0]
    ink = (_hatches((size, size)) >> (index % KINDS)) & 1
    return Image.fromarray(np.round(colours).astype(np.uint8)[ink])
