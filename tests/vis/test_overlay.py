"""Frames in grey under their classes in colour."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.vis import overlay, palette_of, save_overlay

NAMES = ["background", "chin & cheeks", "mouth"]
PALETTE = np.array([[0, 0, 0], [0, 200, 0], [200, 0, 0]], dtype=np.uint8)


def square(height=320, width=400):
    """A warm square of class 1 in a cold frame."""
    frame, label = np.full((height, width), 20.0, np.float32), np.zeros((height, width), np.uint8)
    inner = np.s_[height // 4 : height // 2, width // 4 : width // 2]
    frame[inner], label[inner] = 34.0, 1
    return frame, label


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 700),
    channels=st.sampled_from([None, 1, 3]),
    seed=st.integers(0, 9),
)
def test_any_size_gives_a_picture_no_smaller_than_the_frame(height, width, channels, seed):
    rng = np.random.default_rng(seed)
    shape = (height, width) if channels is None else (height, width, channels)
    frame = rng.normal(30, 5, shape).astype(np.float32)
    label = rng.choice(np.array([0, 1, 2, 255], np.uint8), (height, width))
    picture = overlay(frame, label, NAMES, PALETTE)
    assert picture.dtype == np.uint8
    assert picture.shape[0] > height
    assert picture.shape[1] >= max(width, 200)
    assert np.array_equal(picture, overlay(frame, label, NAMES, PALETTE))


def test_black_classes_and_ignored_pixels_leave_the_frame_as_it_is():
    frame, label = square()
    label[:20] = 255
    picture = overlay(frame, label, NAMES, PALETTE)[: frame.shape[0], : frame.shape[1]]
    outside = picture[label != 1]
    assert (outside == outside[:, :1]).all()


def test_regions_are_tinted_and_outlined_in_their_colour():
    frame, label = square()
    picture = overlay(frame, label, NAMES, PALETTE)
    assert picture[80, 100].tolist() == [0, 200, 0]  # a corner of the square
    middle = picture[120, 150].astype(int)
    assert middle[1] > middle[0] == middle[2] > 0


def test_warmer_is_brighter_whatever_the_unit():
    frame, label = square()
    label[:] = 0
    picture = overlay(frame, label, NAMES, PALETTE)
    kelvin = overlay(frame * 1.8 + 32, label, NAMES, PALETTE)
    assert picture[120, 150, 0] > picture[0, 0, 0]
    assert np.abs(picture.astype(int) - kelvin).max() <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_do_not_spoil_the_rest(value):
    frame, label = square()
    clean = overlay(frame, label, NAMES, PALETTE)
    frame[0, 0] = value
    spoilt = overlay(frame, label, NAMES, PALETTE)
    assert np.array_equal(clean[1:], spoilt[1:])


@pytest.mark.parametrize("value", [30.0, np.nan])
def test_constant_frames_are_drawn(value):
    label = np.zeros((320, 320), np.uint8)
    picture = overlay(np.full((320, 320), value, np.float32), label, NAMES, PALETTE)[:320]
    assert len(np.unique(picture)) == 1


def test_small_frames_are_enlarged_by_a_whole_factor():
    frame, label = square(24, 30)
    assert overlay(frame, label, NAMES, PALETTE).shape[1] == 300


def test_the_legend_shows_every_colour():
    frame, label = square()
    legend = overlay(frame, label * 0, [str(index) for index in range(19)], palette_of(19))[320:]
    shown = {tuple(colour) for colour in legend.reshape(-1, 3).tolist()}
    assert {tuple(colour) for colour in palette_of(19).tolist()} <= shown


def test_inputs_stay_as_they_are_and_pictures_share_no_memory():
    frame, label = square()
    before = frame.copy(), label.copy()
    overlay(frame, label, NAMES, PALETTE)[:] = 7
    assert np.array_equal(frame, before[0])
    assert np.array_equal(label, before[1])
    assert overlay(frame, label, NAMES, PALETTE)[-1, 0].tolist() != [7, 7, 7]


def test_differing_sizes_are_refused():
    with pytest.raises(ValueError, match=r"frame is \(3, 4\) and its label \(4, 3\)"):
        overlay(np.zeros((3, 4)), np.zeros((4, 3), np.uint8), NAMES, PALETTE)


def test_the_file_holds_the_picture(tmp_path):
    frame, label = square()
    save_overlay(tmp_path / "vis" / "stem.png", frame, label, NAMES, PALETTE)
    with Image.open(tmp_path / "vis" / "stem.png") as image:
        assert np.array_equal(np.asarray(image), overlay(frame, label, NAMES, PALETTE))
    assert [path.name for path in (tmp_path / "vis").iterdir()] == ["stem.png"]


@pytest.mark.parametrize("other", [2, 3, 4, 5, 6])
def test_classes_of_one_colour_are_told_apart_by_their_hatches(other):
    frame, label = square()
    palette = np.array([(0, 0, 0)] + [(0, 200, 0)] * 6, np.uint8)
    names = [str(index) for index in range(7)]
    one, two = (overlay(frame, label * index, names, palette)[:320, :400] for index in (1, other))
    inner = np.s_[90:150, 110:190]
    assert (one[inner] != two[inner]).any()
    assert (one[label == 0] == two[label == 0]).all()


def test_the_legend_shows_the_hatches():
    frame, label = square()
    green = (0, 200, 0)
    legend = overlay(frame, label, ["a", "a", "a"], np.array([(0, 0, 0), green, green], np.uint8))[320:]
    y, x = np.nonzero((legend == green).all(-1))
    gap = np.sort(x)[np.argmax(np.diff(np.sort(x)))]  # the widest gap lies between the two swatches
    first, second = ({*zip(y[part], x[part] - x[part].min(), strict=True)} for part in (x <= gap, x > gap))
    assert first
    assert first != second


def test_of_many_classes_the_legend_names_those_of_the_picture():
    frame, label = square()
    palette = palette_of(150)
    names = [f"class {index}" for index in range(150)]
    heights = []
    for values in ([0, 1], [0, 149], range(30), [255, 255]):
        drawn = np.array(values)[np.arange(label.size) % len(values)].reshape(label.shape).astype(np.uint8)
        heights.append(len(overlay(frame, drawn, names, palette)))
    assert heights[0] == heights[1] < heights[2] < frame.shape[0] + 300
    assert heights[3] < heights[0]
