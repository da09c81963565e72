"""Standard input read in a thread."""

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CODE = """
import threading, time
from lib.utils.standard_input import open_standard_input
threading.Thread(target=open_standard_input().read, daemon=True).start()
time.sleep(0.2)
"""


def test_a_process_ends_while_a_thread_waits_for_standard_input():
    command = [sys.executable, "-c", CODE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPO) as process:
        assert process.wait(60) == 0, process.stderr.read().decode()
