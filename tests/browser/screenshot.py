"""Photograph a page: ``python -m tests.browser.screenshot PAGE OUT.png [options]``."""

import argparse
import sys
from pathlib import Path

from tests.browser.chromium import open_browser, show, what_is_missing


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Photograph a page in a headless Chromium.")
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1280, help="of the window, in CSS pixels; up to 500 is a phone")
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--scale", type=float, default=1, help="pixels per CSS pixel")
    parser.add_argument("--dark", action="store_true", help="as readers see it who prefer dark pages")
    parser.add_argument("--at", metavar="ID", help="scroll to this section first")
    parser.add_argument("--without", metavar="ID", nargs="*", default=[], help="leave these sections out")
    line = parser.parse_args()
    if missing := what_is_missing():
        print(f"error: {missing}", file=sys.stderr)
        return 1
    with open_browser() as driver:
        show(driver, line.page, line.width, line.height, line.dark, line.scale)
        for section in line.without:
            driver.execute_script("document.getElementById(arguments[0]).remove()", section)
        if line.at:
            driver.execute_script("document.getElementById(arguments[0]).scrollIntoView()", line.at)
        line.out.parent.mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(line.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
