"""Tables that sort by the buttons in their heads and hide the rows that a filter doesn't let through."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.vis.report.html import Html, join, tag


@dataclass(frozen=True)
class Column:
    """A column: its title, what it means where that isn't plain, and whether it holds numbers."""

    title: str
    meaning: str = ""
    numbers: bool = True


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], caption: str, sortable: bool = False) -> Html:
    """A table that scrolls within its frame; the first cell of every row names the row.

    Args:
        columns: of the head.
        rows: text or markup per cell.
        caption: what the table is, for those who don't see where it stands.
        sortable: by buttons in the head; rows come sorted by the first column.
    """
    head = tag("thead", tag("tr", *(_head(column, sortable, at == 0) for at, column in enumerate(columns))))
    body = tag("tbody", *(_row(row, columns) for row in rows))
    inner = tag("table", tag("caption", caption, class_="unseen"), head, body, class_="sortable" if sortable else None)
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def filtered_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], caption: str, most: str) -> Html:
    """A sortable table of frames with filters: part of the name, and the largest value of the second column.

    Args:
        columns, rows, caption: as of :func:`table`.
        most: label of the second filter.
    """
    filters = tag(
        "div",
        tag("label", "Name contains ", tag("input", type="search", data_filter="name", autocomplete="off")),
        tag("label", f"{most} ", tag("input", type="number", step="any", data_filter="most")),
        tag("output", f"{len(rows)} of {len(rows)} frames", aria_live="polite"),
        tag("button", "Show all", type="button", class_="all", hidden=True),
        class_="filters",
    )
    return tag("div", filters, table(columns, rows, caption, sortable=True), class_="filtered")


def facts(pairs: Iterable[tuple[str, str]]) -> Html:
    """Names and values below each other."""
    return tag("dl", *(join([tag("dt", name), tag("dd", value)]) for name, value in pairs), class_="facts")


def _head(column: Column, sortable: bool, first: bool) -> Html:
    title = tag("button", column.title, type="button") if sortable else column.title
    order = ("ascending" if first else "none") if sortable else None
    kind = None if column.numbers else "text"
    return tag("th", title, scope="col", title=column.meaning or None, aria_sort=order, class_=kind)


def _row(cells: Sequence[str], columns: Sequence[Column]) -> Html:
    first, *others = cells
    rest = (
        tag("td", cell, class_=None if column.numbers else "text")
        for cell, column in zip(others, columns[1:], strict=True)
    )
    return tag("tr", tag("th", first, scope="row"), *rest)
