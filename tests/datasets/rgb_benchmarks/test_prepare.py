"""Preparing drawn downloads of the benchmarks: labels as they were, whatever file they came in; faults are named."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
import torch

from lib.datasets.rgb_benchmarks.prepare import prepare
from lib.datasets.rgb_benchmarks.raw import BENCHMARKS
from lib.synthetic.rgb import synthesize_benchmark
from lib.utils.errors import DataError, OutputError
from scripts.prepare_rgb import main

LAST_VALUE = {"cityscapes": 33, "ade20k": 150, "lip": 19, "pascal_context": 59, "coco_stuff": 182}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    """A drawn download of each benchmark, not to be changed."""
    root = tmp_path_factory.mktemp("downloads")
    for name in BENCHMARKS:
        synthesize_benchmark(name, root / name, train=2, val=1)
    return root


@pytest.fixture
def raw(downloads, tmp_path):
    """A copy of the download of a benchmark."""

    def copy(name):
        return Path(shutil.copytree(downloads / name, tmp_path / "raw"))

    return copy


def png(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def masks_of(name, raw):
    """The labels of a download by the names of prepared files, read without this project."""
    if name == "cityscapes":
        found = raw.glob("gtFine/*/*/*_labelIds.png")
        return {path.name.replace("gtFine_labelIds.png", "leftImg8bit"): png(path) for path in found}
    if name == "coco_stuff":
        return {path.stem: scipy.io.loadmat(path)["S"] for path in raw.glob("annotations/*.mat")}
    if name == "pascal_context":
        masks = {}
        for path in raw.glob("PytorchEncoding/*.pth"):
            masks |= torch.load(path, weights_only=False)
        return {f"2008_{number - 2008_000000:06d}": np.asarray(mask) for number, mask in masks.items()}
    return {path.stem: png(path) for path in raw.rglob("*.png")}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_labels_stay_as_they_were_in_the_download(name, downloads, tmp_path):
    summary = prepare(name, downloads / name, tmp_path)
    assert not summary.skipped
    assert (summary.written["train"], summary.written["val"]) == (2, 1)
    expected = masks_of(name, downloads / name)
    prepared = {path.stem: png(path) for path in tmp_path.glob("*/label/*.png")}
    assert prepared.keys() == expected.keys()
    for stem, label in prepared.items():
        assert label.dtype == np.uint8
        np.testing.assert_array_equal(label, expected[stem])
        (image,) = [path for path in tmp_path.glob("*/image/*") if path.stem == stem]
        assert png(image).shape == (*label.shape, 3)
    assert max(label[label < 255].max() for label in prepared.values()) == LAST_VALUE[name]
    tests = list(tmp_path.glob("test/image/*.png"))
    assert len(tests) == (name == "cityscapes")


def test_a_second_run_keeps_what_is_there_and_does_what_changed(raw, tmp_path):
    download, out = raw("lip"), tmp_path / "out"
    prepare("lip", download, out)
    assert prepare("lip", download, out).written.total() == 0
    path = next(download.rglob("train_segmentations/*.png"))
    label = png(path)
    path.unlink()
    cv2.imwrite(str(path), 19 - label)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
    assert prepare("lip", download, out).written == {"train": 1}
    np.testing.assert_array_equal(png(out / "train" / "label" / path.name), 19 - label)


def test_what_others_wrote_is_neither_replaced_nor_trained_on(downloads, tmp_path):
    prepare("lip", downloads / "lip", tmp_path)
    with pytest.raises(DataError, match="benchmark was lip, now ade20k"):
        prepare("ade20k", downloads / "ade20k", tmp_path)
    mine = next(tmp_path.glob("val/label/*.png"))
    mine.unlink()
    mine.write_bytes(b"drawn by hand, and not what was prepared")
    os.utime(mine, (0, 0))
    with pytest.raises(OutputError, match=mine.name):
        prepare("lip", downloads / "lip", tmp_path)
    prepare("ade20k", downloads / "ade20k", tmp_path / "other")
    stranger = tmp_path / "other" / "train" / "label" / "stranger.png"
    stranger.write_bytes(b"x")
    with pytest.raises(DataError, match="stranger"):
        prepare("ade20k", downloads / "ade20k", tmp_path / "other")


MISSING = [
    *(("cityscapes", "gtFine"), ("cityscapes", "leftImg8bit/val"), ("ade20k", "annotations/validation")),
    *(("lip", "TrainVal_images/val_id.txt"), ("lip", "TrainVal_parsing_annotations/train_segmentations")),
    *(("pascal_context", "PytorchEncoding/val.pth"), ("pascal_context", "JPEGImages")),
    *(("coco_stuff", "imageLists/test.txt"), ("coco_stuff", "annotations")),
]


@pytest.mark.parametrize(("name", "part"), MISSING)
def test_what_is_not_there_is_named(name, part, raw, tmp_path, capsys):
    download = raw(name)
    (shutil.rmtree if (download / part).is_dir() else os.remove)(download / part)
    assert main([name, str(download), str(tmp_path / "out"), "--workers", "0"]) == 2
    said = capsys.readouterr().err
    assert f"{part.split('/')[-1]}: not there" in said
    assert f"RAW of {BENCHMARKS[name].title} holds" in said
    assert not (tmp_path / "out").exists()


def test_unpacked_archives_may_have_a_folder_around_them(downloads, tmp_path):
    shutil.copytree(downloads / "ade20k", tmp_path / "raw" / "ADEChallengeData2016")
    assert prepare("ade20k", tmp_path / "raw", tmp_path / "out").written.total() == 3


def test_pictures_that_cannot_be_used_are_listed_with_the_reason(raw, tmp_path, capsys):
    download, out = raw("ade20k"), tmp_path / "out"
    first, second = sorted(download.glob("annotations/training/*.png"))
    cv2.imwrite(str(first), png(first)[1:])
    label = png(second)
    label[0, :2] = 151, 200
    cv2.imwrite(str(second), label)
    third = next(download.glob("images/validation/*.jpg"))
    shutil.copy(third, third.with_name("lonely.jpg"))
    assert main(["ade20k", str(download), str(out), "--workers", "0"]) == 1
    said = capsys.readouterr().out
    assert f"its label {label.shape[0]}x" not in said
    assert "(height x width), its label" in said
    assert "has values that are none of the benchmark's: [151, 200]" in said
    assert "lonely has no label" in said
    assert (out / "skipped.csv").read_text().count("\n") == 4
    assert main(["ade20k", str(download), str(out), "--workers", "0", "--skip_bad", "y"]) == 0


def test_masks_that_hold_no_integers_or_belong_to_no_picture_are_listed(raw, tmp_path):
    download = raw("pascal_context")
    path = download / "PytorchEncoding" / "train.pth"
    masks = {number: np.asarray(mask) for number, mask in torch.load(path, weights_only=False).items()}
    first = min(masks)
    masks |= {first: masks[first].astype(np.float32), 2010_123456: masks[first]}
    torch.save(masks, path)
    skipped = dict(prepare("pascal_context", download, tmp_path / "out").skipped)
    assert list(skipped) == ["2008_000001", "2010_123456"]
    assert "expected integers for 2008_000001, got float32" in skipped["2008_000001"]
    assert "there is no JPEGImages/2010_123456.jpg" in skipped["2010_123456"]
