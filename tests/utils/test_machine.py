"""What is asked of the machine: memory that is freed is taken again, where the C library can be told to."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
from lib.utils.machine import keep_freed_memory
{}
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"x" * 2**26
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's malloc can be told")
def test_large_blocks_are_kept_for_the_next():
    before, after = (
        int(subprocess.run([sys.executable, "-c", FAULTS.format(call)], capture_output=True, check=True).stdout)
        for call in ("", "keep_freed_memory()")
    )
    assert before > 100  # otherwise this test shows nothing
    assert after < before / 20
