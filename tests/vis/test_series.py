"""Figures of sequences: whatever was measured, a picture comes out, with every line named."""

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.vis import series
from lib.vis.series import save_breathing, save_region_series


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures, save = [], series._save
    monkeypatch.setattr(series, "_save", lambda figure, path: (figures.append(figure), save(figure, path))[1])
    return figures


def test_each_region_is_a_line_with_its_name_in_its_colour(drawn, tmp_path):
    time = np.arange(100) / 10
    lines = {f"region_{index}": 30 + index + np.sin(time) for index in range(9)}
    save_region_series(tmp_path / "r.png", time, "time (s)", lines)
    (axes,) = drawn[0].axes
    assert axes.get_xlabel() == "time (s)"
    assert axes.get_ylabel() == "mean temperature (°C)"
    named = {text.get_text(): text.get_color() for text in axes.texts}
    assert named == {line.get_label(): line.get_color() for line in axes.lines}
    assert set(named) == {f"region {index}" for index in range(9)}
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 9
    for line, values in zip(axes.lines, lines.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
    picture = matplotlib.image.imread(tmp_path / "r.png")
    assert (picture[..., 3] == 1).all()  # opaque: readable on dark pages


@pytest.mark.parametrize("length", [2, 60, 5000])
def test_gaps_and_empty_regions_are_no_obstacle(length, drawn, tmp_path):
    values = np.where(np.arange(length) % 2 == 0, 33.0, np.nan)
    save_region_series(tmp_path / "r.png", np.arange(length), "frame", {"a": values, "b": np.full(length, np.nan)})
    (line,) = drawn[0].axes[0].lines
    # Single frames between gaps show as dots, while there is room for them.
    assert (line.get_marker() == ".") is (length <= 60)


def test_a_rate_is_marked_and_none_is_not(drawn, tmp_path):
    time = np.arange(300) / 10
    frequencies = np.linspace(0.1, 0.5, 50)
    for rate in (15.2, None):
        save_breathing(
            tmp_path / "b.png", time, 33 + np.sin(time), np.sin(time), frequencies, frequencies**2, rate, "Title"
        )
    with_rate, without = (figure.axes[2] for figure in drawn)
    assert [text.get_text().strip() for text in with_rate.texts] == ["15.2"]
    assert not without.texts
    assert drawn[0].axes[0].get_title(loc="left") == "Title"
    assert all(axes.get_xlabel() and axes.get_ylabel() for figure in drawn for axes in figure.axes)


@given(st.lists(st.floats(0, 1), max_size=19))
def test_names_stay_apart_in_order_and_within_the_axes(heights):
    heights = sorted(heights)
    places = series._spread(heights)
    assert len(places) == len(heights)
    assert (np.diff(places) >= series.LABEL_HEIGHT - 1e-9).all()
    if places:
        assert places[0] >= -1e-9
        assert places[-1] <= 1 + 1e-9
    if (np.diff(heights) >= series.LABEL_HEIGHT).all():
        np.testing.assert_allclose(places, heights, atol=1e-9)
