"""The breathing curve of frames that come unevenly."""

import numpy as np
import pytest

from segmentor.live.curve import SECONDS, NostrilCurve


def gathered(times, celsius):
    curve = NostrilCurve()
    for seconds, value in zip(times, celsius, strict=True):
        curve.add(seconds, value)
    return curve.curve()


@pytest.mark.parametrize("breaths", [8, 15, 24])
def test_the_rate_is_found_whatever_the_rhythm_of_the_frames(breaths):
    rng = np.random.default_rng(breaths)
    times = 1000 + np.cumsum(rng.uniform(0.02, 0.25, 700))
    found = gathered(times, 33 + 0.3 * np.sin(2 * np.pi * breaths / 60 * times)).found
    assert found.rate == pytest.approx(breaths, abs=0.2)
    assert found.clear


def test_the_last_minute_is_kept_and_ends_with_the_last_frame():
    times = np.arange(0, 100, 0.1)
    found = gathered(times, times)
    assert -found.seconds[0] == pytest.approx(SECONDS, abs=0.2)
    assert found.seconds[-1] == 0
    np.testing.assert_allclose(found.celsius, times[-1] + found.seconds, atol=1e-6)


def test_gaps_stay_gaps_and_single_frames_without_nostrils_do_not():
    times = np.arange(0, 10, 0.1)
    celsius = [None if 3 < seconds < 6 or abs(seconds - 8) < 0.05 else 30.0 for seconds in times]
    found = gathered(times, celsius)
    missing = found.seconds[np.isnan(found.celsius)] + times[-1]
    assert missing.min() == pytest.approx(3, abs=0.3)
    assert missing.max() == pytest.approx(6, abs=0.3)


def test_too_few_frames_a_second_give_no_rate():
    times = np.arange(0, 60, 1.0)
    assert "frames a second" in gathered(times, 33 + np.sin(times)).found.note


def test_a_source_that_begins_again_begins_a_curve():
    assert len(gathered([50.0, 51.0, 0.0, 0.5], [30.0] * 4).celsius) == 6


def test_nothing_measured_is_said():
    found = gathered([0.0, 40.0], [None, None])
    assert np.isnan(found.celsius).all()
    assert found.found.rate is None
