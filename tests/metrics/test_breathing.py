"""Breathing: known rates are found, also through masks that jitter; noise and drift are not called breathing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.metrics.breathing import breathing
from lib.metrics.regions import find_regions, measure
from tests.metrics.faces import CLASS_NAMES, draw_face

FPS = 10.0


def time_of(seconds, fps=FPS):
    return np.arange(round(seconds * fps)) / fps


def coloured_noise(rng, length, exponent):
    """Gaussian noise of unit variance with power 1 / f ** exponent: 0 white, 2 a random walk."""
    spectrum = np.fft.rfft(rng.normal(size=4 * length))
    frequency = np.maximum(np.arange(len(spectrum)), 1)
    noise = np.fft.irfft(spectrum * frequency ** (-exponent / 2))[:length]
    return noise / noise.std()


@settings(deadline=None, max_examples=40)
@given(
    st.floats(7, 29),
    st.sampled_from([5.0, 10.0, 30.0]),
    st.floats(45, 200),
    st.integers(0, 2**32 - 1),
)
def test_finds_a_known_rate_under_noise_drift_and_harmonics(rate, fps, seconds, seed):
    assume(rate * seconds / 60 >= 6)  # fewer breaths hardly stand out from the drift
    rng = np.random.default_rng(seed)
    time = time_of(seconds, fps)
    phase = 2 * np.pi * rate / 60 * time + rng.uniform(0, 7)
    nostrils = 33 + 0.1 * np.sin(phase) + 0.03 * np.sin(2 * phase) + rng.normal(0, 0.03, len(time)) - 0.005 * time
    found = breathing(nostrils, fps)
    assert found.rate == pytest.approx(rate, abs=0.25)
    assert found.clear


def nostril_series(rate, seed, seconds=60, noise=0.05):
    """Mean nostril temperature of drawn frames: a swaying head, masks that jitter and grow, NETD 50 mK."""
    rng = np.random.default_rng(seed)
    size, series = (64, 72), []
    for when in time_of(seconds):
        # What a camera sees: nostrils that breathe, within a nose that doesn't, within a warmer face.
        roll, centre = 8 * np.sin(when / 6), np.array([36 + 3 * np.sin(when / 4), 30 + 2 * np.sin(when / 7)])
        label, _ = draw_face(size, roll, 4.0, centre)
        frame = np.choose(label, [22.0, 34.0, 34.5, 35.0, 34.0, 32.5])
        nostrils = find_regions(label, CLASS_NAMES)["nostrils"].mask
        frame[nostrils] += 0.5 + 0.3 * np.sin(2 * np.pi * rate / 60 * when)
        frame = (frame + rng.normal(0, noise, size)).astype(np.float32)
        # What a network makes of it: the same a little beside, turned and scaled, new in every frame.
        jitter = rng.normal(0, [2.0, 0.06, 0.4, 0.4])
        predicted, _ = draw_face(size, roll + jitter[0], 4.0 + jitter[1], centre + jitter[2:])
        regions = find_regions(predicted, CLASS_NAMES)
        measured = measure("nostrils", regions["nostrils"], frame, np.ones(size, np.float32))
        series.append(measured.mean if measured.valid else np.nan)
    return np.array(series)


@pytest.mark.parametrize(("rate", "seed"), [(8.3, 0), (15.7, 1), (27.0, 2)])
def test_finds_the_rate_of_a_drawn_sequence_within_half_a_breath(rate, seed):
    series = nostril_series(rate, seed)
    assert np.isfinite(series).mean() > 0.95
    found = breathing(series, FPS)
    assert found.rate == pytest.approx(rate, abs=0.5)
    assert found.clear


@pytest.mark.parametrize("seconds", [30, 60, 150])
@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_noise_and_drift_are_hardly_ever_called_clear(seconds, exponent):
    rng = np.random.default_rng([seconds, exponent])
    length = round(seconds * FPS)
    clear = [breathing(33 + 0.1 * coloured_noise(rng, length, exponent), FPS).clear for _ in range(100)]
    assert np.mean(clear) < 0.03


def test_jitter_alone_is_not_called_breathing():
    rng = np.random.default_rng(5)
    still = [measure_still(rng) for _ in range(600)]
    assert not breathing(np.array(still), FPS).clear


def measure_still(rng):
    label, _ = draw_face((64, 72), rng.normal(0, 2), 4.0, (36, 30) + rng.normal(0, 0.4, 2))
    true, _ = draw_face((64, 72), 0, 4.0, (36, 30))
    frame = (np.choose(true, [22.0, 34.0, 34.5, 35.0, 34.0, 32.5]) + rng.normal(0, 0.05, label.shape)).astype(
        np.float32
    )
    return measure(
        "nostrils", find_regions(label, CLASS_NAMES)["nostrils"], frame, np.ones(label.shape, np.float32)
    ).mean


@pytest.mark.parametrize("seed", range(5))
def test_missing_frames_are_interpolated(seed):
    rng = np.random.default_rng(seed)
    time = time_of(60)
    nostrils = 33 + 0.2 * np.sin(2 * np.pi * 14.4 / 60 * time) + rng.normal(0, 0.02, len(time))
    nostrils[rng.random(len(time)) < 0.25] = np.nan
    nostrils[200:250] = np.nan
    nostrils[:7] = np.nan
    found = breathing(nostrils, FPS)
    assert found.rate == pytest.approx(14.4, abs=0.5)
    assert found.clear
    assert np.isfinite(found.filtered).all()


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(15, 0.19, 0.21), (1.2, 0, 0.02), (90, 0, 0.02)], ids=["breath", "drift", "pulse"]
)
def test_the_filtered_signal_has_the_band_of_breathing_alone(rate, least, most):
    time = time_of(120)
    found = breathing(33 + 0.2 * np.sin(2 * np.pi * rate / 60 * time), FPS)
    amplitude = np.abs(found.filtered[300:-300]).max()
    assert least <= amplitude <= most
    assert found.filtered.shape == time.shape


def test_the_spectrum_covers_the_band_and_has_its_peak_at_the_rate():
    found = breathing(33 + np.sin(2 * np.pi * 0.3 * time_of(60)), FPS)
    assert (found.frequencies[0], found.frequencies[-1]) == pytest.approx((0.1, 0.5), abs=0.002)
    assert found.frequencies[np.argmax(found.power)] == pytest.approx(0.3, abs=0.002)


@pytest.mark.parametrize(
    ("values", "fps", "reason"),
    [
        (np.zeros(299), 10.0, "at least 30 s, and there are 29.9 s"),
        (np.zeros(100), 1.9, "at least 2 frames a second, and there are 1.9"),
        (np.where(np.arange(600) % 3 == 0, 33.0, np.nan), 10.0, "measured in 33% of the frames, and it takes 50%"),
        (np.array([]), 10.0, "there are 0.0 s"),
        (33.1 + 1e-5 * np.sin(np.arange(600)), 10.0, "changes by less than 0.001 K"),
    ],
)
def test_where_no_rate_can_be_told_the_note_says_why(values, fps, reason):
    found = breathing(values, fps)
    assert found.rate is None
    assert found.filtered is None
    assert not found.clear
    assert reason in found.note


@pytest.mark.parametrize("rate", [9.93, 14.96, 20.05, 25.03])
def test_a_rate_is_found_between_the_points_of_the_spectrum(rate):
    assert breathing(33 + np.sin(2 * np.pi * rate / 60 * time_of(60)), FPS).rate == pytest.approx(rate, abs=0.02)


def test_the_note_tells_clear_from_unclear():
    time = time_of(60)
    rng = np.random.default_rng(0)
    assert breathing(33 + np.sin(2 * np.pi * 0.25 * time), FPS).note == "15.0 breaths a minute"
    assert breathing(33 + rng.normal(0, 1, len(time)), FPS).note.startswith("no clear breathing rate")
