"""Colours of classes and palette PNGs."""

import numpy as np
import pytest
from PIL import Image

from lib.utils.errors import ConfigError
from lib.vis import palette_of, save_label


@pytest.mark.parametrize("classes", [1, 2, 6, 19, 255])
def test_default_colours_are_distinct_and_begin_with_black(classes):
    colours = palette_of(classes)
    assert colours.shape == (classes, 3)
    assert colours.dtype == np.uint8
    assert len({tuple(colour) for colour in colours.tolist()}) == classes
    assert colours[0].tolist() == [0, 0, 0]


def test_default_colours_are_those_of_pascal_voc():
    # aeroplane, bicycle, bird, boat of the VOC development kit
    assert palette_of(5)[1:].tolist() == [[128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]


def test_given_colours_are_kept_and_surplus_ones_left_out():
    assert palette_of(2, [(1, 2, 3), (4, 5, 6), (7, 8, 9)]).tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("classes", "palette", "said"),
    [
        (0, None, "data.num_classes: expected 1-255"),
        (256, None, "got 256"),
        (3, [(0, 0, 0), (1, 1, 1)], "expected 3 colours, one per class, got 2"),
        (1, [(0, 0)], r"expected a list of \[r, g, b\]"),
        (1, [(0, 0, 300)], "values 0-255"),
        (1, [(0, 0, -1)], "values 0-255"),
    ],
)
def test_unusable_palettes_are_refused_with_the_key(classes, palette, said):
    with pytest.raises(ConfigError, match=said):
        palette_of(classes, palette)


@pytest.mark.parametrize("classes", [2, 6, 255])
def test_a_label_png_gives_back_indices_and_colours(tmp_path, classes):
    label = (np.arange(60, dtype=np.uint8) % classes).reshape(6, 10)
    label[0, 0] = 255
    colours = palette_of(classes)
    save_label(tmp_path / "deep" / "label.png", label, colours)
    with Image.open(tmp_path / "deep" / "label.png") as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), label)
        shown = np.asarray(image.convert("RGB"))
    assert np.array_equal(shown[label != 255], colours[label[label != 255]])
    assert shown[0, 0].tolist() == [255, 255, 255]


def test_a_label_png_has_eight_bits_however_few_classes(tmp_path):
    save_label(tmp_path / "label.png", np.zeros((3, 3), np.uint8), palette_of(2))
    header = (tmp_path / "label.png").read_bytes()[:26]
    assert header[24] == 8  # bit depth, the ninth byte of IHDR (PNG specification, 11.2.1)
    assert header[25] == 3  # colour type: indexed


def test_labels_of_any_memory_layout_are_written_alike(tmp_path):
    label = np.arange(12, dtype=np.uint8).reshape(3, 4)
    save_label(tmp_path / "a.png", label.T, palette_of(12))
    save_label(tmp_path / "b.png", label.T.copy(), palette_of(12))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
