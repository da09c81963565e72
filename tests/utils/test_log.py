"""The log: lines wait for the file that is opened late, and neither memory nor disk fills up."""

import logging

import pytest

from lib.utils.log import log_to_file, log_to_terminal

logger = logging.getLogger("samcl")


@pytest.fixture(autouse=True)
def log_to_terminal_alone():
    """Before a test and after it."""
    log_to_terminal("error", "%(message)s")
    yield
    log_to_terminal("error", "%(message)s")


def test_the_log_file_begins_with_the_lines_from_before_it_was_opened(tmp_path):
    logger.info("before")
    log_to_file(tmp_path / "a.log", "info", "%(message)s")
    logger.info("after")
    assert (tmp_path / "a.log").read_text() == "before\nafter\n"


def test_a_run_without_log_file_does_not_keep_its_lines():
    for number in range(2000):
        logger.info("%d", number)
    kept = [record for handler in logger.handlers for record in getattr(handler, "buffer", ())]
    assert len(kept) <= 1000


def test_the_log_file_is_bounded(tmp_path):
    log_to_file(tmp_path / "a.log", "info", "%(message)s", max_mb=1)
    for number in range(3000):
        logger.info("%05d %s", number, "x" * 995)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["a.log", "a.log.1"]
    assert sum(file.stat().st_size for file in files) <= 1e6
    assert files[0].read_text().splitlines()[-1].startswith("02999")
