"""The live page in a real browser: it follows the source, and its buttons work."""

import threading
import time

import pytest

from lib.vis.palette import palette_of
from segmentor.live.saving import SavedFrames
from segmentor.live.server import LiveServer
from segmentor.live.session import LiveSession
from tests.browser.chromium import requests_of, show
from tests.segmentor.live.conftest import NAMES, Played, face, find


@pytest.fixture
def played():
    return Played()


@pytest.fixture
def server(played, tmp_path):
    session = LiveSession(played.source, find, palette_of(3))
    with LiveServer(session, SavedFrames(tmp_path, NAMES), NAMES, palette_of(3), token="a secret") as server, session:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        played.put(None)
        server.shutdown()


def test_the_page_follows_pauses_saves_and_asks_for_the_token(browser, server, played, tmp_path):
    def text(key):
        return browser.find_element("id", key).text

    def until(condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.02)

    browser.get("about:blank")
    requests_of(browser)
    browser.get_log("browser")
    address = server.url.partition("#")[0]
    show(browser, server.url)
    until(lambda: text("source") == "a test")
    assert browser.current_url == address  # the token is not left in sight
    played.put(face())
    until(lambda: text("name") == "frame1")
    rows = browser.find_elements("css selector", "#regions tr")
    assert [row.text for row in rows][:2] == ["face 34.0 34.0 34.0 928", "nose 32.0 32.0 32.0 96"]
    assert browser.execute_script("return document.getElementById('picture').naturalWidth") > 0
    browser.find_element("id", "save").click()
    until(lambda: "saved with its mask" in text("message"))
    assert (tmp_path / "labelme/frame1.json").is_file()
    browser.find_element("id", "pause").click()
    until(lambda: text("pause") == "Go on" and text("state") == "paused")
    browser.find_element("id", "pause").click()
    until(lambda: text("pause") == "Pause")
    asked = [request for request in requests_of(browser) if not request.startswith("data:")]
    assert asked
    assert all(request.startswith(address) for request in asked)
    assert browser.get_log("browser") == []
    browser.execute_script("sessionStorage.clear()")
    browser.get(address)
    until(lambda: browser.find_element("id", "token").is_displayed())
    browser.find_element("id", "token").send_keys("a secret\n")
    until(lambda: text("name") == "frame1")
    assert not browser.find_element("id", "ask").is_displayed()
