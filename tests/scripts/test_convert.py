"""convert.sh: frames with labels become data to train on, bad labels change nothing, tools get pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.outlines import shapes_of
from lib.datasets.annotations.shapes import LabelledPicture
from lib.datasets.dataset import find_pairs
from lib.datasets.labels import read_label
from lib.thermal import read_thermal
from lib.utils.config import load_config
from main import main as run_phase
from scripts.convert import main
from tests.datasets.annotations.labels import NAMES, face, least_iou

SIZE = (60, 70)
FRAMES = [f"sub{subject:03d}_f{index}" for subject in (1, 2, 3) for index in range(2)]


def temperatures(index):
    return (20 + 5 * face() + index).astype(np.float32)


@pytest.fixture
def frames(tmp_path):
    """Six frames in deg C of three people."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, name in enumerate(FRAMES):
        np.save(folder / f"{name}.npy", temperatures(index))
    return folder


def write_labels(folder, names, tool="labelme", label=None, classes=NAMES):
    label = face() if label is None else label
    shapes = shapes_of(label, classes, "polygons", 0.3, FORMATS[tool].nested)
    folder.mkdir(exist_ok=True)
    for file, content in FORMATS[tool].write(
        [LabelledPicture(f"{n}.png", label.shape, shapes) for n in names], classes
    ):
        (folder / file).write_text(content)
    return folder


@pytest.fixture
def labels(tmp_path):
    """Of five of them, for labelme."""
    return write_labels(tmp_path / "labels", FRAMES[:5])


def convert(tmp_path, frames, labels, *more, out="data"):
    return main([str(labels), str(frames), str(tmp_path / out), *more])


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_labels_become_frames_and_masks_split_by_subject(tmp_path, frames, labels, capfd):
    assert convert(tmp_path, frames, labels, "--size", "none") == 0
    pairs = {split: find_pairs(tmp_path / "data" / split) for split in ("train", "val")}
    assert [sample.name for sample in pairs["train"].samples] == FRAMES[:4]
    assert [sample.name for sample in pairs["val"].samples] == FRAMES[4:5]
    for pair in pairs.values():
        for sample in pair.samples:
            np.testing.assert_array_equal(read_label(sample.label), face())
            np.testing.assert_array_equal(read_thermal(sample.image).values, temperatures(FRAMES.index(sample.name)))
    assert "subjects to validate on: sub003" in capfd.readouterr().out


def test_the_config_is_ready_and_short(tmp_path, frames, labels):
    assert convert(tmp_path, frames, labels) == 0
    path = tmp_path / "data/config.yaml"
    assert len(path.read_text().splitlines()) <= 20
    config, _ = load_config(path)
    assert config.data.data_dir == [str(tmp_path / "data")]
    assert (config.data.num_classes, config.data.class_names, len(config.data.palette)) == (4, NAMES, 4)
    assert run_phase(["--configs", str(path), "--phase", "check", "--out_dir", str(tmp_path / "check")]) == 0


def test_the_shipped_classes_keep_the_last_layer_and_the_colours_of_the_network(tmp_path, frames):
    shipped = load_config(Path(__file__).parents[2] / "configs/wild/face.yaml")[0].data
    labels = write_labels(tmp_path / "labels", FRAMES, classes=shipped.class_names)
    assert convert(tmp_path, frames, labels) == 0
    tree = yaml.safe_load((tmp_path / "data/config.yaml").read_text())
    assert tree["data"]["palette"] == shipped.palette
    assert "loss" not in tree
    assert tree["network"] == {"pretrained": tree["network"]["pretrained"]}


@pytest.mark.parametrize("size", [(35, 30), (140, 128), (70, 60)])
def test_frames_are_scaled_to_fit_as_in_predictions(tmp_path, frames, labels, size):
    assert convert(tmp_path, frames, labels, "--size", *map(str, size)) == 0
    sample = find_pairs(tmp_path / "data/val").samples[0]
    label, values = read_label(sample.label), read_thermal(sample.image).values
    assert label.shape == values.shape == (60 * size[0] // 70, size[0])
    warm = np.abs(values - (24 + 5 * label)) < 1
    assert warm.mean() > 0.8


def test_a_second_run_replaces_what_it_wrote_when_told(tmp_path, frames, labels, capsys):
    assert convert(tmp_path, frames, labels) == 0
    before = files_in(tmp_path / "data")
    assert convert(tmp_path, frames, labels) == 0
    assert files_in(tmp_path / "data") == before
    write_labels(labels, FRAMES)
    (labels / f"{FRAMES[0]}.json").unlink()
    (labels / f"{FRAMES[1]}.json").unlink()
    assert convert(tmp_path, frames, labels) == 2
    assert "--overwrite y" in capsys.readouterr().err
    assert convert(tmp_path, frames, labels, "--overwrite", "y") == 0
    assert not [file for file in files_in(tmp_path / "data") if "sub001" in file]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty; label its frame anew"),
        ("{", "not JSON"),
        (
            '{"shapes": [{"label": "skin", "points": [[1, 1]]}], "imageHeight": 60, "imageWidth": 70}',
            "polygon of 1 points",
        ),
        ('{"shapes": [{}], "imageHeight": 6, "imageWidth": 7}', "picture has 7x6 pixels"),
    ],
)
def test_labels_that_cannot_be_used_change_nothing_or_are_left_out(tmp_path, frames, labels, content, message, capsys):
    (labels / f"{FRAMES[0]}.json").write_text(content)
    assert convert(tmp_path, frames, labels) == 2
    error = capsys.readouterr().err
    assert f"{FRAMES[0]}.json" in error
    assert message in error
    assert "nothing was written; --skip_bad y" in error
    assert not (tmp_path / "data").exists()
    assert convert(tmp_path, frames, labels, "--skip_bad", "y") == 1
    assert message in (tmp_path / "data/skipped.csv").read_text()
    assert not [file for file in files_in(tmp_path / "data") if FRAMES[0] in file]


def test_an_unknown_label_and_a_label_without_a_frame_are_told(tmp_path, frames, labels, capsys):
    path = labels / f"{FRAMES[1]}.json"
    path.write_text(path.read_text().replace('"nose"', '"nsoe"'))
    assert convert(tmp_path, frames, labels) == 2
    assert (
        f"{path}, shape 2 (nsoe): the label 'nsoe' is no class; the classes are {', '.join(NAMES)}"
        in capsys.readouterr().err
    )
    assert convert(tmp_path, frames, labels, "--rename", "nsoe=nose") == 0
    (frames / f"{FRAMES[2]}.npy").unlink()
    assert convert(tmp_path, frames, labels, "--rename", "nsoe=nose", out="other") == 2
    assert f"no frame {FRAMES[2]} in {frames}" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_frames_that_nobody_labelled_are_left_out_and_named(tmp_path, frames, labels, capfd):
    content = json.loads((labels / f"{FRAMES[0]}.json").read_text())
    (labels / f"{FRAMES[0]}.json").write_text(json.dumps({**content, "shapes": []}))
    assert convert(tmp_path, frames, labels) == 0
    assert f"left out: 1 without shapes ({FRAMES[0]})" in capfd.readouterr().out
    assert FRAMES[0] in (tmp_path / "data/skipped.csv").read_text()


@pytest.mark.parametrize("tool", ["labelme", "coco", "cvat"])
def test_masks_become_labels_of_tools_and_come_back(tmp_path, frames, tool):
    (tmp_path / "masks").mkdir()
    for name in FRAMES:
        Image.fromarray(face()).save(tmp_path / "masks" / f"{name}.png")
    classes = ("data.num_classes=4", f"data.class_names={json.dumps(NAMES)}")
    assert convert(tmp_path, frames, tmp_path / "masks", "--from", "numbers", "--to", tool, *classes, out="tool") == 0
    picture = np.asarray(Image.open(tmp_path / "tool" / f"{FRAMES[0]}.png"))
    assert (picture.shape, picture.dtype) == (SIZE, np.uint8)
    assert picture[face() == 3].min() > picture[face() == 0].max()
    assert convert(tmp_path, frames, tmp_path / "tool", "--from", tool, "--size", "none", "--uncorrected", "y") == 0
    for sample in find_pairs(tmp_path / "data/train").samples:
        assert least_iou(read_label(sample.label), face()) >= 0.98
    assert load_config(tmp_path / "data/config.yaml")[0].data.class_names == NAMES


def test_labels_that_a_person_corrected_are_never_replaced(tmp_path, frames, labels, capsys):
    assert convert(tmp_path, frames, labels, "--to", "labelme", out="tool") == 0
    assert convert(tmp_path, frames, labels, "--to", "labelme", out="tool") == 0
    corrected = tmp_path / "tool" / f"{FRAMES[0]}.json"
    corrected.write_text(corrected.read_text().replace("nose", "upper lip"))
    before = corrected.read_text()
    assert convert(tmp_path, frames, labels, "--to", "labelme", out="tool") == 2
    assert "changed since" in capsys.readouterr().err
    assert corrected.read_text() == before
    assert convert(tmp_path, frames, labels, "--to", "labelme", out="labels") == 2


def test_labels_that_nobody_has_corrected_are_left_out_unless_they_are_asked_for(tmp_path, frames, labels, capsys):
    assert convert(tmp_path, frames, labels, "--to", "labelme", out="tool") == 0
    assert convert(tmp_path, frames, tmp_path / "tool") == 2
    assert "holds 5 files that nobody has changed since they were predicted" in capsys.readouterr().err
    for name in (FRAMES[1], FRAMES[4]):
        path = tmp_path / "tool" / f"{name}.json"
        path.write_text(path.read_text() + " " * 9)
    assert convert(tmp_path, frames, tmp_path / "tool") == 0
    assert "left out: 3 that nobody has changed" in capsys.readouterr().out
    assert files_in(tmp_path / "data/train/image") == [f"{FRAMES[4]}.npy"]
    assert convert(tmp_path, frames, tmp_path / "tool", "--uncorrected", "y", out="all") == 0
    assert len(files_in(tmp_path / "all/train/image")) == 4


def test_frames_of_one_file_and_grey_levels_are_written_one_by_one(tmp_path):
    np.save(tmp_path / "sequence.npy", np.stack([temperatures(index) for index in range(4)]))
    names = [f"sequence_{index:06d}" for index in (0, 2, 3)]
    labels = write_labels(tmp_path / "labels", names)
    assert convert(tmp_path, tmp_path / "sequence.npy", labels, "--split", "time", "--size", "none") == 0
    assert files_in(tmp_path / "data/train/image") == [f"{name}.npy" for name in names[:2]]
    np.testing.assert_array_equal(np.load(tmp_path / f"data/val/image/{names[2]}.npy"), temperatures(3))

    (tmp_path / "grey").mkdir()
    for name in names:
        Image.fromarray(face() * 60).save(tmp_path / "grey" / f"{name}.png")
    assert convert(tmp_path, tmp_path / "grey", labels, "--split", "frame", out="of_grey") == 0
    assert files_in(tmp_path / "of_grey/val/image") == [f"{names[2]}.png"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--rename", "nose"], "--rename: expected OLD=NEW"),
        (["--subject_pattern", "("], "--subject_pattern: expected a regular expression"),
        (["--no_such_flag"], "unknown flag"),
        (["--from", "coco"], "expected the .json file of COCO"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, frames, labels, more, message, capsys):
    assert convert(tmp_path, frames, labels, *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
