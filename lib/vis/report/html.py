"""HTML and SVG from trees of elements: text is escaped unless it was made here."""

import os
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

_VOID = frozenset({"meta", "link", "input", "br"})
_SVG_LEAVES = frozenset({"image", "use", "path", "rect", "line", "polyline", "circle"})
_NEEDS_NO_END = frozenset({"td", "th", "tr", "li"})
"""HTML lets their ends out; the page of a few thousand frames is a quarter shorter for it."""


class Html(str):
    """Markup, as opposed to text that is still to be escaped."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """An element.

    Args:
        element: its name.
        children: text, which is escaped, and :class:`Html`, which isn't.
        attributes: a last underscore is left out (``class_``), others become hyphens; True stands for an attribute
            without a value, False and None leave it out.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    start = f"<{element}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    if element in _SVG_LEAVES and not children:
        return Html(f"{start}/>")
    end = "" if element in _VOID or element in _NEEDS_NO_END else f"</{element}>"
    return Html(f"{start}>{join(children)}{end}")


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def join(parts: Iterable[str]) -> Html:
    """Markup and text one after another; the text is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part, quote=False) for part in parts))


def frame_link(name: str) -> str:
    """Address of a frame's picture in a result folder; names may be of any encoding."""
    return f"vis/{quote(os.fsencode(f'{name}.png'))}"
