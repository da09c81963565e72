"""Arrays whose axes aren't height and width: read where nothing else can be meant, else refused with what to say."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.thermal import Reading, open_sequence
from lib.thermal.formats.axes import layout_of, split_frames
from lib.utils.errors import ConfigError, DataError
from tests.thermal.files import npy, npz, scene

HEIGHT, WIDTH, FRAMES = 48, 64, 5
STACK = np.stack([scene(seed, HEIGHT, WIDTH) for seed in range(FRAMES)])
WALK = np.stack([scene(seed) for seed in range(30)]).reshape(30, 768)


@pytest.fixture
def read(tmp_path):
    def read(content, suffix=".npy", **reading):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        sequence = open_sequence(path, Reading(**reading))
        frames = np.stack([frame.values for _, frame in sequence])
        assert sequence.length == len(frames)
        return frames

    return read


@pytest.mark.parametrize("axes", ["".join(axes) for axes in itertools.permutations("THW") if axes[1] != "T"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_axes_may_come_in_any_order(read, axes, order):
    content = npy(np.asarray(np.moveaxis(STACK, (0, 1, 2), [axes.index(axis) for axis in "THW"]), order=order))
    assert (read(content, axes=axes) == STACK).all()


def test_one_frame_may_be_turned(read):
    assert (read(npy(STACK[0].T), axes="WH") == STACK[:1]).all()
    assert (read(npy(np.tile(STACK[0][:, :, None], 3)), axes="HWC") == STACK[:1]).all()
    assert (read(npy(np.tile(STACK[..., None], 3)), axes="THWC") == STACK).all()


@pytest.mark.parametrize("shape", [(240, 320, 5), (240, 320, 3), (240, 320, 300), (24, 320, 3), (320, 240, 4)])
def test_frames_that_may_lie_along_the_last_axis_are_refused_with_what_each_order_gives(read, shape):
    with pytest.raises(DataError) as caught:
        read(npy(np.broadcast_to(np.float32(21), shape)))
    text = str(caught.value)
    assert f"--axes THW {shape[0]} frames of {shape[1]}x{shape[2]}" in text
    if "--axes HWT" in text:
        frames = read(npy(np.broadcast_to(np.float32(21), shape)), axes="HWT")
        assert frames.shape == (shape[2], *shape[:2])
        assert f"--axes HWT reads {shape[2]} frames of {shape[0]}x{shape[1]}" in text


def test_channels_that_differ_are_no_temperature(read):
    with pytest.raises(DataError, match="3 channels differ"):
        read(npy(STACK[:3].transpose(1, 2, 0)), axes="HWC")


def test_lines_of_768_numbers_are_frames_of_24_by_32(read):
    assert (read(npy(WALK)) == WALK.reshape(30, 24, 32)).all()
    assert (read(npy(WALK[:1])) == WALK[:1].reshape(1, 24, 32)).all()
    assert (read(npy(WALK[0])) == WALK[:1].reshape(1, 24, 32)).all()
    assert (read(npy(np.tile(WALK, (100, 1)))) == np.tile(WALK.reshape(30, 24, 32), (100, 1, 1))).all()


def test_pixels_in_one_axis_are_frames_of_the_size_that_is_said(read):
    lines = STACK.reshape(FRAMES, -1)
    assert (read(npy(lines), axes="TN", raw_size=(WIDTH, HEIGHT)) == STACK).all()
    assert (read(npy(lines.T), axes="NT", raw_size=(WIDTH, HEIGHT)) == STACK).all()
    assert (read(npy(lines[0]), axes="N", raw_size=(WIDTH, HEIGHT)) == STACK[:1]).all()
    with pytest.raises(DataError, match=r"3072 pixels.*--raw_size 640 512"):
        read(npy(lines), axes="TN")
    with pytest.raises(DataError, match="would fit: --raw_size 80 60"):
        read(npy(np.full((3, 4800), 21.0)), axes="TN")


@pytest.mark.parametrize("shape", [(5, 3072), (3072, 5), (500, 768), (76800, 3), (8, 100)])
def test_what_is_far_too_long_for_a_frame_is_refused_unless_it_is_said(read, shape):
    with pytest.raises(DataError, match="--axes TN.*--axes NT.*--axes HW"):
        read(npy(np.full(shape, 21.0)))
    assert read(npy(np.full(shape, 21.0)), axes="HW").shape == (1, *shape)


@pytest.mark.parametrize("shape", [(576, 768), (768, 1024), (512, 640), (60, 10), (1, 12), (12, 1), (240, 320)])
def test_frames_of_usual_shapes_need_no_word(read, shape):
    assert read(npy(np.full(shape, 21.0))).shape == (1, *shape)


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((24, 32), "THW", r"names 3 axes, and its shape is \(24, 32\)"),
        ((2, 24, 32), "HW", "names 2 axes"),
        ((24, 32), "HWV", "names 3 axes"),
        ((7,), None, "--axes"),
        ((2, 3, 4, 5), None, "--axes"),
    ],
)
def test_axes_that_do_not_fit_are_refused(read, shape, axes, message):
    with pytest.raises(DataError, match=message):
        read(npy(np.full(shape, 21.0)), axes=axes)


def test_letters_that_mean_nothing_are_refused():
    with pytest.raises(ConfigError, match=re.escape("--axes: expected one of HW, WH, THW")):
        Reading(axes="hw")


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 70), st.integers(1, 70)),
    axes=st.sampled_from(["THW", "TWH", "HWT", "WHT"]),
)
def test_every_pixel_keeps_its_place(size, axes):
    stack = np.arange(np.prod(size)).reshape(size)
    array = stack.transpose(["THW".index(axis) for axis in axes])
    layout = layout_of(array.shape, array.dtype, Reading(axes=axes), "a")
    assert (layout.frames, *layout.size) == size
    assert (np.stack(list(split_frames(array, layout, "a"))) == stack).all()


@pytest.mark.parametrize(
    "beside",
    [
        {"camera": np.array("FLIR A35")},
        {"notes": np.array([["a", "b"], ["c", "d"]])},
        {"meta": np.array([{"fps": 9}, None], dtype=object)},
        {"mask": np.zeros((HEIGHT, WIDTH), bool)},
        {"table": np.zeros((3, 3), [("x", "f4"), ("name", "U8")])},
    ],
    ids=lambda beside: next(iter(beside)),
)
def test_an_archive_may_hold_text_objects_and_masks_beside_the_frame(read, beside):
    assert (read(npz(frame=STACK[0], **beside), ".npz") == STACK[:1]).all()


def test_objects_in_an_archive_are_never_made(read, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    assert (read(npz(frame=STACK[0], meta=np.array([Trap()], dtype=object)), ".npz") == STACK[:1]).all()
    with pytest.raises(DataError, match=r"got meta object \(1,\)"):
        read(npz(meta=np.array([Trap()], dtype=object)), ".npz")
    assert not (tmp_path / "sprung").exists()
