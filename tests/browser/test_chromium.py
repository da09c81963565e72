"""Where there is no browser, tests of pages are skipped for a reason that says how to get one."""

import sys

import pytest

from tests.browser import chromium


@pytest.mark.parametrize("there", [(), ("chromium",), ("chromedriver",)])
def test_a_missing_browser_is_named_with_its_packages(monkeypatch, there):
    monkeypatch.setitem(sys.modules, "selenium", object())
    monkeypatch.setattr(chromium.shutil, "which", lambda name: name if name in there else None)
    assert "apt install chromium chromium-driver" in chromium.what_is_missing()


def test_missing_selenium_is_named_with_its_file(monkeypatch):
    monkeypatch.setitem(sys.modules, "selenium", None)
    assert "requirements-dev.txt" in chromium.what_is_missing()


def test_nothing_is_missing_where_both_are_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "selenium", object())
    monkeypatch.setattr(chromium.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert chromium.what_is_missing() is None
