"""A disk that is small enough to be filled."""

import subprocess

import pytest

MEGABYTES = 2


@pytest.fixture
def small_disk(tmp_path):
    """The root of an empty file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"mounting a small tmpfs needs root: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def remount(small_disk):
    """Mounts the small disk again with other options, such as ``ro``."""

    def again(options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(small_disk)], check=True)

    return again
