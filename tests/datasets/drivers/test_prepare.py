"""Preparation of drivers: each frame in its person's split with the hulls of its landmarks; each bad one named."""

import csv
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from lib.datasets.check.subjects import subjects_of
from lib.datasets.drivers.prepare import Options, prepare
from lib.datasets.drivers.raw import find_frames
from lib.datasets.landmarks import draw_labels, standard_groups
from lib.thermal.resize import resize_image, resize_label
from lib.utils.errors import ConfigError, DataError, OutputError
from tests.datasets.drivers.helpers import SIZE, landmarks_file, write_clone
from tests.datasets.landmarks.helpers import points_of, yolo_line

OPTIONS = Options(val_subjects=("2_Man",))
APART = Options(val_subjects=("2_Man",), unconstrained="glasses")


@pytest.fixture
def clone(tmp_path):
    return write_clone(tmp_path / "clone")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "Processed"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def rows(path: Path) -> dict[str, dict[str, str]]:
    with open(path, newline="") as file:
        return {row["frame"]: row for row in csv.DictReader(file)}


def reasons(out: Path) -> dict[str, str]:
    with open(out / "skipped.csv", newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


def grey(path: Path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_frames_are_split_by_person_and_stay_grey(clone, out):
    summary = prepare(clone, out, OPTIONS)
    assert (summary.written, summary.left_out, summary.skipped) == ({"train": 6, "val": 6}, 0, [])
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "frames.csv",
        "prepare.json",
        "skipped.csv",
        "train",
        "val",
    ]
    stems = [f"2-Man_{kind}_0000{index}" for kind in ("Glasses2_Normal", "NoGlasses_Yawning2") for index in range(3)]
    assert names(out / "val/image") == names(out / "val/label") == [f"{stem}.png" for stem in stems]
    source = clone / "2_Man_NoGlasses_Yawning2"
    image = grey(out / "val/image" / f"{stems[-1]}.png")
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, grey(source / "Jpg/Imag_00002.jpg"))
    label = grey(out / "val/label" / f"{stems[-1]}.png")
    np.testing.assert_array_equal(label, draw_labels(points_of(54, *SIZE), SIZE, standard_groups(54)))
    landmarks = landmarks_file(clone, source.name, 2)
    assert (out / "val/ann" / f"{stems[-1]}.txt").read_bytes() == landmarks.read_bytes()


def test_glasses_are_kept_apart(clone, out):
    summary = prepare(clone, out, APART)
    assert summary.written == {"train": 3, "val": 3, "unconstrained": 3}
    assert summary.left_out == 3
    assert {name[:14] for name in names(out / "unconstrained/image")} == {"2-Man_Glasses2"}
    assert all("NoGlasses" in name for split in ("train", "val") for name in names(out / split / "image"))


def test_what_is_known_of_frames_is_written(clone, out):
    prepare(clone, out, APART)
    known = rows(out / "frames.csv")
    assert len(known) == 9
    assert known["2-Man_NoGlasses_Yawning2_00001"] == {
        "frame": "2-Man_NoGlasses_Yawning2_00001",
        "subject": "2_Man",
        "sequence": "2_Man_NoGlasses_Yawning2",
        "glasses": "no",
        "yawning": "yes",
        "confidence": "0.9100",
    }
    assert known["2-Man_NoGlasses_Yawning2_00000"]["yawning"] == "no"
    assert known["2-Man_Glasses2_Normal_00000"]["glasses"] == "yes"


def test_yawning_is_unknown_without_annotations_unless_the_sequence_is_a_normal_one(clone, out):
    (clone / "2_Man_NoGlasses_Yawning2/yawning_annotations.txt").unlink()
    said = {frame.sequence: frame.yawning for frame in find_frames(clone, ["2_Man"]).frames}
    assert said["2_Man_NoGlasses_Yawning2"] == ""
    assert said["1_Man_NoGlasses_Normal"] == "no"


def test_the_check_of_data_tells_the_persons_apart(clone):
    found = find_frames(clone, ["2_Man"]).frames
    subjects = subjects_of([frame.name for frame in found]).of
    assert {frame.subject.replace("_", "-").lower() for frame in found} == set(subjects.values())


def test_frames_are_reduced_by_majority(clone, out):
    prepare(clone, out, Options((24, 32), ("2_Man",)))
    source = grey(clone / "1_Man_NoGlasses_Normal/Jpg/Imag_00000.jpg").astype(np.float32)
    image = grey(out / "train/image/1-Man_NoGlasses_Normal_00000.png")
    np.testing.assert_array_equal(image, np.rint(resize_image(source, (24, 32))))
    drawn = draw_labels(points_of(54, *SIZE), SIZE, standard_groups(54))
    label = grey(out / "train/label/1-Man_NoGlasses_Normal_00000.png")
    np.testing.assert_array_equal(label, resize_label(drawn, (24, 32), "majority"))


def test_each_nth_frame_of_a_sequence_is_taken(clone, out):
    assert prepare(clone, out, Options(None, ("2_Man",), None, 2)).written == {"train": 4, "val": 4}
    assert "1-Man_NoGlasses_Normal_00002.png" in names(out / "train/image")
    assert "1-Man_NoGlasses_Normal_00001.png" not in names(out / "train/image")


def test_bad_frames_are_skipped_by_name(clone, out):
    sequence, line = "1_Man_NoGlasses_Normal", yolo_line(points_of(54, *SIZE), SIZE)
    landmarks_file(clone, sequence, 0).write_text(f"{line}\n{line}")
    landmarks_file(clone, sequence, 1).write_text(yolo_line(points_of(54, *SIZE) + 40, SIZE))
    landmarks_file(clone, sequence, 2).unlink()
    (clone / "1_Man_Glasses1_Yawning/Jpg/Imag_00000.jpg").write_bytes(b"no picture")
    (clone / "1_Man_Glasses1_Yawning/Jpg/Imag_00001.jpg").unlink()
    (clone / "holiday/Jpg").mkdir(parents=True)
    summary = prepare(clone, out, OPTIONS)
    assert summary.written == {"train": 1, "val": 6}
    found = reasons(out)
    assert dict(summary.skipped) == found
    for name, said in (
        ("1-Man_NoGlasses_Normal_00000", "several faces"),
        ("1-Man_NoGlasses_Normal_00001", "pixels outside the frame of 48x64"),
        ("1-Man_NoGlasses_Normal_00002", "no landmarks"),
        ("1-Man_Glasses1_Yawning_00000", "not what its name says"),
        ("1-Man_Glasses1_Yawning_00001", "no frame"),
        ("holiday", "not named as a sequence"),
    ):
        assert said in found.pop(name)
    assert not found
    assert len(rows(out / "frames.csv")) == 7


def test_what_is_done_is_kept_and_what_changed_is_made_anew(clone, out):
    prepare(clone, out, OPTIONS)
    before = (out / "frames.csv").read_bytes()
    path = out / "val/image/2-Man_Glasses2_Normal_00001.png"
    path.write_bytes(b"")  # as after a power cut
    summary = prepare(clone, out, OPTIONS, workers=2)
    assert (summary.written, summary.kept) == ({"val": 1}, {"train": 6, "val": 5})
    np.testing.assert_array_equal(grey(path), grey(clone / "2_Man_Glasses2_Normal/Jpg/Imag_00001.jpg"))
    assert (out / "frames.csv").read_bytes() == before


def test_other_options_or_frames_are_not_mixed_in(clone, out):
    prepare(clone, out, OPTIONS)
    with pytest.raises(DataError, match="other options.*every was 1, now 2"):
        prepare(clone, out, Options(None, ("2_Man",), None, 2))
    (out / "train/image/x.png").touch()
    with pytest.raises(DataError, match="holds 1 frames that RAW_DIR doesn't"):
        prepare(clone, out, OPTIONS)
    (out / "train/image/x.png").unlink()
    assert prepare(clone, out, APART, overwrite=True).written == {"train": 3, "val": 3, "unconstrained": 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(target_res=(0, 3)), "--target_res"),
        (Options(unconstrained="hats"), "--unconstrained: expected glasses"),
        (Options(every=0), "--every"),
    ],
)
def test_options_that_make_no_sense_are_config_errors(clone, out, options, message):
    with pytest.raises(ConfigError, match=message):
        prepare(clone, out, options)


def test_files_that_no_preparation_wrote_are_neither_replaced_nor_removed(clone, out):
    prepare(clone, out, OPTIONS)
    label = out / "train/label/1-Man_NoGlasses_Normal_00001.png"
    label.write_bytes(b"mended by hand, with as many bytes as it takes" * 20)
    for mine in (label, out / "train/label/mine.png"):
        mine.write_bytes(b"mended by hand, with as many bytes as it takes" * 20)
        with pytest.raises(OutputError, match=re.escape(str(mine.relative_to(out)))):
            prepare(clone, out, APART, overwrite=True)
        mine.unlink()
    (out / "train/image" / label.name).unlink()
    label.write_bytes(b"mine")
    os.utime(label, (0, 0))
    with pytest.raises(OutputError, match=re.escape(label.name)):
        prepare(clone, out, OPTIONS)
    assert label.read_bytes() == b"mine"


def test_frames_are_not_prepared_into_the_clone(clone):
    with pytest.raises(ConfigError, match="is read from.*OUT_DIR"):
        prepare(clone, clone, OPTIONS)


def test_folders_that_are_no_clone_are_refused(clone, out, tmp_path):
    with pytest.raises(DataError, match="CLONE_DIR is no folder"):
        prepare(tmp_path / "none", out)
    with pytest.raises(DataError, match="no sequences in CLONE_DIR"):
        prepare(tmp_path, out)
    with pytest.raises(DataError, match="none of the validation subjects"):
        prepare(clone, out, Options(val_subjects=("7_Man",)))
