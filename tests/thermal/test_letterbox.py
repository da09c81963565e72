"""Letterboxing: nothing shifts, nothing is lost, and masks come back in the frame's own size."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.thermal import Letterbox, normalize
from tests.thermal.files import scene

sizes = st.tuples(st.integers(1, 90), st.integers(1, 90))


def coordinates(size):
    """(2, H, W) float32: each pixel's centre, as a share of the frame from its upper left corner."""
    axes = np.meshgrid(*((np.arange(length) + 0.5) / length for length in size), indexing="ij")
    return np.stack(axes).astype(np.float32)


@settings(max_examples=200, deadline=None)
@given(frame_size=sizes, network_size=sizes)
def test_aspect_is_kept_and_one_side_is_filled(frame_size, network_size):
    box = Letterbox(frame_size, network_size)
    fills = [inner == outer for inner, outer in zip(box.inner, network_size, strict=True)]
    assert any(fills)
    scale = min(n / f for n, f in zip(network_size, frame_size, strict=True))
    for inner, outer, length in zip(box.inner, network_size, frame_size, strict=True):
        assert 1 <= inner <= outer
        assert abs(inner - length * scale) <= 0.5 or inner == 1
    for before, inner, outer in zip((box.top, box.left), box.inner, network_size, strict=True):
        assert 0 <= outer - inner - 2 * before <= 1, "in the middle"


@settings(max_examples=100, deadline=None)
@given(frame_size=sizes, network_size=sizes, seed=st.integers(0, 99))
def test_image_lies_where_valid_says_and_padding_repeats_its_edge(frame_size, network_size, seed):
    frame = np.random.default_rng(seed).uniform(20, 36, frame_size).astype(np.float32)
    box = Letterbox(frame_size, network_size)
    image, valid = box.to_network(frame)
    assert image.dtype == np.float32
    assert image.shape == valid.shape == network_size
    assert valid.sum() == np.prod(box.inner)
    inside = image[valid]
    assert inside.min() == image.min()
    assert inside.max() == image.max()
    assert frame.min() - 1e-4 <= image.min()
    assert image.max() <= frame.max() + 1e-4


def test_padding_changes_nothing_in_what_the_network_sees_of_the_frame():
    box = Letterbox((48, 64), (96, 64))
    image, valid = box.to_network(scene(height=48, width=64))
    seen = normalize(image, valid)[valid].reshape(48, 64)
    assert np.array_equal(seen, normalize(scene(height=48, width=64)))
    assert np.array_equal(normalize(image), normalize(image, valid))


@settings(max_examples=200, deadline=None)
@given(frame_size=sizes, network_size=sizes)
def test_nothing_shifts_on_the_way_to_the_network(frame_size, network_size):
    box = Letterbox(frame_size, network_size)
    expected = coordinates(box.inner)
    for axis, plane in enumerate(coordinates(frame_size)):
        image, valid = box.to_network(plane)
        inside = image[valid].reshape(box.inner)
        # Blur and edges pull towards the middle, alike on both sides: a shift would not be alike.
        error = inside - expected[axis]
        assert np.abs(error + error[::-1, ::-1]).max() < 1e-4
        assert np.abs(error).max() <= 2 / min(frame_size[axis], box.inner[axis]) + 1e-4
        if all(have <= inner for have, inner in zip(frame_size, box.inner, strict=True)):
            rim = 0.5 / frame_size[axis]
            assert np.abs(inside - np.clip(expected[axis], rim, 1 - rim)).max() < 1e-5


@settings(max_examples=200, deadline=None)
@given(frame_size=sizes, network_size=sizes)
def test_nothing_shifts_on_the_way_back(frame_size, network_size):
    box = Letterbox(frame_size, network_size)
    maps = np.full((2, *network_size), 9, np.float32)  # what lies beside the frame must not come in
    inside = np.s_[:, box.top : box.top + box.inner[0], box.left : box.left + box.inner[1]]
    maps[inside] = coordinates(box.inner)
    back = box.to_frame(torch.from_numpy(maps)[None])[0].numpy()
    assert back.shape == (2, *frame_size)
    for axis, expected in enumerate(coordinates(frame_size)):
        rim = 0.5 / box.inner[axis]  # nearer to the edge than the first pixel's centre there is nothing to go by
        assert np.abs(back[axis] - np.clip(expected, rim, 1 - rim)).max() < 1e-5


@settings(max_examples=100, deadline=None)
@given(
    ratio=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    scales=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_same_aspect_needs_no_padding_and_same_size_no_change(ratio, scales):
    frame_size, network_size = (tuple(side * scale for side in ratio) for scale in scales)
    box = Letterbox(frame_size, network_size)
    assert box.inner == network_size
    if frame_size == network_size:
        frame = np.random.default_rng(0).random(frame_size).astype(np.float32)
        image, valid = box.to_network(frame)
        assert valid.all()
        assert (image == frame).all()
        assert (box.to_frame(torch.from_numpy(image)[None, None])[0, 0].numpy() == frame).all()


@pytest.mark.parametrize(
    ("frame_size", "network_size"), [((480, 640), (256, 320)), ((60, 80), (256, 320)), ((300, 100), (256, 320))]
)
def test_regions_come_back_where_they_were(frame_size, network_size):
    """A network that sees warm pixels perfectly gives back the disc that was drawn, but for its rim."""
    height, width = frame_size
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - 0.4 * height, x - 0.6 * width) - 0.25 * min(frame_size)
    frame = np.where(distance < 0, 34, 20).astype(np.float32)
    box = Letterbox(frame_size, network_size)
    image, _ = box.to_network(frame)
    logits = torch.from_numpy(np.stack([27 - image, image - 27]))[None]
    label = box.to_frame(logits).argmax(1)[0].numpy()
    assert label.shape == frame_size
    wrong = label != (distance < 0)
    assert wrong.mean() < 0.01
    assert np.abs(distance[wrong]).max(initial=0) <= max(1.0, 1.5 * height / box.inner[0])
    centre = [np.mean(axis[label == 1]) for axis in (y, x)]
    assert np.allclose(
        centre, [np.mean(axis[distance < 0]) for axis in (y, x)], atol=0.15 * max(1, height / box.inner[0])
    )


def test_frames_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(24, 32\)"):
        Letterbox((24, 32), (48, 64)).to_network(np.zeros((32, 24), np.float32))
