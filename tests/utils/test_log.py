"""The log: lines wait for the file that is opened late, and neither memory nor disk fills up."""

import logging
import os
import subprocess
import sys
from pathlib import Path

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


LINES = """
import logging, sys
from lib.utils.log import log_to_file, log_to_terminal, show
log_to_terminal("info", "%(message)s")
log_to_file(sys.argv[1], "info", "%(message)s")
sys.stdin.readline()
for number in range(3):
    logging.getLogger("samcl").info("line %d of %s", number, "J\\udcfcrgen")
show("text")
"""


def log_lines(path, stdout, close=lambda: None):
    """Log three lines to standard output, which ``close`` closes before, and to a file; the file's and what is said."""
    command = [sys.executable, "-c", LINES, str(path)]
    root, pipe = Path(__file__).resolve().parents[2], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=stdout, stderr=pipe, text=True, cwd=root) as process:
        close()
        said = process.communicate("go on\n")[1]
    return path.read_text() if path.is_file() else "", said, process.returncode


WHOLE = "".join(f"line {number} of J\\udcfcrgen\n" for number in range(3))


def test_a_log_goes_on_when_standard_output_is_closed(tmp_path):
    read, write = os.pipe()

    def close():
        os.close(write)
        os.close(read)

    lines, said, status = log_lines(tmp_path / "a.log", write, close)
    assert lines == WHOLE
    assert said == "warning: standard output can't be written to (Broken pipe); the run goes on without\n"
    assert status == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk without room")
def test_a_log_goes_on_where_a_disk_is_full(tmp_path):
    with open("/dev/full", "w") as full:
        lines, said, status = log_lines(tmp_path / "a.log", full)
    assert (lines, status) == (WHOLE, 0)
    assert said == "warning: standard output can't be written to (No space left on device); the run goes on without\n"
    with open(tmp_path / "out", "w") as out:
        _, said, status = log_lines(Path("/dev/full"), out)
    assert (tmp_path / "out").read_text() == f"{WHOLE}text"
    assert said.count("\n") == 1
    assert "/dev/full: lines are missing from here on (No space left on device)" in said
    assert status == 0
