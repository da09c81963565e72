"""The check of a data set: every fault that is put into a good one is found, by its kind and its file."""

import json

import cv2
import numpy as np
import pytest

from lib.datasets.build import contrast_in_training
from lib.datasets.check import check_data, faults_of_some, find_parts
from lib.datasets.check.subjects import subjects_of
from lib.thermal import Reading
from lib.utils.config import Config

SIZE = (12, 16)
REMAP = [0, 1, 2, 3, 3, 4, 4, 5]


def write_frame(root, split, name, rng, offset=20.0):
    """A frame in deg C between ``offset`` and 14 degrees above, with all eight label values."""
    for folder in ("image", "label"):
        (root / split / folder).mkdir(parents=True, exist_ok=True)
    label = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 8
    frame = offset + 2 * label + rng.normal(0, 0.1, SIZE)
    np.save(root / split / "image" / f"{name}.npy", frame.astype(np.float32))
    cv2.imwrite(str(root / split / "label" / f"{name}.png"), label.astype(np.uint8))


@pytest.fixture
def root(tmp_path):
    """Three training subjects of two frames each, and one validation subject of two."""
    rng = np.random.default_rng(0)
    for subject in (1, 2, 3, 4):
        for frame in (0, 1):
            split = "val" if subject == 4 else "train"
            write_frame(tmp_path, split, f"irface_sub00{subject}_seq01_frm{frame}", rng)
    return tmp_path


def check(*roots, **options):
    return check_data(roots, 6, REMAP, **options)


def image(root, subject, frame=0, split="train"):
    return root / split / "image" / f"irface_sub00{subject}_seq01_frm{frame}.npy"


def label(root, subject, frame=0, split="train"):
    return root / split / "label" / f"irface_sub00{subject}_seq01_frm{frame}.png"


def kinds(findings):
    return [finding.kind for finding in findings]


def test_a_good_data_set_has_neither_errors_nor_warnings(root):
    report = check(root)
    assert (report.errors, report.warnings) == ([], [])


def test_what_it_holds_is_counted(root):
    train, val = check(root).splits.values()
    assert (train["frames"], val["frames"]) == (6, 2)
    assert (train["shapes"], train["dtypes"], train["units"]) == ({"12x16": 6}, {"float32": 6}, {"deg C": 6})
    frames = [np.load(path) for path in (root / "train/image").iterdir()]
    assert train["range"]["min"] == pytest.approx(np.min(frames))
    assert train["range"]["max"] == pytest.approx(np.max(frames))
    assert train["range"]["median"] == pytest.approx(np.median([np.median(frame) for frame in frames]))
    assert train["subjects"] == {"sub001": 2, "sub002": 2, "sub003": 2}
    assert val["subjects"] == {"sub004": 2}


def test_class_frequencies_are_those_of_a_pixel_count(root):
    names = list("abcdef")
    values = np.full(SIZE, 3, np.uint8)
    values[0, :5] = 255
    cv2.imwrite(str(label(root, 1)), values)
    train = check(root, class_names=names).splits["train"]
    pixels = np.concatenate([cv2.imread(str(p), 0).ravel() for p in (root / "train/label").iterdir()])
    labelled = np.asarray(REMAP)[pixels[pixels != 255]]
    expected = [
        {
            "name": name,
            "pixels": np.sum(labelled == index),
            "share": np.mean(labelled == index),
            "frames": 6 if index == 3 else 5,
        }
        for index, name in enumerate(names)
    ]
    assert train["classes"] == expected
    assert train["ignored"] == 5 / pixels.size
    assert train["label_values"] == {str(value): np.sum(pixels == value) for value in (*range(8), 255)}


def break_frame(path, change):
    frame = np.load(path)
    np.save(path, change(frame))


def put(value, *places):
    def change(frame):
        for place in places:
            frame[place] = value
        return frame

    return change


def cut_off(path):
    path.write_bytes(path.read_bytes()[:300])


def copy_into_val(root):
    np.save(image(root, 4, 1, "val"), np.load(image(root, 2)).astype(np.float64))


FAULTS = {
    "no label": ("pairs", lambda root: label(root, 1).unlink(), "irface_sub001_seq01_frm0"),
    "no frame": ("pairs", lambda root: image(root, 1).unlink(), "irface_sub001_seq01_frm0"),
    "stem twice": ("names", lambda root: cv2.imwrite(str(image(root, 1).with_suffix(".tif")), np.zeros(SIZE)), ".tif"),
    "no folder": ("folders", lambda root: (root / "val").rename(root / "away"), "val/image"),
    "no frames": ("folders", lambda root: [path.unlink() for path in (root / "val").rglob("*.*")], "val/image"),
    "cut off": ("unreadable frames", lambda root: cut_off(image(root, 2)), "sub002"),
    "channels": ("unreadable frames", lambda root: np.save(image(root, 2), np.zeros((*SIZE, 3))), "sub002"),
    "pickled": ("unreadable frames", lambda root: np.save(image(root, 2), np.array([None])), "sub002"),
    "NaN": ("not finite", lambda root: break_frame(image(root, 3), put(np.nan, (0, 0))), "sub003"),
    "infinite": ("not finite", lambda root: break_frame(image(root, 3), put(-np.inf, (0, 0))), "sub003"),
    "no picture": ("unreadable labels", lambda root: label(root, 3).write_bytes(b"\x89PNG\r\n"), "sub003"),
    "colours": ("unreadable labels", lambda root: cv2.imwrite(str(label(root, 3)), np.zeros((*SIZE, 3))), "sub003"),
    "size": ("sizes", lambda root: cv2.imwrite(str(label(root, 3)), np.zeros((5, 16))), "the label is 5x16"),
    "value": ("label values", lambda root: cv2.imwrite(str(label(root, 1)), np.full(SIZE, 8, np.uint8)), "value 8"),
    "unit": ("units", lambda root: break_frame(image(root, 1), lambda frame: frame + 273.15), "would give kelvin"),
    "subject": ("subjects", lambda root: write_frame(root, "val", "x_sub002_y", np.random.default_rng(9)), "sub002"),
    "copy": ("equal frames", copy_into_val, "sub002"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_an_error_that_names_its_place(root, fault):
    kind, cause, place = FAULTS[fault]
    cause(root)
    errors = check(root).errors
    assert set(kinds(errors)) == {kind}
    assert any(place in str(error) for error in errors)


def test_faults_come_all_together_and_hide_nothing_of_the_rest(root):
    chosen = ("no label", "cut off", "NaN", "no picture", "subject")
    for fault in chosen:
        FAULTS[fault][1](root)
    report = check(root)
    assert {FAULTS[fault][0] for fault in chosen} <= set(kinds(report.errors))
    assert report.splits["train"]["frames"] == 5
    assert report.splits["train"]["nan"] == 1
    assert report.splits["train"]["shapes"] == {"12x16": 3}


SUSPICIONS = {
    "constant": ("constant frames", lambda root: break_frame(image(root, 1), np.ones_like)),
    "empty": ("empty labels", lambda root: cv2.imwrite(str(label(root, 1)), np.full(SIZE, 255, np.uint8))),
    "repeated": ("equal frames", lambda root: np.save(image(root, 1), np.load(image(root, 2)))),
    "dtypes": ("dtypes", lambda root: break_frame(image(root, 1), lambda frame: frame.astype(np.float64))),
}


@pytest.mark.parametrize("name", SUSPICIONS)
def test_suspicions_are_warnings(root, name):
    kind, cause = SUSPICIONS[name]
    cause(root)
    report = check(root)
    assert report.errors == []
    assert kind in kinds(report.warnings)


def test_a_class_that_is_never_seen_is_a_warning(root):
    report = check_data([root], 7, REMAP, [*"abcdef", "ear"])
    assert [(entry.kind, entry.details) for entry in report.warnings] == [("classes", ("ear",))] * 2


def test_labels_that_are_all_ignored_are_an_error(root):
    for split in ("train", "val"):
        for path in (root / split / "label").iterdir():
            cv2.imwrite(str(path), np.full(SIZE, 255, np.uint8))
    errors = check(root).errors
    assert kinds(errors) == ["classes", "classes"]
    assert all("every label is ignored" in str(error) and "255 (100.00 %)" in str(error) for error in errors)


def test_an_entry_for_255_is_honoured(root):
    for split in ("train", "val"):
        for path in (root / split / "label").iterdir():
            label = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            cv2.imwrite(str(path), np.where(label > 3, 255, 0).astype(np.uint8))
    remap = [0, *[-1] * 254, 1]
    report = check_data([root], 2, remap, ["room", "face"])
    assert (report.errors, report.warnings) == ([], [])
    assert [entry["share"] for entry in report.splits["train"]["classes"]] == [0.5, 0.5]
    lost = check_data([root], 2, [0, 1], ["room", "face"])
    assert kinds(lost.errors) == ["classes"]
    assert "of one, room: there is nothing to tell apart; ignored values: 255 (50.00 %)" in str(lost.errors[0])


def test_frames_that_normalisation_leaves_no_contrast_are_told(root):
    measure = contrast_in_training(Config.model_validate({"normalize": {"window": [0.0, 10.0]}}))
    report = check(root, contrast=measure)
    assert [error.kind for error in report.errors] == ["contrast"]
    assert "normalize.window" in str(report.errors[0])
    assert [warning.kind for warning in report.warnings] == ["contrast"]  # of val, where nothing is learnt
    for number in (1, 2):
        break_frame(image(root, number), lambda frame: frame - 20)
    some = check(root, contrast=measure)
    assert some.errors == []
    assert some.warnings[0].kind == "contrast"
    assert "4 frames of 6" in str(some.warnings[0])


def as_integers(root, **scales):
    """All frames as hundredths of a kelvin, or by a subject's name in other steps."""
    for path in root.rglob("*.npy"):
        scale = next((scale for name, scale in scales.items() if name in path.name), 100)
        break_frame(path, lambda frame, scale=scale: np.round((frame + 273.15) * scale).astype(np.uint16))


def test_integers_are_checked_in_deg_c_as_they_are_trained_on(root):
    before = check(root).splits["train"]["range"]
    as_integers(root)
    report = check(root)
    assert (report.errors, report.warnings) == ([], [])
    assert report.splits["train"]["units"] == {"centikelvin": 6}
    assert report.splits["train"]["range"] == pytest.approx(before, abs=0.006)


def test_a_frame_in_another_unit_than_the_others_is_an_error(root):
    as_integers(root, sub001=25)
    errors = check(root).errors
    assert kinds(errors) == ["units"]
    assert "sub001" in str(errors[0])


def test_integers_of_unclear_meaning_are_an_error_until_their_unit_is_said(root):
    for path in root.rglob("*.npy"):
        break_frame(path, lambda frame: np.round((frame - 15 + 273.15) * 100).astype(np.uint16))
    assert set(kinds(check(root).errors)) == {"units"}
    assert check(root, reading=Reading(preset="centikelvin")).errors == []


def test_leaks_are_errors_warnings_or_meant(root):
    write_frame(root, "val", "x_sub002_y", np.random.default_rng(9))
    assert kinds(check(root).errors) == ["subjects"]
    softened = check(root, leaks="warning")
    assert (softened.errors, kinds(softened.warnings)) == ([], ["subjects"])
    meant = check(root, leaks="meant")
    assert (meant.errors, meant.warnings) == ([], [])


def test_names_in_both_splits_are_an_error_where_both_train(root):
    write_frame(root, "val", "irface_sub001_seq01_frm0", np.random.default_rng(9))
    assert "names" not in kinds(check(root).errors)
    assert kinds(check(root, leaks="meant").errors) == ["names"]


def test_equal_names_in_different_roots_may_be_other_people(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for split, name in (("train", "irface_sub008_seq01_frm0"), ("val", "irface_sub001_seq01_frm0")):
        write_frame(other, split, name, np.random.default_rng(5 + len(split)))
    report = check(root, other)
    assert report.errors == []
    assert [(entry.kind, entry.details) for entry in report.warnings] == [("subjects", ("sub001",))]
    assert "named twice" in str(check(root, root / ".." / root.name).errors[0])


@pytest.mark.parametrize(
    ("names", "subjects", "marked"),
    [
        (["irface_sub007_seq02_frm00086"], ["sub007"], True),
        (["sub-07_ses-1", "sub-08_ses-1"], ["sub-07", "sub-08"], True),
        (["a_Subject_3_b", "person12x"], ["subject_3", "person12"], True),
        (["Patient7", "patient7_b", "SUB001_a"], ["patient7", "patient7", "sub001"], True),
        (["Anna_1", "anna_2", "ben_1"], ["anna", "anna", "ben"], False),
        (["anna_1", "anna_2", "ben_1"], ["anna", "anna", "ben"], False),
        (["frame_1", "frame_2"], [], False),
        (["a_1", "b_1"], [], False),
        (["train0", "train1"], [], False),
        (["anna_1", "anna_2", "ben1"], [], False),
        (["resub1_x", "subs_1", "submarine"], [], False),
        ([], [], False),
    ],
)  # fmt: skip
def test_subjects_are_found_in_names(names, subjects, marked):
    found = subjects_of(names)
    assert [found.of[name] for name in names if name in found.of] == subjects
    assert found.marked == marked


def test_a_subject_in_both_splits_is_found_in_any_case(root):
    write_frame(root, "val", "irface_SUB002_seq01_frm0", np.random.default_rng(9))
    assert [(entry.kind, entry.details) for entry in check(root).errors] == [("subjects", ("sub002",))]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_pictures_are_grey_levels(root, suffix):
    for path in list(root.rglob("*.npy")):
        cv2.imwrite(str(path.with_suffix(suffix)), np.load(path).astype(np.uint8))
        path.unlink()
    report = check(root)
    assert report.splits["train"]["units"] == {"grey levels": 6}
    assert report.splits["train"]["dtypes"] == {"uint8": 6}
    assert "these are no temperatures" in str(report.warnings[0])


def test_long_lists_are_cut_in_the_text_and_whole_in_the_json(root):
    for path in (root / "train/label").iterdir():
        path.unlink()
    error = check(root).errors[0]
    assert str(error).endswith("and 1 more")
    content = json.loads(json.dumps(check(root).as_json()))
    assert len(content["errors"][0]["details"]) == 6


def test_some_frames_stand_for_a_part(root):
    parts, errors = find_parts([root])
    assert not errors
    assert [faults_of_some(part, 6, REMAP) for part in parts] == [[], []]
    assert kinds(faults_of_some(parts[0], 3)) == ["label values"] * 5
    break_frame(image(root, 1), put(np.nan, (0, 0)))
    assert kinds(faults_of_some(parts[0], 6, REMAP, most=3)) == ["not finite"]
    assert faults_of_some(parts[1], 6, REMAP) == []
