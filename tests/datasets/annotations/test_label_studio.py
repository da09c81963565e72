"""Label Studio's JSON export: brushes, polygons and other areas, in percent of the picture."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.outlines import shapes_of
from lib.utils.errors import DataError
from tests.datasets.annotations.labels import NAMES, any_label, disc, label_of, least_iou
from tests.datasets.annotations.test_run_lengths import OF_LABEL_STUDIO

SIZE = (40, 50)


def region(kind, value, label="skin", size=SIZE):
    value = {**value, f"{kind}labels": [label]}
    return {"type": f"{kind}labels", "value": value, "original_height": size[0], "original_width": size[1]}


def export(folder, *regions, picture="/data/upload/1/0a1b2c3d-f1.png", annotations=1, **more):
    """A file of one task."""
    task = {"id": 4, "data": {"image": picture}, "annotations": [{"result": list(regions)}] * annotations, **more}
    (folder / "export.json").write_text(json.dumps([task]))
    return FORMATS["label_studio"].read(folder).annotations[0]


def test_areas_in_percent_are_read_later_over_earlier(tmp_path):
    annotation = export(
        tmp_path,
        region("polygon", {"points": [[20, 25], [60, 25], [60, 75], [20, 75]]}),
        region("rectangle", {"x": 40, "y": 50, "width": 10, "height": 10, "rotation": 0}, "nose"),
        region("ellipse", {"x": 80, "y": 50, "radiusX": 10, "radiusY": 10, "rotation": 0}, "left eye"),
    )
    label = label_of(annotation.shapes(SIZE), SIZE)
    assert (label[20:24, 20:25] == 3).all()
    assert (label == 1).sum() == 20 * 20 - 20
    assert np.argwhere(label == 2).mean(0) == pytest.approx([19.5, 39.5])
    assert abs((label == 2).sum() - np.pi * 5 * 4) < 4


def test_a_rectangle_turns_clockwise_about_its_first_corner(tmp_path):
    shape = region("rectangle", {"x": 50, "y": 50, "width": 20, "height": 10, "rotation": 90})
    label = label_of(export(tmp_path, shape).shapes(SIZE), SIZE)
    assert np.argwhere(label).min(0).tolist() == [20, 21]
    assert np.argwhere(label).max(0).tolist() == [29, 24]


@settings(max_examples=25)
@given(any_label(6), st.sampled_from([0.2, 1, 4]))
def test_polygons_of_any_label_come_back(tmp_path_factory, label, tolerance):
    height, width = label.shape
    regions = [
        region("polygon", {"points": (shape.rings[0] * (100 / width, 100 / height)).tolist()}, shape.label, label.shape)
        for shape in shapes_of(label, NAMES, "polygons", tolerance)
    ]
    annotation = export(tmp_path_factory.mktemp("any"), *regions)
    back = label_of(annotation.shapes(label.shape), label.shape)
    assert least_iou(back, label) >= (1 if tolerance < 0.35 else 0.98)


def test_a_brush_is_read(tmp_path):
    brush = region("brush", {"format": "rle", "rle": list(OF_LABEL_STUDIO)}, size=(9, 12))
    np.testing.assert_array_equal(label_of(export(tmp_path, brush).shapes((9, 12)), (9, 12)), disc((9, 12), 4, 5, 3))


@pytest.mark.parametrize(
    ("picture", "name"),
    [
        ("/data/upload/1/0a1b2c3d-my%20f.1.png", "my f.1"),
        ("/data/local-files/?d=thermal/day2/f1.png", "f1"),
        ("https://host/bucket/0a1b2c3d-f1.png?x=1", "0a1b2c3d-f1"),
        ("s3://bucket/day/f1.png", "f1"),
    ],
)
def test_frames_are_found_by_the_name_of_the_picture(tmp_path, picture, name):
    assert export(tmp_path, picture=picture).name == name


def test_tasks_without_regions_are_not_labelled(tmp_path):
    assert export(tmp_path).shapes(SIZE) == []
    assert export(tmp_path, annotations=0).shapes(SIZE) == []


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (region("keypoint", {"x": 1, "y": 1}), r"task 4, region 1 \(skin\): a keypoint has no area"),
        (region("polygon", {"points": [[1, 1], [2, 2]]}), "a polygon of 2 points"),
        (region("rectangle", {"x": 1, "y": 1, "width": "a", "height": 3}), "expected a number at 'width'"),
        (region("brush", {"rle": list(OF_LABEL_STUDIO)}), "a brush of 108 pixels, the frame has 2000"),
        (region("polygon", {"points": [[1, 1]]}, size=(4, 5)), "its picture has 5x4 pixels"),
        ({**region("polygon", {}), "value": {"polygonlabels": ["a", "b"]}}, "expected one label"),
    ],
)
def test_regions_that_cannot_be_used_are_named(tmp_path, shape, message):
    with pytest.raises(DataError, match=message):
        export(tmp_path, shape).shapes(SIZE)


def test_annotations_of_several_people_and_other_exports_are_told(tmp_path):
    with pytest.raises(DataError, match="task 4: has 2 annotations"):
        export(tmp_path, annotations=2).shapes(SIZE)
    (tmp_path / "export.json").write_text('[{"image": "f1.png", "label": []}]')
    with pytest.raises(DataError, match="not JSON-MIN"):
        FORMATS["label_studio"].read(tmp_path)
