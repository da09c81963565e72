"""A headless Chromium that looks at a page on disk; needs selenium and the packages chromium and chromium-driver."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def what_is_missing() -> str | None:
    """Why there is no browser here; None where there is one."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (requirements-dev.txt)"
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        return "no chromium and chromedriver on PATH (Debian: apt install chromium chromium-driver)"
    return None


@contextmanager
def open_browser() -> Iterator:
    """A selenium driver that records the console and every request."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def show(driver, page: Path | str, width: int = 1280, height: int = 900, dark: bool = False, scale: float = 1) -> None:
    """Open a page in a window of (width, height) CSS pixels; up to 500 wide it is a phone's.

    Args:
        driver: from :func:`open_browser`.
        page: its file, or its address.
        width, height: in CSS pixels.
        dark: the reader prefers dark pages.
        scale: pixels of a screenshot per CSS pixel.
    """
    screen = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width <= 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    # Without motion, as a click while the page scrolls smoothly would miss.
    wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in wishes.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get(page.resolve().as_uri() if isinstance(page, Path) else page)


def requests_of(driver) -> list[str]:
    """Addresses that pages asked for since the last call."""
    events = (json.loads(entry["message"])["message"] for entry in driver.get_log("performance"))
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
