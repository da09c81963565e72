"""Run lengths of COCO and Label Studio: what these projects' own programs wrote comes back, damage is told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from lib.datasets.annotations.run_lengths import counts_of, pixels_of, unpack_coco, unpack_label_studio
from lib.utils.errors import DataError
from tests.datasets.annotations.labels import disc

# Written by pycocotools 2.0.11: mask.encode of the discs, of the second one without a smaller disc.
OF_COCO = [
    ("m0540000000R1", disc((9, 12), 4, 5, 3)),
    (
        "da0=\\16K4L4M2M4M2N2N2O0O2N2O0OUOI46KL43LO40K24NK44KM54JL64JL64JL64JL64JL64JL64JL64JM44LM24NM040MN42k01N10001N101"
        "N101N2N101N2N2N3L3N3L4L5Jke0",
        disc((60, 70), 30, 33, 25) & ~disc((60, 70), 28, 30, 9),
    ),
    ("0440000O9", disc((8, 5), 0, 0, 4)),
]
# Written by label_studio_sdk 2.1.2: converter.brush.encode_rle of 9x12 pixels whose opacity is the first disc.
OF_LABEL_STUDIO = bytes.fromhex(
    "000001b0391bfe6e0003fe20003fe20003fe20003fe20003ff0f0001ff10001ff10001ff10001ff10001ff878000ff88000f"
    "f88000ff88000ff88000ffc3c0007fc40007fc40007fc40007fc40007fe1e0003fe20003fe20003fe20003fe20003ff37800"
)


@pytest.mark.parametrize(("text", "mask"), OF_COCO)
def test_what_pycocotools_packed_comes_back(text, mask):
    counts = unpack_coco(text, "a.json")
    np.testing.assert_array_equal(pixels_of(counts, mask.size, "a.json").reshape(mask.T.shape).T, mask)
    assert counts == counts_of(mask.T.ravel())


def test_what_label_studio_packed_comes_back():
    values = unpack_label_studio(list(OF_LABEL_STUDIO), "a.json").reshape(9, 12, 4)
    np.testing.assert_array_equal(values[..., 3], disc((9, 12), 4, 5, 3) * 255)
    assert not values[..., :3].any()


@settings(max_examples=50)
@given(arrays(bool, array_shapes(max_dims=1, max_side=40)))
def test_counts_give_the_pixels_back(pixels):
    counts = counts_of(pixels)
    np.testing.assert_array_equal(pixels_of(counts, pixels.size, "a"), pixels)
    assert all(count > 0 for count in counts[1:])


@pytest.mark.parametrize("counts", [[3, 3], [6], [-1, 6], [5.0], ["5"], None, {}, [True] * 5])
def test_counts_that_do_not_fit_are_told(counts):
    with pytest.raises(DataError, match=r"a\.json, shape 1.*5 pixels"):
        pixels_of(counts, 5, "a.json, shape 1")


@pytest.mark.parametrize("packed", [[], [1], list(OF_LABEL_STUDIO[:-4]), [255] * 20, ["a"], None, [300]])
def test_a_damaged_brush_is_told(packed):
    with pytest.raises(DataError, match=r"a\.json, region 1"):
        unpack_label_studio(packed, "a.json, region 1")


def test_text_that_packs_nothing_is_told():
    with pytest.raises(DataError, match="run lengths"):
        unpack_coco("0~4", "a.json")
