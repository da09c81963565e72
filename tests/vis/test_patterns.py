"""Hatches: as many kinds as promised, for pixels and SVG alike."""

import numpy as np
import pytest

from lib.vis.patterns import KINDS, TILE, hatch_lines, hatch_tile


def test_kinds_differ_and_repeat():
    tiles = [hatch_tile(index) for index in range(2 * KINDS)]
    assert all(tile.shape == (TILE, TILE) for tile in tiles)
    assert len({tile.tobytes() for tile in tiles}) == KINDS
    assert all(np.array_equal(tiles[index], tiles[index + KINDS]) for index in range(KINDS))
    assert len({hatch_lines(index) for index in range(2 * KINDS)}) == KINDS


@pytest.mark.parametrize("index", range(KINDS))
def test_hatches_leave_most_of_a_region_visible(index):
    assert 0 < hatch_tile(index).mean() < 0.3
