"""Markup: what isn't made by ``tag`` is escaped."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.vis.report.html import Html, join, tag


class Reader(HTMLParser):
    """Elements, attributes and text as a browser would find them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data


texts = st.text(st.sampled_from("<>&\"'/=;!-ab \u20ac")) | st.text()


@given(texts, texts)
def test_text_and_attributes_come_back_as_they_were_and_add_no_element(text, value):
    found = Reader(tag("p", text, title=value))
    assert found.text == text.replace("\r\n", "\n") or found.text == text
    assert found.elements == [("p", {"title": value})]


def test_markup_is_kept_and_text_beside_it_escaped():
    assert tag("p", tag("b", "a"), "<b>") == "<p><b>a</b>&lt;b&gt;</p>"
    assert join(["<", Html("<br>")]) == "&lt;<br>"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (tag("input", type="search", data_filter="x"), '<input type="search" data-filter="x">'),
        (tag("label", for_="x", class_="y"), '<label for="x" class="y"></label>'),
        (tag("th", "a", scope="col", title=None), '<th scope="col">a'),
        (tag("button", hidden=True, disabled=False), "<button hidden></button>"),
        (tag("rect", x=1), '<rect x="1"/>'),
        (tag("rect", tag("title", "a"), x=1), '<rect x="1"><title>a</title></rect>'),
    ],
)
def test_elements_are_written_as_html_wants_them(made, expected):
    assert made == expected
    assert isinstance(made, Html)
