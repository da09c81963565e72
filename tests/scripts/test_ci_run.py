"""The check of every change: a missing browser is installed where CI is set, and never a condition."""

import shutil

import pytest

from tests.scripts.conftest import REPO

REAL = "#!/usr/bin/env bash\nexit 0\n"


@pytest.fixture
def ci(ready):
    """A sandbox whose ``.ci/run`` needs nothing but a Python that exists; it has apt, and no browser."""
    (ready.repo / ".ci").mkdir()
    shutil.copy(REPO / ".ci" / "run", ready.repo / ".ci")
    for tool in ("mktemp", "tail"):
        ready.add(tool, f'#!{shutil.which("bash")}\nexec {shutil.which(tool)} "$@"\n')
    ready.add(
        "apt-get", '#!/usr/bin/env bash\necho "apt-get $*" >>"$CALLS"; echo "E: a reason"; exit ${APT_STATUS:-0}\n'
    )
    return ready


def run(ci, **variables):
    """What it says, after all checks have run."""
    done = ci.bash(".ci/run", **variables)
    assert done.returncode == 0, done.stderr
    assert all(ci.calls(word) for word in ("ruff check", "ruff format", "mypy", "pytest"))
    return done.stdout + done.stderr


def test_a_person_is_told_the_command_and_nothing_is_installed(ci):
    said = run(ci)
    assert "sudo apt-get install --no-install-recommends chromium chromium-driver" in said
    assert "will be skipped" in said
    assert not ci.calls("apt-get")


def test_a_browser_that_is_there_is_not_installed_again(ci):
    for name in ("chromium", "chromedriver"):
        ci.add(name, REAL)
    assert "apt" not in run(ci, CI="true")
    assert not ci.calls("apt-get")


@pytest.mark.parametrize("there", ["chromium", "chromedriver"])
def test_where_ci_is_set_apt_installs_a_missing_browser_without_a_word(ci, there):
    ci.add(there, REAL)
    assert "a reason" not in run(ci, CI="true")
    update, install = ci.calls("apt-get")
    assert update == "apt-get update"
    assert install.startswith("apt-get install -y")
    assert {"chromium", "chromium-driver"} <= set(install.split())


def test_a_failing_apt_is_quoted_and_the_checks_go_on(ci):
    assert "apt could not: E: a reason" in run(ci, CI="true", APT_STATUS="100")


def test_without_apt_the_checks_go_on(ci):
    (ci.bin / "apt-get").unlink()
    assert "will be skipped" in run(ci, CI="true")
