"""Outlines: filled, they are the mask again."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lib.vis.report.outlines import MOST_CORNERS, region_path

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9))


def loops_of(path):
    """The closed loops of a path as lists of corners (x, y)."""
    loops = []
    for x, y, steps in re.findall(r"M(\d+) (\d+)((?:[hv]-?\d+)+)z", path):
        loop = [(int(x), int(y))]
        for axis, length in re.findall(r"([hv])(-?\d+)", steps):
            last = loop[-1]
            loop.append((last[0] + int(length), last[1]) if axis == "h" else (last[0], last[1] + int(length)))
        loops.append(loop)
    return loops


def filled(path, shape):
    """Winding numbers of pixel middles: upright sides crossed by a ray to the right, with their direction."""
    winding = np.zeros(shape, int)
    for loop in loops_of(path):
        for (x0, y0), (x1, y1) in zip(loop, [*loop[1:], loop[0]], strict=True):
            if x0 == x1:
                winding[min(y0, y1) : max(y0, y1), :x0] += 1 if y1 > y0 else -1
    return winding


@given(masks)
def test_a_filled_outline_is_the_mask(mask):
    path = region_path(mask)
    assert np.array_equal(filled(path, mask.shape), mask.astype(int))
    assert "".join(re.findall(r"M\d+ \d+(?:[hv]-?\d+)+z", path)) == path


@given(masks)
def test_loops_turn_at_every_corner_and_close_by_an_upright_or_level_side(mask):
    for loop in loops_of(region_path(mask)):
        assert len(loop) >= 4
        assert loop[0][0] == loop[-1][0] or loop[0][1] == loop[-1][1]


def test_a_square_is_four_corners():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 3:7] = True
    assert region_path(mask) == "M3 2h4v3h-4z"


@pytest.mark.parametrize("side", [64, 128, 256])
def test_ragged_masks_are_drawn_coarser_rather_than_without_end(side):
    mask = np.random.default_rng(0).random((side, side)) < 0.5
    path = region_path(mask)
    assert sum(map(len, loops_of(path))) <= 2 * MOST_CORNERS
    share = filled(path, mask.shape).mean()
    assert share == pytest.approx(0.5, abs=0.05)


@given(st.integers(1, 20), st.integers(1, 20))
def test_a_full_frame_has_its_own_outline(height, width):
    assert region_path(np.ones((height, width), bool)) == f"M0 0h{width}v{height}h-{width}z"
