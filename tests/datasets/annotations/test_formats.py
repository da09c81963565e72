"""The files of tools: what is written comes back, what people do in the tools is read, what can't be used is named."""

import base64
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.outlines import shapes_of
from lib.datasets.annotations.shapes import Codes, LabelledPicture, draw
from lib.utils.errors import DataError
from tests.datasets.annotations.labels import NAMES, any_label, face, label_of, least_iou

SIZE = (60, 70)
WRITTEN = [name for name, form in FORMATS.items() if form.write]
FILES = {"labelme": "f1.json", "coco": "annotations.json", "cvat": "annotations.xml"}
each_written = pytest.mark.parametrize("tool", WRITTEN)


def write(folder, tool, label, kind="polygons", tolerance=1.0, names=("f1.png",)):
    """A tool's files of a label, for one picture or several."""
    form = FORMATS[tool]
    shapes = shapes_of(label, NAMES, kind, tolerance, form.nested)
    pictures = [LabelledPicture(name, label.shape, shapes) for name in names]
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in form.write(pictures, [*NAMES, "ignore"]):
        (folder / name).write_text(content)
    return folder


def read_back(folder, tool, size):
    annotation = FORMATS[tool].read(folder).annotations[0]
    return label_of(annotation.shapes(size), size)


@each_written
@pytest.mark.parametrize("kind", ["polygons", "masks"])
def test_a_label_comes_back(tmp_path, tool, kind):
    found = FORMATS[tool].read(write(tmp_path, tool, face(), kind))
    assert [annotation.name for annotation in found.annotations] == ["f1"]
    assert list(found.labels) == [*NAMES, "ignore"]
    back = label_of(found.annotations[0].shapes(SIZE), SIZE)
    assert least_iou(back, face()) >= (1 if kind == "masks" else 0.98)


@each_written
@settings(max_examples=25)
@given(label=any_label(6), kind=st.sampled_from(["polygons", "masks"]), tolerance=st.sampled_from([0.2, 1, 4]))
def test_any_label_comes_back(tmp_path_factory, tool, label, kind, tolerance):
    folder = write(tmp_path_factory.mktemp("any"), tool, label, kind, tolerance)
    back = read_back(folder, tool, label.shape)
    assert least_iou(back, label) >= (1 if kind == "masks" or tolerance < 0.35 else 0.98)


@each_written
def test_several_pictures_come_back_by_name(tmp_path, tool):
    found = FORMATS[tool].read(write(tmp_path, tool, face(), names=("b.png", "a.jpg_lfb.png")))
    assert {annotation.name for annotation in found.annotations} == {"b", "a.jpg_lfb"}


@each_written
def test_a_picture_of_another_size_is_told(tmp_path, tool):
    annotation = FORMATS[tool].read(write(tmp_path, tool, face())).annotations[0]
    with pytest.raises(DataError, match=r"70x60 pixels, the frame 80x64; label pictures of the frames' own size"):
        annotation.shapes((64, 80))


@each_written
@pytest.mark.parametrize("content", ["", "  \n", "{", "<a>", "[]", "{}", "\x00\xff", "[1, 2]", "<annotations>"])
def test_a_file_that_is_none_of_the_tool_is_named(tmp_path, tool, content):
    path = tmp_path / FILES[tool]
    path.write_text(content)
    with pytest.raises(DataError, match=path.name):
        FORMATS[tool].read(tmp_path).annotations[0].shapes(SIZE)


@each_written
def test_without_files_the_folder_is_named(tmp_path, tool):
    with pytest.raises(DataError, match=tmp_path.name):
        FORMATS[tool].read(tmp_path)


@pytest.mark.parametrize("tool", ["coco", "cvat"])
def test_the_file_is_found_in_the_folder_of_an_archive_and_chosen_by_nobody_among_several(tmp_path, tool):
    write(tmp_path / "export/annotations", tool, face())
    assert len(FORMATS[tool].read(tmp_path / "export").annotations) == 1
    path = next((tmp_path / "export/annotations").iterdir())
    (path.parent / f"second{path.suffix}").write_text(path.read_text())
    with pytest.raises(DataError, match=f"there are {path.name}, second.*; name the file"):
        FORMATS[tool].read(tmp_path / "export")
    assert len(FORMATS[tool].read(path).annotations) == 1


def labelme_file(folder, *shapes):
    """A labelme file of (label, shape type, points) or such with further keys."""
    listed = [
        {"label": label, "shape_type": kind, "points": points, **(more[0] if more else {})}
        for label, kind, points, *more in shapes
    ]
    content = {"version": "5.5.0", "shapes": listed, "imagePath": "f1.png", "imageHeight": 60, "imageWidth": 70}
    (folder / "f1.json").write_text(json.dumps(content))
    return FORMATS["labelme"].read(folder).annotations[0]


BOX = [[10, 10], [30, 10], [30, 40], [10, 40]]


def test_later_shapes_of_labelme_lie_over_earlier_ones(tmp_path):
    nose, eye = ("nose", "rectangle", [[15, 15], [20, 20]]), ("left eye", "circle", [[50, 30], [50, 33]])
    label = label_of(labelme_file(tmp_path, ("skin", "polygon", BOX), nose, eye).shapes(SIZE), SIZE)
    assert (label[15:20, 15:20] == 3).all()
    assert (label == 1).sum() == 20 * 30 - 25
    assert abs((label == 2).sum() - np.pi * 9) < 5


def test_masks_drawn_in_labelme_are_read(tmp_path):
    area = np.zeros((3, 4), bool)
    area[1, 2:] = True
    Image.fromarray(area.astype(np.uint8) * 255).save(tmp_path / "m.png")
    encoded = base64.b64encode((tmp_path / "m.png").read_bytes()).decode()
    annotation = labelme_file(tmp_path, ("skin", "mask", [[5, 6], [8, 8]], {"mask": encoded}))
    assert np.argwhere(label_of(annotation.shapes(SIZE), SIZE)).tolist() == [[7, 7], [7, 8]]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (("skin", "polygon", [[1, 1], [2, 2]]), r"f1\.json, shape 1 \(skin\): a polygon of 2 points.*draw it anew"),
        (("skin", "polygon", [[1, 1], [2, 2], [3, None]]), "expected points"),
        (("skin", "polygon", [[1, 1], [2, 2], [3, 1e9]]), "expected points"),
        (("skin", "line", [[1, 1], [20, 20]]), "a line has no area; draw a polygon"),
        (("skin", "polygon", [[900, 10], [940, 10], [940, 40]]), "out of the frame of 70x60 pixels"),
        (("skin", "polygon", [[72, 10], [80, 10], [80, 40]]), "covers no pixel of the frame"),
        (("skin", "polygon", [[10.6, 10], [10.9, 10], [10.8, 40]]), "covers no pixel of the frame"),
        (("skin", "mask", [[5, 6], [8, 8]], {"mask": "no picture"}), "its mask is no picture"),
        (("skin", "mask", [[5, 6], [8, 8]]), "expected a text at 'mask'"),
        ((7, "polygon", BOX), "expected a text at 'label'"),
    ],
)
def test_shapes_of_labelme_that_cannot_be_used_are_named(tmp_path, shape, message):
    annotation = labelme_file(tmp_path, shape)
    with pytest.raises(DataError, match=message):
        draw(annotation.shapes(SIZE), SIZE, Codes())


def test_shapes_that_reach_a_little_out_of_the_frame_are_cut(tmp_path):
    shapes = labelme_file(tmp_path, ("skin", "polygon", [[-5, -3], [10, -3], [10, 10], [-5, 10]])).shapes(SIZE)
    assert label_of(shapes, SIZE).sum() == 100


def test_a_picture_without_shapes_has_none(tmp_path):
    assert labelme_file(tmp_path).shapes(SIZE) == []


def test_polygons_and_run_lengths_of_coco_are_read(tmp_path):
    counts = {"size": [60, 70], "counts": [60 * 20 + 5, 10, 60 * 70 - 60 * 20 - 15]}
    parts = [[10, 10, 30, 10, 30, 40, 10, 40], [40, 10, 50, 10, 50, 20, 40, 20]]
    content = {
        "images": [{"id": 7, "file_name": "day/f1.png", "height": 60, "width": 70}, {"id": 8, "file_name": "f2.png"}],
        "categories": [{"id": 3, "name": "nose"}, {"id": 1, "name": "skin"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "segmentation": parts},
            {"id": 2, "image_id": 7, "category_id": 3, "segmentation": counts},
        ],
    }
    path = tmp_path / "any name.json"
    path.write_text(json.dumps(content))
    found = FORMATS["coco"].read(path)
    assert ([annotation.name for annotation in found.annotations], list(found.labels)) == (
        ["f1", "f2"],
        ["nose", "skin"],
    )
    label = label_of(found.annotations[0].shapes(SIZE), SIZE)
    assert np.argwhere(label == 3).tolist() == [[row, 20] for row in range(5, 15)]
    assert (label == 1).sum() == 20 * 30 + 100 - 5
    assert found.annotations[1].shapes(SIZE) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category_id": 9}, "of category 9, which isn't among the categories"),
        ({"segmentation": []}, "has no segmentation.*draw a polygon"),
        ({"segmentation": [[1, 2, 3]]}, "x, y, x, y"),
        ({"segmentation": [[1, 2, 3, 4]]}, "a polygon of 2 points"),
        ({"segmentation": {"size": [60, 70], "counts": [5]}}, "run lengths of 5 pixels"),
        ({"segmentation": {"size": [6, 7], "counts": [42]}}, "its picture has 7x6 pixels"),
        ({"image_id": 4}, "annotations of the image 4, which isn't in it"),
    ],
)
def test_annotations_of_coco_that_cannot_be_used_are_named(tmp_path, change, message):
    path = write(tmp_path, "coco", face()) / "annotations.json"
    content = json.loads(path.read_text())
    content["annotations"][0] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        FORMATS["coco"].read(tmp_path).annotations[0].shapes(SIZE)


CVAT = """<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><job><labels>
<label><name>nose</name><color>#ff0000</color></label><label><name>skin</name><color>#00ff80</color></label></labels></job></meta>
<image id="0" name="f1.png" width="70" height="60">{}</image></annotations>"""


def cvat_file(folder, shapes):
    (folder / "annotations.xml").write_text(CVAT.format(shapes))
    return FORMATS["cvat"].read(folder)


def test_shapes_of_cvat_lie_over_each_other_by_their_z_order(tmp_path):
    found = cvat_file(
        tmp_path,
        '<box label="nose" xtl="15" ytl="15" xbr="20" ybr="20" z_order="2"><attribute name="a">1</attribute></box>'
        '<polygon label="skin" points="10,10;30,10;30,40;10,40" z_order="1"/>'
        '<mask label="nose" rle="1, 2, 3" left="40" top="50" width="3" height="2" z_order="0"/><tag label="x"/>',
    )
    label = label_of(found.annotations[0].shapes(SIZE), SIZE)
    assert ((label == 1).sum(), (label[15:20, 15:20] == 3).all()) == (20 * 30 - 25, True)
    assert np.argwhere(label[45:] == 3).tolist() == [[5, 41], [5, 42]]
    assert (list(found.labels), found.colours["skin"]) == (["nose", "skin"], (0, 255, 128))


@pytest.mark.parametrize(
    ("kind", "places"),
    [("box", 'xtl="20" ytl="10" xbr="40" ybr="50"'), ("ellipse", 'cx="30" cy="30" rx="10" ry="20"')],
)
def test_turned_shapes_of_cvat_are_turned(tmp_path, kind, places):
    def label(degrees):
        shape = f'<{kind} label="skin" {places} rotation="{degrees}"/>'
        return label_of(cvat_file(tmp_path, shape).annotations[0].shapes(SIZE), SIZE)

    upright, turned = label(0), label(90)
    np.testing.assert_array_equal(turned[:, :60], upright[:, :60].T)
    # Clockwise as seen: the upper end of a standing shape goes to the right.
    rows, columns = np.nonzero(label(30))
    assert columns[rows < 25].mean() > 31
    assert columns[rows > 35].mean() < 29


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<polyline label="skin" points="1,1;2,2;3,3"/>', r"f1\.png, polyline 1 \(skin\): a polyline has no area"),
        ('<polygon label="skin" points="1,1;2,2"/>', "a polygon of 2 points"),
        ('<polygon label="skin" points="1,1;2;3,x"/>', "expected points"),
        ('<polygon points="1,1;2,2;3,3"/>', "has no label"),
        ('<box label="skin" xtl="1" ytl="2" xbr="x" ybr="4"/>', "expected a number at xbr"),
        ('<mask label="skin" rle="1,x" left="4" top="5" width="3" height="2"/>', "run lengths"),
        ('<mask label="skin" rle="1, 2" left="4" top="5" width="3" height="2"/>', "run lengths of 3 pixels"),
    ],
)
def test_shapes_of_cvat_that_cannot_be_used_are_named(tmp_path, shape, message):
    with pytest.raises(DataError, match=message):
        cvat_file(tmp_path, shape).annotations[0].shapes(SIZE)


def test_a_video_of_cvat_and_a_file_with_entities_are_told(tmp_path):
    path = tmp_path / "annotations.xml"
    path.write_text('<annotations><track id="0" label="skin"/></annotations>')
    with pytest.raises(DataError, match=r"CVAT for images 1\.1"):
        FORMATS["cvat"].read(path)
    path.write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotations/>')
    with pytest.raises(DataError, match="declares a document type"):
        FORMATS["cvat"].read(path)


def test_pictures_of_the_same_name_in_two_folders_are_told(tmp_path):
    root = ElementTree.fromstring(CVAT.format(""))
    for folder in ("a", "b"):
        ElementTree.SubElement(root, "image", name=f"{folder}/f2.png", width="70", height="60")
    (tmp_path / "annotations.xml").write_text(ElementTree.tostring(root, encoding="unicode"))
    with pytest.raises(DataError, match="called f2, like that of"):
        FORMATS["cvat"].read(tmp_path)
