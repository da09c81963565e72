"""Division of a few labelled frames: by subject, else by time, and never between neighbouring frames."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib.datasets.dataset import Sample
from lib.datasets.division import divide, find_division
from lib.utils.errors import DataError


def samples(names):
    return [Sample(name, Path(f"{name}.npy"), Path(f"{name}.png")) for name in names]


def names(found):
    return [sample.name for sample in found]


def write(folder, *frames, unlabelled=()):
    for kind in ("image", "label"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for name in (*frames, *unlabelled):
        np.save(folder / "image" / f"{name}.npy", np.zeros((4, 4), np.float32))
    for name in frames:
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "label" / f"{name}.png")


def test_one_subject_is_divided_by_time_with_the_last_fifth_to_validate_on():
    division = divide(samples(f"frame{number}" for number in range(20)))
    assert names(division.train) == [f"frame{number}" for number in range(16)]
    assert names(division.val) == [f"frame{number}" for number in range(16, 20)]
    assert not division.apart


def test_of_several_subjects_those_with_the_fewest_frames_are_validated_on():
    of = {"sub01": 6, "sub02": 2, "sub03": 1, "sub04": 5}
    division = divide(samples(f"{subject}_{number}" for subject, count in of.items() for number in range(count)))
    assert Counter(name[:5] for name in names(division.val)) == {"sub02": 2, "sub03": 1}
    assert "sub02, sub03" in division.how
    assert division.apart


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 1))
def test_every_frame_is_in_one_part_and_no_subject_in_two(counts):
    given_names = [f"sub{subject:02}_{number}" for subject, count in enumerate(counts) for number in range(count)]
    division = divide(samples(given_names))
    assert sorted(names(division.train) + names(division.val)) == sorted(given_names)
    assert division.train
    assert division.val
    assert division.apart == (len(counts) > 1)
    if division.apart:
        assert not {name[:5] for name in names(division.train)} & {name[:5] for name in names(division.val)}
        assert len(division.train) >= max(counts)


@pytest.mark.parametrize("place", ["", "Processed", "train", "Processed/train"])
def test_frames_that_nobody_divided_are_found_and_those_without_label_left_out(tmp_path, place):
    write(tmp_path / place, "a1", "a2", "a3", unlabelled=["a4"])
    (tmp_path / "Processed/val/image").mkdir(parents=True)
    (tmp_path / "Processed/val/label").mkdir()
    division = find_division(tmp_path)
    assert names(division.train) == ["a1", "a2"]
    assert names(division.val) == ["a3"]
    assert division.unlabelled == 1
    assert division.val[0].image == tmp_path / place / "image/a3.npy"


@pytest.mark.parametrize(("val", "apart"), [("sub02_1", True), ("sub01_2", False), ("other", True)])
def test_divided_frames_stay_as_they_are(tmp_path, val, apart):
    write(tmp_path / "train", "sub01_1")
    write(tmp_path / "val", val, unlabelled=["sub03_1"])
    division = find_division(tmp_path)
    assert (names(division.train), names(division.val)) == (["sub01_1"], [val])
    assert division.apart == apart
    assert division.unlabelled == 1


def test_where_names_tell_of_nobody_it_is_not_known_whether_people_are_apart(tmp_path):
    write(tmp_path / "train", "frame1")
    write(tmp_path / "val", "frame2")
    assert find_division(tmp_path).apart is None


def test_what_cannot_be_divided_is_said(tmp_path):
    with pytest.raises(DataError, match="no labelled frames; expected image/"):
        find_division(tmp_path)
    write(tmp_path, "one", unlabelled=["two"])
    with pytest.raises(DataError, match="it takes one to train on and one to validate on"):
        find_division(tmp_path)
    write(tmp_path, "two")
    (tmp_path / "image/two.csv").touch()
    with pytest.raises(DataError, match="two.npy: another file has the same stem"):
        find_division(tmp_path)
