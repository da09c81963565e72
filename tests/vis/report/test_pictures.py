"""The pictures of a report: charts, the confusion matrix, examples."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.vis.report.confusion import confusion_picture
from lib.vis.report.curves import HEIGHT, MOST_POINTS, WIDTH, line_chart, ticks
from lib.vis.report.gallery import Example, class_legend, error_legend, example_figure
from lib.vis.report.shades import STEPS, contrast, shade_class, shade_css

reasonable = st.floats(-1e9, 1e9).map(lambda value: 0.0 if abs(value) < 1e-9 else value)


@given(reasonable, st.floats(0, 1e9).map(lambda value: 0.0 if value < 1e-6 else value))
def test_ticks_are_few_even_round_and_enclose_the_values(low, span):
    found = ticks(low, low + span)
    steps = np.diff(found)
    assert 2 <= len(found) <= 9
    assert found[0] <= low + 1e-6 * steps[0]
    assert found[-1] >= low + span - 1e-6 * steps[0]
    assert steps == pytest.approx(steps[0], rel=1e-3)
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-6)
    assert any(mantissa == pytest.approx(round_one, rel=1e-3) for round_one in (1, 2, 5, 10))


def points_of(chart):
    return [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'<polyline points="([^"]*)"', chart)
    ]


def test_curves_rise_where_values_do_and_stay_within_the_picture():
    chart = line_chart("loss", {"a": [(10, 1.0), (20, 3.0), (30, 2.0)], "b": [(10, 5.0)]})
    (a, b) = points_of(chart)
    assert a[0][0] < a[1][0] < a[2][0]
    assert a[1][1] < a[2][1] < a[0][1]  # upwards is smaller in a picture
    assert b[0][1] < a[1][1]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in a + b)


def test_curves_are_told_apart_without_colour_and_named_with_their_last_value():
    chart = line_chart("loss", {name: [(1, 1.0), (2, index + 0.5)] for index, name in enumerate("abcdefgh")})
    lines = re.findall(r"<polyline[^>]*>", chart)
    assert len({re.search(r'stroke-dasharray="[^"]*"|$', line)[0] for line in lines}) == 8
    assert all(f"{name}: {index + 0.5}" in chart for index, name in enumerate("abcdefgh"))


def test_long_curves_are_means_of_equal_stretches():
    values = [(step, float(step % 2)) for step in range(4000)]
    (points,) = points_of(line_chart("loss", {"a": values}))
    assert len(points) == MOST_POINTS
    assert len({y for _, y in points}) == 1  # every stretch holds as many zeros as ones


@pytest.mark.parametrize("curve", [[], [(1, math.nan)], [(1, math.inf)]])
def test_a_chart_without_a_number_is_none(curve):
    assert line_chart("loss", {"a": curve}) == ""


def test_the_confusion_matrix_shows_shares_of_the_truth():
    picture = confusion_picture([[75, 25, 0], [0, 0, 0], [1, 0, 9999]], ["a", "<b>", "c"])
    texts = re.findall(r'<text[^>]*class="cell (s\d+)"[^>]*>([^<]*)</text>', picture)
    assert [text for _, text in texts] == ["75.0", "25.0", "0", "", "", "", "&lt;0.1", "0", "100.0"]
    assert [shade for shade, _ in texts] == ["s15", "s5", "s0", "s0", "s0", "s0", "s1", "s0", "s20"]
    assert "a predicted as &lt;b&gt;: 25 pixels, 25.00 % of a" in picture
    assert "<b>" not in picture


def test_large_confusion_matrices_have_no_numbers_and_stay_small():
    counts = np.eye(40, dtype=int).tolist()
    picture = confusion_picture(counts, [f"class {index}" for index in range(40)])
    assert 'class="cell' not in picture
    assert picture.count("<rect") == 40**2
    assert len(picture) < 400_000


def test_every_shade_carries_readable_text():
    colours = re.findall(r"rect\.s(\d+)\{fill:(#\w+)\}text\.s\d+\{fill:(#\w+)\}", shade_css())
    assert len(colours) == 2 * (STEPS + 1)  # light and dark
    assert all(contrast(ground, text) >= 4.5 for _, ground, text in colours)
    assert [shade_class(share) for share in (0, 1e-9, 0.5, 1)] == ["s0", "s1", "s10", "s20"]


def test_contrast_is_that_of_the_accessibility_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # a well-known near miss


PALETTE = np.array([(0, 0, 0), (0, 128, 0), (200, 0, 0)], np.uint8)


def example(truth, prediction, **others):
    frame = np.linspace(20, 35, truth.size, dtype=np.float32).reshape(truth.shape)
    return Example("f<1>", "mIoU 50 %", frame, truth, prediction, **others)


def blocks(rows):
    return np.kron(np.array(rows), np.ones((10, 10), int)).astype(np.uint8)


def test_errors_are_counted_by_kind_among_known_pixels():
    truth, prediction = blocks([[0, 1, 1], [2, 255, 0]]), blocks([[1, 0, 2], [2, 1, 0]])
    figure = example_figure(example(truth, prediction), "k", "vis/f.png", PALETTE)
    assert "errors: 20.0 % missed, 20.0 % made up, 20.0 % confused" in figure
    assert figure.count('fill="url(#ke') == 4 + 1  # three kinds and what is ignored, which the truth shows as well


def test_classes_that_are_not_black_are_hatched_outlined_and_numbered():
    figure = example_figure(example(blocks([[0, 1], [2, 0]]), blocks([[0, 0], [0, 1]])), "k", "vis/f.png", PALETTE)
    _, truth, prediction, _ = re.findall(r"<figure>.*?</figure>", figure)
    assert re.findall(r'fill="url\(#(kc\d)\)" stroke="(#\w+)"', truth) == [("kc1", "#008000"), ("kc2", "#c80000")]
    assert re.findall(r'class="number"[^>]*>(\d+)<', truth) == ["1", "2"]
    assert re.findall(r'class="number"[^>]*>(\d+)<', prediction) == ["1"]
    assert set(re.findall(r"url\(#(\w+)\)", figure)) <= set(re.findall(r'<pattern id="(\w+)"', figure))
    assert figure.count("<image") == 1  # the frame is there once, and used four times
    assert figure.count('<use href="#ki"/>') == 4


def test_names_in_examples_are_text():
    figure = example_figure(example(blocks([[0, 1]]), blocks([[0, 1]])), "k", "vis/f.png", PALETTE)
    assert "f<1>" not in figure
    assert "f&lt;1&gt;" in figure


@pytest.mark.parametrize("channels", [(), (3,)])
def test_wide_frames_are_reduced_and_stay_aligned(channels):
    truth = np.zeros((600, 1500), np.uint8)
    truth[100:300, 200:900] = 1
    shown = Example("f", "", np.zeros((*truth.shape, *channels), np.float32), truth, truth)
    figure = example_figure(shown, "k", "vis/f.png", PALETTE)
    assert 'viewBox="0 0 1500 600"' in figure
    assert "M200 100h700v200h-700z" in figure
    assert len(figure) < 30_000


def test_legends_name_classes_and_kinds_of_errors():
    legend = class_legend(["a", "b&", "c"], PALETTE)
    assert [text in legend for text in ("0 a", "1 b&amp;", "2 c")] == [True] * 3
    assert len(set(re.findall(r'<path d="([^"]*)"', legend))) == 2
    assert all(kind in error_legend() for kind in ("missed", "made up", "confused", "ignored"))
