"""The confusion matrix as a picture."""

from collections.abc import Sequence

from lib.vis.report.html import Html, join, tag
from lib.vis.report.numbers import whole
from lib.vis.report.shades import shade_class

LABEL_WIDTH = 7.2
"""Of a letter, at most, in units of the picture."""
MOST_NUMBERED = 24
"""Classes up to which the cells hold numbers."""


def confusion_picture(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Html:
    """Rows are the truth, columns the prediction; numbers are percent of the row, shades show them too.

    Args:
        counts: C rows of C pixel counts.
        names: C class names.
    """
    numbered = len(names) <= MOST_NUMBERED
    side = 50 if len(names) <= 8 else 44 if numbered else 14
    shown = [name if len(name) <= 24 else f"{name[:23]}\N{HORIZONTAL ELLIPSIS}" for name in names]
    left = 34 + LABEL_WIDTH * max(map(len, shown))
    top = 34 + 0.72 * LABEL_WIDTH * max(map(len, shown))
    right = 0.72 * LABEL_WIDTH * len(shown[-1])
    parts = [
        tag("text", "predicted", x=f"{left + side * len(names) / 2:g}", y=14, class_="axis middle"),
        tag(
            "text", "true", class_="axis middle", transform=f"translate(14 {top + side * len(names) / 2:g})rotate(-90)"
        ),
    ]
    for index, (name, row) in enumerate(zip(shown, counts, strict=True)):
        y = top + side * index
        place = f"translate({left + side * (index + 0.5):g} {top - 8:g})rotate(-45)"
        parts.append(tag("text", name, class_="label", transform=place))
        parts.append(tag("text", name, class_="label end", x=f"{left - 8:g}", y=f"{y + side / 2 + 4:g}"))
        parts += [
            _cell(count, sum(row), (names[index], names[column]), left + side * column, y, side, numbered)
            for column, count in enumerate(row)
        ]
    width, height = left + side * len(names) + right, top + side * len(names) + 2
    return tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"max-width:{width:g}px",
        role="img",
        aria_label="Confusion matrix: share of the pixels of each true class by predicted class",
        class_="confusion",
    )


def _cell(count: int, total: int, names: tuple[str, str], x: float, y: float, side: float, numbered: bool) -> Html:
    share = count / total if total else 0.0
    percent = 100 * share
    shade = shade_class(share)
    said = f"{names[0]} predicted as {names[1]}: {whole(count)} pixels, {percent:.2f} % of {names[0]}"
    cell = tag("rect", tag("title", said), x=f"{x:g}", y=f"{y:g}", width=side - 2, height=side - 2, rx=3, class_=shade)
    if not numbered:
        return cell
    text = "" if not total else "0" if not count else "<0.1" if percent < 0.1 else f"{percent:.1f}"
    place = {"x": f"{x + side / 2 - 1:g}", "y": f"{y + side / 2 + 4:g}"}
    return join([cell, tag("text", text, class_=f"cell {shade}", **place)])
