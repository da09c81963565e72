"""Outlines: exact where nothing is simplified, 0.98 of every class where something is, holes kept."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets.annotations.outlines import shapes_of
from lib.datasets.annotations.shapes import fill
from tests.datasets.annotations.labels import NAMES, any_label, disc, face, label_of, least_iou

each_kind_of_order = pytest.mark.parametrize("nested", [True, False])


@settings(max_examples=60)
@given(any_label(), st.booleans())
def test_outlines_that_are_hardly_simplified_draw_the_label_exactly(label, nested):
    shapes = shapes_of(label, NAMES, "polygons", 0.3, nested)
    np.testing.assert_array_equal(label_of(shapes, label.shape), label)


@settings(max_examples=60)
@given(any_label(), st.booleans(), st.floats(0.35, 30))
def test_every_class_keeps_its_share_however_much_is_simplified(label, nested, tolerance):
    shapes = shapes_of(label, NAMES, "polygons", tolerance, nested)
    assert least_iou(label_of(shapes, label.shape), label) >= 0.98


@settings(max_examples=40)
@given(any_label())
def test_masks_are_exact(label):
    np.testing.assert_array_equal(label_of(shapes_of(label, NAMES, "masks"), label.shape), label)


@each_kind_of_order
def test_a_larger_tolerance_takes_fewer_points(nested):
    label = cv2.resize(face(), (280, 240), interpolation=cv2.INTER_NEAREST)
    points = [
        sum(len(ring) for shape in shapes_of(label, NAMES, "polygons", tolerance, nested) for ring in shape.rings)
        for tolerance in (0.3, 1, 3)
    ]
    assert points[0] > 1.5 * points[1] > 1.5 * points[2]


def test_nested_shapes_lie_over_each_other_and_a_hole_is_a_shape_of_the_background():
    shapes = shapes_of(face(), NAMES, "polygons", 0.3, nested=True)
    assert [shape.label for shape in shapes] == ["skin", "nose", "background", "left eye", "left eye"]
    assert all(len(shape.rings) == 1 for shape in shapes)
    np.testing.assert_array_equal(shapes[0].pixels((60, 70)), disc((60, 70), 30, 33, 25))


def test_shapes_that_are_not_nested_have_holes_and_do_not_overlap():
    shapes = shapes_of(face(), NAMES, "polygons", 0.3, nested=False)
    skin = next(shape for shape in shapes if shape.label == "skin")
    assert len(skin.rings) == 5
    assert sum(shape.pixels((60, 70)).sum() for shape in shapes) == (face() > 0).sum()


@pytest.mark.parametrize("turn", range(4))
def test_a_polygon_covers_the_pixels_whose_centres_it_encloses(turn):
    ring = np.roll(np.array([[0.4, 1.6], [4.6, 0.4], [5.6, 3.7], [2.2, 4.4]]), turn, axis=0)
    rows, columns = np.mgrid[:6, :7] + 0.5
    inside = [
        [
            cv2.pointPolygonTest(ring.astype(np.float32), (float(x), float(y)), False) > 0
            for x, y in zip(*row, strict=True)
        ]
        for row in zip(columns, rows, strict=True)
    ]
    np.testing.assert_array_equal(fill([ring], (6, 7)), inside)
    np.testing.assert_array_equal(fill([ring - 2], (4, 5)), np.array(inside)[2:, 2:])  # cut by the frame's edges
