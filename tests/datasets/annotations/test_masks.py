"""Masks as pictures and as landmarks: numbers, colours, 0 and 255."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.masks import label_map, read_label_map
from lib.datasets.landmarks import draw_labels
from lib.utils.errors import DataError
from lib.vis.palette import palette_of, save_label
from tests.datasets.annotations.labels import NAMES, any_label, face, label_of

SIZE = (60, 70)


def read(path, kind, values, size=SIZE):
    (annotation,) = FORMATS[kind].read(path).annotations
    return annotation, label_of(annotation.shapes(size), size, values)


def test_class_numbers_are_read_with_ignored_pixels(tmp_path):
    label = face()
    label[:3] = 255
    (tmp_path / "label").mkdir()
    Image.fromarray(label).save(tmp_path / "label" / "f1.png")
    annotation, back = read(tmp_path, "numbers", {str(value): value for value in (0, 1, 2, 3, 255)})
    np.testing.assert_array_equal(back, label)
    assert annotation.name == "f1"


@settings(max_examples=25)
@given(any_label())
def test_any_label_comes_back_from_numbers_and_from_colours(tmp_path_factory, label):
    folder = tmp_path_factory.mktemp("any")
    palette = palette_of(4)
    save_label(folder / "f1.png", label, palette)
    numbers = {str(value): value for value in (0, 1, 2, 3, 255)}
    np.testing.assert_array_equal(read(folder, "numbers", numbers, label.shape)[1], label)
    colours = {"#{:02x}{:02x}{:02x}".format(*colour): value for value, colour in enumerate(palette.tolist())}
    values = {**colours, "#ffffff": 255}
    np.testing.assert_array_equal(read(folder, "colours", values, label.shape)[1], label)


@pytest.mark.parametrize("high", [255, 1])
def test_two_values_are_background_and_a_class(tmp_path, high):
    Image.fromarray((face() > 0).astype(np.uint8) * high).save(tmp_path / "f1.png")
    np.testing.assert_array_equal(read(tmp_path, "binary", {"0": 0, "1": 1})[1], face() > 0)


def test_values_between_are_told_of_masks_of_two_values(tmp_path):
    Image.fromarray(face() * 60).save(tmp_path / "f1.png")
    with pytest.raises(DataError, match=r"f1\.png: expected 0 and 255, got 0, 60, 120, 180; .*--from numbers"):
        read(tmp_path, "binary", {})


@pytest.mark.parametrize("mode", ["palette", "rgb", "rgba"])
def test_colours_are_called_as_the_label_map_says(tmp_path, mode):
    palette = np.array([[0, 0, 0], [200, 10, 10], [10, 200, 10], [9, 9, 200]], np.uint8)
    (tmp_path / "labelmap.txt").write_text(label_map(NAMES, palette))
    (tmp_path / "label").mkdir()
    path = tmp_path / "label" / "f1.png"
    if mode == "palette":
        save_label(path, face(), palette)
    else:
        picture = Image.fromarray(palette[face()])
        (picture.convert("RGBA") if mode == "rgba" else picture).save(path)
    np.testing.assert_array_equal(read(tmp_path, "colours", {name: i for i, name in enumerate(NAMES)})[1], face())
    found = FORMATS["colours"].read(tmp_path)
    assert list(found.labels) == NAMES
    assert found.colours["nose"] == (9, 9, 200)


def test_colours_without_a_label_map_are_called_by_their_levels(tmp_path):
    save_label(tmp_path / "f1.png", face(), palette_of(4))
    values = {"#000000": 0, "#800000": 1, "#008000": 2, "#808000": 3}
    np.testing.assert_array_equal(read(tmp_path, "colours", values)[1], face())


def test_a_photograph_is_no_mask_of_colours(tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(tmp_path / "f1.png")
    with pytest.raises(DataError, match=r"f1\.png: has \d+ colours, so it is no mask"):
        read(tmp_path, "colours", {})


@pytest.mark.parametrize("kind", ["numbers", "binary", "colours"])
def test_masks_of_another_size_damaged_ones_and_none_are_told(tmp_path, kind):
    with pytest.raises(DataError, match="no masks"):
        FORMATS[kind].read(tmp_path)
    path = tmp_path / "f1.png"
    Image.fromarray(np.zeros((6, 7), np.uint8)).save(path)
    with pytest.raises(DataError, match=r"f1\.png: its picture has 7x6 pixels"):
        read(tmp_path, kind, {})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match=r"f1\.png"):
        read(tmp_path, kind, {})


@pytest.mark.parametrize("line", ["skin", "skin:1,2", "skin:1,2,300", ":1,2,3", "skin:a,b,c"])
def test_lines_of_a_label_map_that_cannot_be_used_are_named(tmp_path, line):
    (tmp_path / "labelmap.txt").write_text(f"# label:color_rgb:parts:actions\n{line}\n")
    with pytest.raises(DataError, match=r"labelmap\.txt, line 2: expected name:r,g,b"):
        read_label_map(tmp_path / "labelmap.txt")


def points_of(count=68):
    return np.random.default_rng(3).uniform(8, 50, (count, 2))


@pytest.mark.parametrize("kind", ["pts", "csv"])
def test_landmarks_draw_the_classes_of_the_shipped_network(tmp_path, kind):
    points = points_of()
    if kind == "csv":
        header = ",".join(["frame", *(f"{axis}{i}" for i in range(68) for axis in "xy")])
        row = ",".join(["f1", *(f"{value}" for y, x in points for value in (x, y))])
        (tmp_path / "landmarks.csv").write_text(f"{header}\n{row}\n")
    else:
        lines = "\n".join(f"{x + 1} {y + 1}" for y, x in points)
        (tmp_path / "f1.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    names = ["background", "chin & cheeks", "mouth", "eyes", "eyebrows", "nose"]
    _, label = read(tmp_path, kind, {name: value for value, name in enumerate(names)})
    expected = np.array([0, 1, 2, 3, 3, 4, 4, 5])[draw_labels(points, SIZE)]
    np.testing.assert_array_equal(label, expected)
    assert list(FORMATS[kind].read(tmp_path).labels) == names
    with pytest.raises(DataError, match="outside the frame"):
        read(tmp_path, kind, {}, (9, 9))
    shutil.rmtree(tmp_path)
    with pytest.raises(DataError, match=tmp_path.name):
        FORMATS[kind].read(tmp_path)
