"""Splits: no subject on both sides, about a fifth to validate on, and whose frames they are is known or asked for."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets.split import split_by_frame, split_by_subject, split_by_time, subjects_by_name, subjects_in_table
from lib.utils.errors import ConfigError, DataError

NAMES = [f"sub{subject:03d}_f{frame}" for subject in range(5) for frame in range(4 + subject)]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=12))
def test_subjects_are_on_one_side_and_both_sides_have_some(frames):
    subjects = {f"s{subject}_{index}": f"s{subject}" for subject, count in enumerate(frames) for index in range(count)}
    split = split_by_subject(subjects)
    sides = Counter((subjects[name], side) for name, side in split.items())
    assert len(sides) == len(frames)
    assert {side for _, side in sides} == {"train", "val"}
    chosen = sorted(count for (_, side), count in sides.items() if side == "val")
    assert len(chosen) == 1 or sum(chosen[:-1]) < 0.2 * len(split)


def test_named_subjects_validate():
    split = split_by_subject(subjects_by_name(NAMES), ["sub003"])
    assert {name[:6] for name, side in split.items() if side == "val"} == {"sub003"}
    with pytest.raises(DataError, match="none of the validation subjects"):
        split_by_subject(subjects_by_name(NAMES), ["sub9"])


def test_one_subject_cannot_be_split():
    with pytest.raises(DataError, match=r"all 4 frames are of one subject \(sub000\).*--split time"):
        split_by_subject(subjects_by_name(NAMES[:4]))


@pytest.mark.parametrize(("split", "chosen"), [(split_by_time, [8, 9]), (split_by_frame, [4, 9])])
def test_splits_of_one_subject(split, chosen):
    names = [f"f{index}" for index in range(10)]
    assert [name for name, side in split(names).items() if side == "val"] == [f"f{index}" for index in chosen]
    assert Counter(split(names[:2]).values()) == {"train": 1, "val": 1}
    with pytest.raises(DataError, match="1 labelled frame"):
        split(names[:1])


@pytest.mark.parametrize(
    ("pattern", "subject"), [(None, "sub001"), (r"sub(\d+)", "001"), (r"\d+", "001"), (r"(?:sub)(\d)", "0")]
)
def test_names_tell_subjects_by_a_pattern(pattern, subject):
    assert subjects_by_name(["sub001_f7"], pattern) == {"sub001_f7": subject}


def test_names_that_tell_no_subject_are_listed_with_the_remedies():
    with pytest.raises(DataError, match=r"whose frames are a, b\?.*--subject_pattern.*--subject_table.*--split time"):
        subjects_by_name(["a", "b"])
    with pytest.raises(DataError, match=r"whose frames are c_1\?"):
        subjects_by_name(["anna_1", "c_1"], "(anna)_")


@pytest.mark.parametrize("pattern", ["(", "(a)(b)"])
def test_a_pattern_that_cannot_be_used_is_told(pattern):
    with pytest.raises(ConfigError, match="--subject_pattern"):
        subjects_by_name(["a"], pattern)


def test_a_table_says_the_subjects_by_frame_with_or_without_its_ending(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("frame,day,person\nf1.npy,1,anna\nf2,1,ben\nx.jpg_lfb.npy,2,anna\n\n")
    found = subjects_in_table(path, ["f1", "f2", "x.jpg_lfb"], "person")
    assert found == {"f1": "anna", "f2": "ben", "x.jpg_lfb": "anna"}
    with pytest.raises(DataError, match=r"people\.csv: whose frames are f3\?"):
        subjects_in_table(path, ["f1", "f3"], "person")
    with pytest.raises(DataError, match="columns frame and subject, got 'frame,day,person'; --subject_column"):
        subjects_in_table(path, ["f1"])
    with pytest.raises(DataError, match="unreadable table"):
        subjects_in_table(tmp_path / "none.csv", ["f1"])
