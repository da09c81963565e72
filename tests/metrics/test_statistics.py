"""Statistics of tables against numbers worked out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.statistics import paired_difference, summarise


def test_mean_and_sample_deviation():
    summary = summarise({0: 80.0, 1: 82.0, 2: 87.0})
    assert (summary.count, summary.mean) == (3, 83.0)
    assert summary.std == pytest.approx(13**0.5)  # (9 + 1 + 16) / 2


def test_a_single_seed_has_no_deviation_and_none_no_summary():
    assert summarise({4: 80.0}).std is None
    assert summarise({}) is None
    assert paired_difference({0: 1.0}, {0: 3.0}).interval is None
    assert paired_difference({0: 1.0}, {1: 3.0}) is None


def test_paired_difference_and_its_interval():
    # differences 1, 2, 3: mean 2, deviation 1; t of 97.5 % with 2 degrees of freedom is 4.30265 (any table)
    difference = paired_difference({0: 81.0, 1: 84.0, 2: 90.0, 9: 5.0}, {0: 80.0, 1: 82.0, 2: 87.0, 8: 4.0})
    assert (difference.count, difference.mean, difference.std) == (3, 2.0, 1.0)
    assert difference.interval == pytest.approx((2 - 4.30265 / 3**0.5, 2 + 4.30265 / 3**0.5), abs=1e-4)


def test_interval_of_another_confidence():
    # t of 95 % with 1 degree of freedom is tan(0.45 pi) = 6.31375; differences 0, 2: deviation sqrt 2
    assert paired_difference({0: 0.0, 1: 2.0}, {0: 0.0, 1: 0.0}, confidence=0.9).interval == pytest.approx(
        (1 - 6.31375, 1 + 6.31375), abs=1e-4
    )


scores = st.lists(st.floats(0, 100), min_size=2, max_size=6)


@settings(deadline=None, max_examples=30)
@given(scores=scores, gain=st.floats(-50, 50), bias=st.floats(-50, 50))
def test_what_all_share_cancels_and_order_does_not_matter(scores, gain, bias):
    baseline = dict(enumerate(scores))
    better = {seed: score + gain for seed, score in reversed(baseline.items())}
    difference = paired_difference(better, baseline)
    assert difference.mean == pytest.approx(gain, abs=1e-9)
    assert difference.interval == pytest.approx((gain, gain), abs=1e-6)
    shifted = [{seed: score + bias for seed, score in both.items()} for both in (better, baseline)]
    assert paired_difference(*shifted).mean == pytest.approx(difference.mean, abs=1e-9)
    opposite = paired_difference(baseline, better)
    assert opposite.mean == pytest.approx(-difference.mean, abs=1e-9)
