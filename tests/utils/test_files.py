"""Files are written whole or not at all, and what stood under a name survives every fault."""

import errno
import os
from contextlib import suppress

import numpy as np
import pytest

from lib.utils.errors import OutputError
from lib.utils.files import atomic_write, keep_copy, remove_stale_temporaries


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_holds_its_content_and_nothing_else_is_left(tmp_path):
    with atomic_write(tmp_path / "new" / "a.txt", "w") as file:
        file.write("whole")
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"
    assert names_in(tmp_path / "new") == ["a.txt"]


def test_the_name_is_taken_by_the_whole_file_alone(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path, "w") as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_fault_leaves_what_stood_there_and_no_other_file(tmp_path, fault):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with atomic_write(path, "w") as file:
            file.write("half")
            raise fault

    with pytest.raises(fault):
        write()
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


def test_file_and_folder_are_synced_before_and_after_the_rename(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def record_sync(descriptor):
        events.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(os, "replace", lambda *names: (events.append("rename"), replace(*names)))
    with atomic_write(tmp_path / "a.txt", "w") as file:
        file.write("x")
    assert events == ["file", "rename", "folder"]


def fill(disk):
    """Leave no byte free."""
    with open(disk / "filler", "wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_is_named_with_its_space_and_the_remedy(small_disk):
    path = small_disk / "a.bin"
    path.write_bytes(b"old")
    fill(small_disk)
    expected = r"a\.bin: can't be written: No space left.*0 MB free in .*make room"
    with pytest.raises(OutputError, match=expected), atomic_write(path) as file:
        np.save(file, np.zeros(100_000))
    assert path.read_bytes() == b"old"
    assert names_in(small_disk) == ["a.bin", "filler"]


def test_a_disk_that_is_full_at_the_last_byte_leaves_no_half_file(small_disk):
    fill(small_disk)
    with pytest.raises(OutputError, match="No space left"), atomic_write(small_disk / "a.txt", "w") as file:
        file.write("buffered until the end")
    assert names_in(small_disk) == ["filler"]


def test_a_read_only_disk_is_named(small_disk, remount):
    (small_disk / "a.bin").write_bytes(b"old")
    remount("ro")
    with pytest.raises(OutputError, match=r"Read-only.*another"), atomic_write(small_disk / "a.bin") as file:
        file.write(b"new")
    assert (small_disk / "a.bin").read_bytes() == b"old"


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(OutputError, match="another folder"), atomic_write(tmp_path / "folder" / "a.bin") as file:
        file.write(b"new")


def test_a_missing_input_of_the_body_is_no_fault_of_the_output(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.bin") as file:
        file.write((tmp_path / "missing").read_bytes())
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_copy_is_whole_and_stays_when_the_original_is_replaced(tmp_path, monkeypatch, hard_links):
    if not hard_links:

        def refuse(*names):
            raise OSError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(os, "link", refuse)
    path, copy = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text("first")
    keep_copy(path, copy)
    keep_copy(path, copy)
    with atomic_write(path, "w") as file:
        file.write("second")
    assert (path.read_text(), copy.read_text()) == ("second", "first")
    assert names_in(tmp_path) == ["a.txt", "b.txt"]


def test_only_temporaries_of_the_names_given_are_removed(tmp_path):
    kept = [".ab_latest.pth.12.tmp", "a_latest.pth", ".a_latest.pth.tmp", "a_latest.pth.12.tmp", ".a_latest.pth.x.tmp"]
    for name in [".a_latest.pth.12.tmp", ".a_latest.pth.345.tmp", *kept]:
        (tmp_path / name).touch()
    remove_stale_temporaries(tmp_path, r"a_latest\.pth")
    assert names_in(tmp_path) == sorted(kept)
    remove_stale_temporaries(tmp_path / "missing", ".*")
