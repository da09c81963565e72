"""A whole page: one file that loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.vis.report.html import Html, join, tag
from lib.vis.report.shades import shade_css

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PageSection:
    """A part of a page: id for links to it, heading, content."""

    key: str
    heading: str
    content: Html


def page(title: str, subtitle: str, sections: Sequence[PageSection]) -> str:
    """An HTML document with a table of contents, light or dark as the reader's system is."""
    script = (_FOLDER / "report.js").read_text(encoding="utf-8")
    shown = [section for section in sections if section.content]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", Html(stylesheet())),
    )
    links = (tag("a", section.heading, href=f"#{section.key}") for section in shown)
    parts = (
        tag("section", tag("h2", section.heading), section.content, id=section.key, class_="part") for section in shown
    )
    body = tag(
        "body",
        tag("header", tag("h1", title), tag("p", subtitle, class_="muted"), tag("nav", *links, aria_label="Contents")),
        tag("main", *parts),
        tag("script", Html(script)),
    )
    return join([Html("<!doctype html>\n"), tag("html", head, body, lang="en")])


def stylesheet() -> str:
    """CSS of all pages: colours for light and dark, type, boxes, tables, forms, legends."""
    return (_FOLDER / "report.css").read_text(encoding="utf-8") + shade_css()


def _policy(script: str) -> str:
    """Forbids every request and every script but the page's own, whatever a name in a data set may hold."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
