"""Reports in a real browser: they work, load nothing from outside, and can be read by everyone."""

import csv
import time
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

from lib.vis.report.evaluation import EvaluationReport, evaluation_page
from lib.vis.report.gallery import Example
from tests.browser.chromium import requests_of, show
from tests.browser.conftest import EVIL, UNKNOWN

PAGES = ("first/report.html", "cmp/compare.html")
NONE = "\N{EN DASH}"


def script(driver, code, *arguments):
    return driver.execute_script(code, *arguments)


def column(driver, index, table="#frames table"):
    """Texts of a column of the rows that are shown, from top to bottom."""
    return script(
        driver,
        "return [...document.querySelector(arguments[0]).tBodies[0].rows]"
        ".filter(row => row.offsetParent).map(row => row.cells[arguments[1]].textContent)",
        table,
        index,
    )


def sort_button(driver, index):
    return script(driver, "return document.querySelectorAll('#frames th button')[arguments[0]]", index)


def empty(field):
    from selenium.webdriver.common.keys import Keys

    field.send_keys(Keys.CONTROL + "a", Keys.DELETE)


def orders(driver):
    return script(driver, "return [...document.querySelectorAll('#frames thead th')].map(th => th.ariaSort)")


def scores_of(folder):
    with open(folder / "first" / "frames.csv", newline="", encoding="utf-8") as file:
        return {row["frame"]: float(row["miou"]) if row["miou"] else None for row in csv.DictReader(file)}


def natural(name):
    return int(name.removeprefix("frame"))


@pytest.fixture
def report(browser, folder):
    show(browser, folder / "first" / "report.html")
    return browser


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_ask_for_nothing_and_complain_about_nothing(browser, folder, page, dark):
    browser.get("about:blank")
    requests_of(browser)
    browser.get_log("browser")
    show(browser, folder / page, dark=dark)
    for button in browser.find_elements("css selector", "th button"):
        script(browser, "arguments[0].click()", button)
    time.sleep(0.3)
    addresses = [address for address in requests_of(browser) if not address.startswith("data:")]
    assert addresses == [(folder / page).resolve().as_uri()]
    assert browser.get_log("browser") == []
    assert script(browser, "return window.hacked") is None


def test_the_policy_of_the_page_stops_scripts_and_requests_that_slip_in(report):
    script(
        report,
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s);"
        "const i = new Image(); i.src = 'https://example.org/x.png'; document.body.append(i);",
    )
    time.sleep(0.3)
    assert script(report, "return window.hacked") is None
    complaints = [entry["message"] for entry in report.get_log("browser")]
    assert sum("Content Security Policy" in message for message in complaints) == 2


def test_frames_sort_by_number_both_ways_with_unknown_ones_last(report, folder):
    scores = scores_of(folder)
    known = sorted(f"{100 * score:.2f}" for score in scores.values() if score is not None)
    assert len(known) == 22
    sort_button(report, 1).click()
    assert column(report, 1) == [*sorted(known, key=float), NONE]
    assert orders(report)[:3] == ["none", "ascending", "none"]
    assert column(report, 0)[-1] == UNKNOWN
    sort_button(report, 1).click()
    assert column(report, 1) == [*sorted(known, key=float, reverse=True), NONE]
    assert orders(report)[:3] == ["none", "descending", "none"]
    sort_button(report, 4).click()
    assert orders(report)[1] == "none"
    assert orders(report)[4] == "ascending"


def test_rows_stay_whole_when_they_move(report, folder):
    sort_button(report, 2).click()
    shown = dict(zip(column(report, 0), column(report, 1), strict=True))
    expected = {name: NONE if score is None else f"{100 * score:.2f}" for name, score in scores_of(folder).items()}
    assert shown == expected


def test_names_sort_as_people_count(report):
    sort_button(report, 0).click()  # they come in ascending order of their letters, so this turns it
    assert orders(report)[0] == "descending"
    numbered = [natural(name) for name in column(report, 0) if name.startswith("frame")]
    assert numbered == list(range(21, 0, -1))


def test_filters_hide_rows_and_say_how_many_are_left(report, folder):
    name, most = report.find_elements("css selector", "#frames input")
    output = report.find_element("css selector", "#frames output")
    assert output.text == "23 of 23 frames"
    name.send_keys("FRAME1")
    assert {natural(text) for text in column(report, 0)} == {1, *range(10, 20)}
    assert output.text == "11 of 23 frames"
    scores = sorted(score for frame, score in scores_of(folder).items() if frame.startswith("frame1"))
    most.send_keys(f"{100 * scores[4]:.2f}")
    assert len(column(report, 0)) == sum(round(100 * score, 2) <= round(100 * scores[4], 2) for score in scores)
    empty(name)
    assert UNKNOWN not in column(report, 0)  # no score is at most any
    assert len(column(report, 0)) > 5
    empty(most)
    assert len(column(report, 0)) == 23
    name.send_keys("<script>")
    assert column(report, 0) == [EVIL]
    name.send_keys("x")
    assert output.text == "0 of 23 frames"


def test_sorting_keeps_what_the_filter_hides_hidden(report):
    report.find_element("css selector", "#frames input").send_keys("frame2")
    sort_button(report, 1).click()
    assert {natural(text) for text in column(report, 0)} == {2, 20, 21}


def test_everything_can_be_reached_and_used_by_keyboard(report):
    from selenium.webdriver.common.keys import Keys

    seen = []
    for _ in range(200):
        report.switch_to.active_element.send_keys(Keys.TAB)
        focus = script(
            report,
            "const e = document.activeElement, s = getComputedStyle(e);"
            "return [e.tagName, e.textContent.slice(0, 20), s.outlineStyle, parseFloat(s.outlineWidth)]",
        )
        assert focus[0] == "BODY" or (focus[2] == "solid" and focus[3] >= 2), f"no visible focus on {focus}"
        seen.append(tuple(focus[:2]))
        if focus[0] == "BUTTON" and focus[1] == "mIoU %":
            report.switch_to.active_element.send_keys(Keys.ENTER)
            assert orders(report)[1] == "ascending"
            report.switch_to.active_element.send_keys(Keys.SPACE)
            assert orders(report)[1] == "descending"
        if focus[0] == "SUMMARY":
            report.switch_to.active_element.send_keys(Keys.ENTER)
            assert "num_classes: 3" in report.find_element("css selector", "pre").text
            break
    kinds = [kind for kind, _ in seen]
    assert kinds.count("BUTTON") == 8
    assert kinds.count("INPUT") == 2
    assert kinds.count("DIV") == 2  # tables that scroll
    assert kinds[-1] == "SUMMARY"


def test_the_gallery_shows_worst_median_and_best_frames(report, folder):
    ranked = sorted((score, name) for name, score in scores_of(folder).items() if score is not None)
    groups = report.find_elements("css selector", "#examples .group")
    shown = {
        group.find_element("css selector", "h3").text: [link.text for link in group.find_elements("tag name", "a")]
        for group in groups
    }
    assert list(shown) == ["Worst", "Median", "Best"]
    assert shown["Worst"] == [name.strip() for _, name in ranked[:3]]
    assert shown["Best"] == [name.strip() for _, name in ranked[::-1][:3]]
    assert shown["Median"] == [name.strip() for _, name in ranked[9:12]]
    for group in groups:
        pictures = group.find_elements("css selector", "svg")
        assert len(pictures) == 12
        assert all(picture.size["width"] > 200 and picture.size["height"] > 150 for picture in pictures)
        captions = [text.text.partition(":")[0] for text in group.find_elements("css selector", "figcaption")]
        assert captions == ["frame", "truth", "prediction", "errors"] * 3


def test_gallery_pictures_are_drawn(report):
    """The frame is there in grey, the truth has a class's colour on it."""
    from io import BytesIO

    from PIL import Image

    frame, truth = report.find_elements("css selector", "#examples .group svg")[:2]
    pixels = [
        np.asarray(Image.open(BytesIO(picture.screenshot_as_png)).convert("RGB"), float) for picture in (frame, truth)
    ]
    assert pixels[0].std() > 10
    colourfulness = [np.ptp(picture, axis=2).mean() for picture in pixels]
    assert colourfulness[0] < 2
    assert colourfulness[1] > 5


def test_links_open_the_pictures(report, folder):
    links = report.find_elements("css selector", "#frames tbody a")
    assert len(links) == 23
    address = next(link for link in links if link.text == EVIL.strip()).get_attribute("href")
    assert unquote(urlparse(address).path) == str(folder.resolve() / "first" / "vis" / f"{EVIL}.png")
    report.get(address)
    assert script(report, "return document.images[0].naturalWidth") > 0


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_pages_fit_every_width(browser, folder, page, width):
    show(browser, folder / page, width=width)
    assert script(browser, "return document.documentElement.scrollWidth") <= width
    wide = script(
        browser,
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .wide-picture, pre')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))",
    )
    assert wide == []


CONTRASTS = """
const parse = text => text.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return null;
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  // Numbers on pictures have a halo; cells of the confusion matrix have grounds of their own, tested elsewhere.
  if (!walker.currentNode.data.trim() || element.closest('.number, .cell, title, script, .unseen')) continue;
  const style = getComputedStyle(element), colour = parse(element.closest('svg') ? style.fill : style.color);
  const [high, low] = [luminance(colour), luminance(ground(element))].sort((a, b) => b - a);
  found.push([(high + 0.05) / (low + 0.05), walker.currentNode.data.trim().slice(0, 30)]);
}
return found;
"""


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_has_the_contrast_that_the_guidelines_ask_for(browser, folder, page, dark):
    show(browser, folder / page, dark=dark)
    found = script(browser, CONTRASTS)
    assert len(found) > 100
    assert [item for item in found if item[0] < 4.5] == []


def test_light_and_dark_follow_the_reader(browser, folder):
    grounds = []
    for dark in (False, True):
        show(browser, folder / PAGES[0], dark=dark)
        grounds.append(script(browser, "return getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(map(int, text[4:-1].split(","))) for text in grounds)
    assert light > 600
    assert dark < 150


def test_a_comparison_sorts_by_signed_differences(browser, folder):
    show(browser, folder / "cmp" / "compare.html")
    sort_button(browser, 1).click()
    texts = [text for text in column(browser, 1) if text != NONE]
    values = [float(text.split()[0].replace("\N{MINUS SIGN}", "-")) for text in texts]
    assert values == sorted(values)
    assert values[0] < values[-1]
    assert values[0] < 0
    said = ["better" if value > 0 else "worse" if value < 0 else "" for value in values]
    assert all(word in text for word, text in zip(said, texts, strict=True))


def test_three_thousand_frames_make_a_small_page_that_stays_quick(browser, tmp_path):
    rng = np.random.default_rng(0)
    names = ["background", "chin & cheeks", "mouth", "eyes", "eyebrows", "nose"]
    scores = [*("miou", "pixel_accuracy", "boundary_f1", "hd95"), *(f"iou_{name}" for name in names)]
    rows = [
        {"frame": f"irface_sub{index // 30:03}_seq01_frm{index:05}", **dict(zip(scores, rng.random(10), strict=True))}
        for index in range(3000)
    ]
    regions = np.zeros((256, 320), np.uint8)
    for index in range(1, 6):
        regions[20 * index : 20 * index + 60, 30 * index : 30 * index + 80] = index
    examples = [
        Example(row["frame"], "", rng.normal(30, 1, regions.shape), regions, np.roll(regions, 5)) for row in rows[:9]
    ]
    entry = dict.fromkeys(("iou", "dice", "precision", "recall", "boundary_f1"), 0.5) | {"hd95": 1.0, "hd95_frames": 9}
    metrics = {
        **dict.fromkeys(("miou", "std_iou", "pixel_accuracy", "boundary_f1", "hd95"), 0.5),
        **{"classes": [{"name": name, **entry} for name in names], "confusion_matrix": np.eye(6, dtype=int).tolist()},
        **{"images": 3000, "checkpoint": "x", "data": "y", "val_aug": "none", "boundary_tolerance": 0.0075},
        **{"frames_per_second": 1.0, "environment": {}},
    }
    palette = np.array([(0, 0, 0), *([(128, 128, 0)] * 5)], np.uint8)
    groups = {"Worst": examples[:3], "Median": examples[3:6], "Best": examples[6:]}
    page = tmp_path / "report.html"
    page.write_text(evaluation_page(EvaluationReport(metrics, rows, palette, groups)), encoding="utf-8")
    assert page.stat().st_size < 3e6
    show(browser, page, width=390)
    assert cpu_seconds_of_sorting(browser) < 1
    assert column(browser, 1)[0] == f"{100 * min(row['miou'] for row in rows):.2f}"
    output = browser.find_element("css selector", "#frames output")
    assert output.text == "3000 of 3000 frames, the first 300 shown"
    assert len(column(browser, 0)) == 300
    browser.find_element("css selector", "#frames input").send_keys("sub05")
    assert output.text == "300 of 3000 frames"
    empty(browser.find_element("css selector", "#frames input"))
    browser.find_element("css selector", "#frames .all").click()
    assert output.text == "3000 of 3000 frames"
    assert column(browser, 1) == sorted((f"{100 * row['miou']:.2f}" for row in rows), key=float)


def cpu_seconds_of_sorting(driver):
    """By mIoU, until the page is laid out anew; of the page's own thread, so that other work doesn't count."""

    def seconds():
        metrics = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    before = seconds()
    script(driver, "document.querySelectorAll('#frames th button')[1].click(); document.body.offsetHeight")
    return seconds() - before
