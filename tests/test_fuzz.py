"""What the generated cases promise: as many as said, across all that reads files and command lines."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fuzz

TESTS = Path(__file__).resolve().parent
PARSERS = {"config": 2000, "command_line": 500, "ljson": 300, "npy": 500, "png": 300, "checkpoint": 500}


@pytest.fixture(scope="module")
def declared():
    """Cases by test, of all modules that have any."""
    for path in TESTS.rglob("test_*.py"):
        if "@cases(" in path.read_text() and path != Path(__file__):
            importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
    return {name: number for name, number in fuzz.DECLARED.items() if not name.startswith(__name__)}


def test_the_ordinary_suite_runs_5000_cases(declared):
    assert sum(declared.values()) >= 5000


@pytest.mark.parametrize("parser", PARSERS)
def test_every_parser_has_its_share(declared, parser):
    assert sum(number for name, number in declared.items() if parser in name) >= PARSERS[parser]


def test_a_test_that_runs_fewer_cases_than_it_says_fails():
    @fuzz.cases(30)
    @given(st.booleans())
    def of_two_values(value):
        pass

    with pytest.raises(AssertionError):
        of_two_values()


@pytest.mark.parametrize("factor", [1, 2])
def test_a_test_runs_what_it_says_times_the_flag(monkeypatch, factor):
    monkeypatch.setattr(fuzz, "factor", factor)
    seen = []

    @fuzz.cases(30)
    @given(st.integers())
    def of_many_values(value):
        seen.append(value)

    of_many_values()
    assert len(seen) >= 30 * factor
