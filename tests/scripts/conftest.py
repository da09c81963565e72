"""A place to try the shell scripts in.

A copy of ``scripts/`` in a temporary folder and a Python that only pretends to make environments and to install
keep the real environment out of it.
"""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TOOLS = ("awk", "bash", "cat", "cksum", "cp", "dirname", "env", "grep", "mkdir", "mv", "rm", "touch", "tr")

# Runs Python code with a few things faked, and writes down what else it is asked to do. {prelude} is Python.
FAKE_PYTHON = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$1" in
    -c) exec {python} -c {prelude}$'\\n'"$2" ;;
    --version) echo Python fake ;;
    -m)
        if [[ "$2" == venv ]]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; fi
        [[ "$2" != pip || -z "${{PIP_FAILS:-}}" ]] ;;
    *) exec {python} "$@" ;;
esac
"""
HEALTHY = "import sys, os; sys.prefix = os.environ['PREFIX']; sys.modules['torch'] = None"


class Sandbox:
    """A copy of the scripts in ``repo``, and a PATH of nothing but everyday tools and what a test adds to it."""

    def __init__(self, folder: Path) -> None:
        self.repo = folder / "a checkout"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        shutil.copytree(
            REPO / "scripts", self.repo / "scripts", ignore=shutil.ignore_patterns("__pycache__", "results")
        )
        for name in ("requirements.txt", "requirements-dev.txt"):
            shutil.copy(REPO / name, self.repo)
        self.bin.mkdir()
        for tool in TOOLS:
            # Never a link: a test that replaces a tool would write into the machine's own.
            self.add(tool, f'#!{shutil.which("bash")}\nexec {shutil.which(tool)} "$@"\n')
        self.set_free_disk(gigabytes=50)

    def add(self, path: Path | str, text: str) -> None:
        """An executable: a path, or a name on PATH."""
        path = self.bin / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def set_free_disk(self, gigabytes: int) -> None:
        """What df will say."""
        size = gigabytes * 2**20
        self.add("df", f"#!/usr/bin/env bash\necho header; echo disk {2 * size} {size} {size} 50% /\n")

    def add_python(self, path: Path | str = "python3", prelude: str = HEALTHY) -> None:
        text = FAKE_PYTHON.format(python=shlex.quote(sys.executable), prelude=shlex.quote(prelude))
        self.add(path, text)

    def bash(self, *command: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
        environment = {
            "PATH": str(self.bin),
            "HOME": "/home/someone",
            "CALLS": str(self.calls_file),
            "PREFIX": str(self.repo / ".venv"),
            **variables,
        }
        return subprocess.run(
            ["bash", *command], cwd=cwd or self.repo, env=environment, capture_output=True, text=True, timeout=60
        )

    def common(self, code: str, **variables: str) -> subprocess.CompletedProcess:
        return self.bash("-c", f"source scripts/common.sh; {code}", **variables)

    def calls(self, word: str) -> list[str]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [line for line in lines if word in line]


@pytest.fixture
def sandbox(tmp_path):
    return Sandbox(tmp_path)


@pytest.fixture
def ready(sandbox):
    """A sandbox with a .venv."""
    sandbox.add_python(sandbox.repo / ".venv/bin/python")
    return sandbox
