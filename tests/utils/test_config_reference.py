"""The reference of keys is whole, and ``configs/README.md`` holds the present one."""

from pathlib import Path

import pytest

from lib.utils.config.reference import HEADING, description_of, first_sentence, key_reference, update
from lib.utils.config.validate import all_keys

PAGE = Path(__file__).parents[2] / "configs" / "README.md"


def test_every_key_is_described_and_listed_once():
    keys, reference = all_keys(), key_reference()
    assert [key for key in keys if not description_of(key) or reference.count(f"| `{key}` |") != 1] == []
    assert len(keys) <= 190


def test_the_page_is_up_to_date():
    assert PAGE.read_text().endswith(key_reference()), "run: python -m lib.utils.config.reference configs/README.md"


def test_updating_keeps_what_stands_before_the_keys(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{HEADING}\n\nold\n")
    update(page)
    assert page.read_text() == "# Title\n\n" + key_reference()


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("solver.max_iters", "integer >= 1 | `40000` | steps | Steps of the run."),
        ("normalize.clip", "2 x number or null | `null` | deg C | [low, high]"),
        ("normalize.norm_mode", "`1`, `2` or null | `2` |  | Per-image"),
        ("checkpoints.keep", "integer 1 to 100 | `2` |"),
        ("data.drop_last", "yes or no | `true` |"),
    ],
)
def test_a_row_says_type_default_unit_and_meaning(key, row):
    assert f"| `{key}` | {row}" in key_reference()


def test_a_line_of_help_is_the_first_sentence():
    assert first_sentence("data.on_bad_sample").endswith("another and counted")
    assert first_sentence("checkpoints.keep").endswith("...")
