"""From labels to classes: all ways to write one, and what has no class."""

import pytest

from lib.datasets.annotations.classes import ClassTable, Labels, classes_of, parse_renames
from lib.utils.errors import ConfigError, DataError

PLAIN = Labels({}, {})


@pytest.mark.parametrize(
    ("declared", "found", "names"),
    [
        (["nose", "background", "chin"], ["chin"], ["background", "nose", "chin"]),
        (["__ignore__", "_background_", "face"], [], ["background", "face"]),
        ([], ["nose", "chin", "ignore", "nose"], ["background", "chin", "nose"]),
        ([], ["10", "2", "0", "255"], ["background", "2", "10"]),
    ],
)
def test_classes_are_the_declared_labels_in_order_or_those_that_were_found(declared, found, names):
    assert classes_of(declared, found, PLAIN) == names


def test_renamed_labels_and_colours_become_one_class():
    labels = Labels(parse_renames(["left eye=eyes", "right eye=eyes", "hair=ignore"]), {"#800000": 1})
    assert classes_of([], ["left eye", "right eye", "hair", "#800000"], labels) == ["background", "1", "eyes"]


def test_a_label_is_a_name_a_number_or_a_colour_of_a_class():
    table = ClassTable(["room", "face", "hand"], Labels({"head": "face"}, {"#00ff00": 2}))
    found = [table.class_of(label, "a") for label in ("face", " hand ", "head", "2", "#00ff00")]
    assert found == [1, 2, 1, 2, 2]
    assert [table.class_of(label, "a") for label in ("room", "background", "Background", "0", "_background_")] == [
        0
    ] * 5
    assert [table.class_of(label, "a") for label in ("ignore", "255", "__ignore__", "void")] == [255] * 4


def test_numbers_are_remapped_as_the_config_says():
    table = ClassTable(["background", "face", "eyes"], PLAIN, [0, 1, 2, 2, -1])
    assert [table.class_of(str(number), "a") for number in range(1, 5)] == [1, 2, 2, 255]


@pytest.mark.parametrize("label", ["fcae", "3", "999", "#123456", "²"])
def test_a_label_without_a_class_is_named_with_its_place_and_the_remedies(label):
    with pytest.raises(DataError, match=rf"f1\.json, shape 2: the label '{label}' is no class.*face.*--rename"):
        ClassTable(["background", "face"], PLAIN).class_of(label, "f1.json, shape 2")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (["background"], "nothing to learn"),
        (["#123456", "face"], "#123456 have no name"),
        (map(str, range(1, 256)), "254"),
    ],
)
def test_labels_that_cannot_be_classes_are_told(found, message):
    with pytest.raises(DataError, match=message):
        classes_of([], [*found, *(["x"] if message == "254" else [])], PLAIN)


@pytest.mark.parametrize("word", ["face", "=face", "face=", ""])
def test_a_rename_has_two_sides(word):
    with pytest.raises(ConfigError, match="--rename: expected OLD=NEW"):
        parse_renames([word])
