"""The check of every change: the browser for its tests is installed where it can be, and never a condition."""

import shutil

import pytest

from tests.scripts.conftest import REPO

REAL = "#!/usr/bin/env bash\nexit 0\n"


@pytest.fixture
def ci(ready):
    """A sandbox whose ``.ci/run`` needs nothing but a Python that exists; it is root and without a browser."""
    (ready.repo / ".ci").mkdir()
    shutil.copy(REPO / ".ci" / "run", ready.repo / ".ci")
    ready.add("id", "#!/usr/bin/env bash\necho ${FAKE_UID:-0}\n")
    for tool in ("mktemp", "tail"):
        ready.add(tool, f'#!{shutil.which("bash")}\nexec {shutil.which(tool)} "$@"\n')
    return ready


def add_apt(ci, status=0):
    ci.add("apt-get", f'#!/usr/bin/env bash\necho "apt-get $*" >>"$CALLS"; echo "E: a reason"; exit {status}\n')


def ran_all(ci):
    return all(ci.calls(word) for word in ("ruff check", "ruff format", "mypy", "pytest"))


def test_a_browser_that_is_there_is_not_installed_again(ci):
    for name in ("chromium", "chromedriver"):
        ci.add(name, REAL)
    add_apt(ci)
    assert ci.bash(".ci/run").returncode == 0
    assert not ci.calls("apt-get")
    assert ran_all(ci)


@pytest.mark.parametrize("there", [(), ("chromium",), ("chromedriver",)])
def test_apt_installs_a_missing_browser_as_root_without_a_word(ci, there):
    for name in there:
        ci.add(name, REAL)
    add_apt(ci)
    done = ci.bash(".ci/run")
    assert done.returncode == 0
    update, install = ci.calls("apt-get")
    assert update == "apt-get update"
    assert install.startswith("apt-get install -y")
    assert {"chromium", "chromium-driver"} <= set(install.split())
    assert "a reason" not in done.stdout + done.stderr
    assert ran_all(ci)


@pytest.mark.parametrize(("apt", "user"), [(False, "0"), (True, "1000")])
def test_without_apt_or_root_it_says_so_and_goes_on(ci, apt, user):
    if apt:
        add_apt(ci)
    done = ci.bash(".ci/run", FAKE_UID=user)
    assert done.returncode == 0
    assert "will be skipped" in done.stderr
    assert not ci.calls("apt-get")
    assert ran_all(ci)


def test_a_failing_apt_is_quoted_and_the_checks_go_on(ci):
    add_apt(ci, status=100)
    done = ci.bash(".ci/run")
    assert done.returncode == 0
    assert "apt could not: E: a reason" in done.stderr
    assert ran_all(ci)
