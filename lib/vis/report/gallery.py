"""Frames with their truth, prediction and errors, as SVG over a picture: hatched, numbered and sharp at any size."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lib.utils.labels import IGNORE
from lib.vis.overlay import grey_levels
from lib.vis.patterns import TILE, hatch_lines
from lib.vis.report.html import Html, join, tag
from lib.vis.report.outlines import region_path

MOST_PIXELS_WIDE = 640
UNITS_WIDE = 320
"""Pictures are this many hatch units wide, whatever the frame's size."""
ERRORS = {
    "missed": ("#e8590c", 0, "missed: background predicted on a class"),
    "made up": ("#1c7ed6", 1, "made up: a class predicted on background"),
    "confused": ("#c2255c", 5, "confused: a class predicted on another"),
}
"""Kinds of errors: colour, hatch, and what a legend says."""
_IGNORED = ("#adb5bd", 4)


@dataclass(frozen=True)
class Example:
    """A frame to show.

    Attributes:
        name: of the frame.
        caption: its scores.
        frame: (H, W) or (H, W, channels) float, any unit.
        truth: (H, W) uint8 classes, 255 = ignored.
        prediction: (H, W) uint8 classes.
    """

    name: str
    caption: str
    frame: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray


def example_figure(example: Example, key: str, link: str, palette: np.ndarray) -> Html:
    """Four pictures of a frame side by side: frame, truth, prediction, error map.

    Args:
        example: the frame.
        key: a prefix of the element ids, unique on the page, of letters and digits.
        link: address of the frame's own picture.
        palette: (C, 3) uint8; black classes are background and not drawn.
    """
    height, width = example.truth.shape
    unit = width / UNITS_WIDE
    shared = tag("defs", _picture(example.frame, key, width, height), *_hatches(key, palette, unit))
    errors, counts = _errors(example, key, palette, unit)
    pictures = (
        ("frame", shared, f"Frame {example.name}"),
        ("truth", _regions(example.truth, key, palette, unit), f"Truth of {example.name}"),
        ("prediction", _regions(example.prediction, key, palette, unit), f"Prediction of {example.name}"),
        (f"errors: {counts}", errors, f"Errors in {example.name}: {counts}"),
    )
    frame = tag("use", href=f"#{key}i")
    view = {"viewBox": f"0 0 {width} {height}", "role": "img"}
    parts = [
        tag("figure", tag("svg", frame, content, aria_label=label, **view), tag("figcaption", title))
        for title, content, label in pictures
    ]
    heading = tag("h4", tag("a", example.name, href=link), " ", tag("span", example.caption, class_="muted"))
    return tag("div", heading, tag("div", *parts, class_="four"), class_="example")


def class_legend(names: Sequence[str], palette: np.ndarray) -> Html:
    """Number, colour, hatch and name of every class."""
    entries = [
        _entry(f"k{index}", tuple(colour), index, f"{index} {name}")
        for index, (name, colour) in enumerate(zip(names, palette.tolist(), strict=True))
    ]
    return tag("ul", *entries, class_="legend", aria_label="Classes")


def error_legend() -> Html:
    """Colour, hatch and meaning of the kinds of errors, and of ignored pixels."""
    entries = [_entry(f"e{hatch}", colour, hatch, text) for colour, hatch, text in ERRORS.values()]
    entries.append(_entry("eg", *_IGNORED, "ignored: truth not known, not counted"))
    return tag("ul", *entries, class_="legend", aria_label="Errors")


def _entry(key: str, colour: str | tuple[int, ...], index: int, text: str) -> Html:
    pattern = _hatch(key, colour, index, 1, opacity=0.45)
    if not any(colour):
        pattern = tag("pattern", tag("rect", width=TILE, height=TILE, fill="#000"), **_tile(key, 1))
    square = tag("rect", width=24, height=16, fill=f"url(#{key})", stroke=_css(colour), stroke_width=2)
    swatch = tag("svg", tag("defs", pattern), square, viewBox="0 0 24 16", class_="swatch", aria_hidden="true")
    return tag("li", swatch, text)


def _picture(frame: np.ndarray, key: str, width: int, height: int) -> Html:
    grey = grey_levels(frame)
    if width > MOST_PIXELS_WIDE:
        size = (MOST_PIXELS_WIDE, max(1, round(height * MOST_PIXELS_WIDE / width)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    data = base64.b64encode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()).decode()
    return tag("image", id=f"{key}i", width=width, height=height, href=f"data:image/jpeg;base64,{data}")


def _hatches(key: str, palette: np.ndarray, unit: float) -> list[Html]:
    hatches = [
        _hatch(f"{key}c{index}", tuple(colour), index, unit)
        for index, colour in enumerate(palette.tolist())
        if any(colour)
    ]
    hatches += [_hatch(f"{key}e{hatch}", colour, hatch, unit) for colour, hatch, _ in ERRORS.values()]
    return [*hatches, _hatch(f"{key}eg", *_IGNORED, unit)]


def _hatch(key: str, colour: str | tuple[int, ...], index: int, unit: float, opacity: float = 0.4) -> Html:
    return tag(
        "pattern",
        tag("rect", width=TILE, height=TILE, fill=_css(colour), opacity=opacity),
        tag("path", d=hatch_lines(index), stroke=_css(colour), stroke_width=1.2, fill="none"),
        **_tile(key, unit),
    )


def _tile(key: str, unit: float) -> dict[str, str | int]:
    units = {"patternUnits": "userSpaceOnUse", "patternTransform": f"scale({unit:g})"}
    return {"id": key, "width": TILE, "height": TILE, **units}


def _regions(classes: np.ndarray, key: str, palette: np.ndarray, unit: float) -> Html:
    """Every class that has a colour, hatched and outlined, with its number on its largest part."""
    shapes, numbers = [], []
    for index, colour in enumerate(palette.tolist()):
        mask = classes == index
        if any(colour) and mask.any():
            look = {"fill": f"url(#{key}c{index})", "stroke": _css(tuple(colour)), "stroke_width": f"{unit:g}"}
            shapes.append(tag("path", d=region_path(mask), **look))
            numbers.append(_number(index, mask, unit))
    ignored = classes == IGNORE
    if ignored.any():
        shapes.append(tag("path", d=region_path(ignored), fill=f"url(#{key}eg)"))
    return join([*shapes, *numbers])


def _number(index: int, mask: np.ndarray, unit: float) -> Html:
    """The class's number in the middle of its largest part, or beside it where that is too small."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, column = (int(place) for place in np.unravel_index(int(depth.argmax()), depth.shape))
    size, x = 13 * unit, float(column)
    if depth[y, column] < 0.75 * size:
        right = int(np.nonzero(mask[y])[0].max())
        x = min(right + 0.7 * size, mask.shape[1] - 0.5 * size)
    place = {"x": f"{x + 0.5:.5g}", "y": f"{y + 0.36 * size:.5g}", "font_size": f"{size:g}"}
    return tag("text", str(index), class_="number", **place)


def _errors(example: Example, key: str, palette: np.ndarray, unit: float) -> tuple[Html, str]:
    """The error map, and the shares of its kinds in words."""
    truth, prediction = example.truth, example.prediction
    known = truth != IGNORE
    background = np.append(~palette.any(axis=1), np.zeros(256 - len(palette), dtype=bool))
    wrong = known & (truth != prediction)
    masks = {"missed": wrong & background[prediction], "made up": wrong & background[truth]}
    masks["confused"] = wrong & ~masks["missed"] & ~masks["made up"]
    parts, shares = [], []
    for kind, mask in masks.items():
        colour, hatch, _ = ERRORS[kind]
        if mask.any():
            look = {"fill": f"url(#{key}e{hatch})", "stroke": colour, "stroke_width": f"{0.5 * unit:g}"}
            parts.append(tag("path", d=region_path(mask), **look))
        shares.append(f"{100 * mask.sum() / max(int(known.sum()), 1):.1f} % {kind}")
    if not known.all():
        parts.append(tag("path", d=region_path(~known), fill=f"url(#{key}eg)"))
    return join(parts), ", ".join(shares)


def _css(colour: str | Sequence[int]) -> str:
    return colour if isinstance(colour, str) else "#{:02x}{:02x}{:02x}".format(*colour)
