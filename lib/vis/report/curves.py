"""Learning curves as line charts."""

import math
from collections.abc import Mapping, Sequence

from lib.vis.report.html import Html, join, tag

WIDTH, HEIGHT = 440, 230
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 10, 40
"""Margins around the curves, for the axes."""
MOST_POINTS = 200
"""Of a curve; more become the means of equal stretches."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 4", "1 4", "9 3 2 3 2 3")
"""Of curves in their order, so that they are told apart without colour; as many as there are colours."""

Curve = Sequence[tuple[float, float]]


def line_chart(title: str, curves: Mapping[str, Curve], unit: str = "") -> Html:
    """A chart of curves over iterations, with a legend.

    Args:
        title: what is shown.
        curves: by name, points (iteration, value) in their order; values that aren't finite are left out.
        unit: of the values, for the upright axis.
    """
    shown = {name: _thinned([point for point in curve if math.isfinite(point[1])]) for name, curve in curves.items()}
    shown = {name: curve for name, curve in shown.items() if curve}
    if not shown:
        return Html()
    points = [point for curve in shown.values() for point in curve]
    x_ticks = ticks(min(x for x, _ in points), max(x for x, _ in points))
    y_ticks = ticks(min(y for _, y in points), max(y for _, y in points))
    place = _Scale(x_ticks, y_ticks)
    lines = [_line(index, curve, place) for index, curve in enumerate(shown.values())]
    picture = tag(
        "svg",
        *_axes(x_ticks, y_ticks, place, unit),
        *lines,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{title}: {', '.join(shown)}",
        class_="chart",
    )
    last = [(index, f"{name}: {curve[-1][1]:.4g}") for index, (name, curve) in enumerate(shown.items())]
    legend = tag("ul", *(tag("li", _key(index), text) for index, text in last), class_="legend")
    return tag("figure", tag("figcaption", title), picture, legend, class_="card")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, 1, 2 or 5 times a power of ten apart.

    >>> ticks(0, 900)
    [0, 200, 400, 600, 800, 1000]
    """
    size = max(abs(low), abs(high))
    # Values that differ by their last digits alone are one value: ticks between them could not be told apart.
    span = high - low if high - low > 1e-6 * size else size or 1.0
    decade = 10 ** math.floor(math.log10(span / (most - 1)))
    step = next(factor * decade for factor in (1, 2, 5, 10) if span / (factor * decade) < most)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]


class _Scale:
    """From iterations and values to the picture's units."""

    def __init__(self, x_ticks: list[float], y_ticks: list[float]) -> None:
        self._x, self._y = (x_ticks[0], x_ticks[-1]), (y_ticks[0], y_ticks[-1])

    def x(self, value: float) -> str:
        share = (value - self._x[0]) / (self._x[1] - self._x[0])
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def y(self, value: float) -> str:
        share = (value - self._y[0]) / (self._y[1] - self._y[0])
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}"


def _thinned(curve: Curve) -> list[tuple[float, float]]:
    if len(curve) <= MOST_POINTS:
        return list(curve)
    edges = [round(index * len(curve) / MOST_POINTS) for index in range(MOST_POINTS + 1)]
    stretches = [curve[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    return [tuple(sum(values) / len(part) for values in zip(*part, strict=True)) for part in stretches]


def _axes(x_ticks: list[float], y_ticks: list[float], place: _Scale, unit: str) -> list[Html]:
    bottom, parts = HEIGHT - BOTTOM, []
    for value in y_ticks:
        y = place.y(value)
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", f"{value:.4g}", x=LEFT - 6, y=float(y) + 4, class_="label end"))
    for value in x_ticks:
        x = place.x(value)
        parts.append(tag("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="grid"))
        parts.append(tag("text", f"{value:.6g}", x=x, y=bottom + 18, class_="label middle"))
    parts.append(tag("text", "iteration", x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 4, class_="axis middle"))
    turned = f"translate(12 {(TOP + bottom) / 2})rotate(-90)"
    return [*parts, tag("text", unit, transform=turned, class_="axis middle")]


def _line(index: int, curve: Curve, place: _Scale) -> Html:
    style = index % len(DASHES)
    points = " ".join(f"{place.x(x)},{place.y(y)}" for x, y in curve)
    line = tag("polyline", points=points, class_=f"line c{style}", stroke_dasharray=DASHES[style] or None)
    dots = [tag("circle", cx=place.x(x), cy=place.y(y), r=2.5, class_=f"dot c{style}") for x, y in curve]
    return join([line, *dots] if len(curve) <= 30 else [line])


def _key(index: int) -> Html:
    style = index % len(DASHES)
    line = tag("line", x1=1, x2=31, y1=8, y2=8, class_=f"line c{style}", stroke_dasharray=DASHES[style] or None)
    return tag("svg", line, viewBox="0 0 32 16", class_="swatch wide", aria_hidden="true")
