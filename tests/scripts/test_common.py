"""Which Python the scripts use, what they install when, and what they say when something is missing."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.conftest import REPO

SCRIPTS = sorted(path.relative_to(REPO).as_posix() for path in [*REPO.glob("scripts/**/*.sh"), REPO / ".ci/run"])


def test_bash_can_parse_every_script():
    loop = 'for script in "$@"; do bash -n "$script" || exit; done'
    done = subprocess.run(["bash", "-c", loop, "bash", *SCRIPTS], cwd=REPO, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_needs_no_environment_and_begins_with_the_usage(sandbox):
    with_help = [name for name in SCRIPTS if "USAGE=" in (REPO / name).read_text() and name.count("/") < 3]
    with_help = [
        name
        for name in with_help
        if name not in ("scripts/common.sh", "scripts/rgb.sh", "scripts/thermalFaceDB/run.sh")
    ]
    assert len(with_help) > 4
    runs = ["scripts/thermalFaceDB/unet/run_unet_rmi_train.sh", "scripts/cityscapes/hrnet/run_h_48_d_4.sh"]
    for name in [*with_help, *runs]:
        done = sandbox.bash(name, "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert done.stdout.startswith("usage: bash "), name


def test_the_active_environment_comes_before_the_repositorys(ready, tmp_path):
    ready.add_python(tmp_path / "mine/bin/python")
    done = ready.common('choose_python; echo "$PYTHON"', VIRTUAL_ENV=str(tmp_path / "mine"))
    assert done.stdout.strip() == str(tmp_path / "mine/bin/python")
    assert ready.common('choose_python; echo "$PYTHON"').stdout.strip() == str(ready.repo / ".venv/bin/python")


def test_without_an_environment_the_error_says_how_to_make_one(sandbox):
    done = sandbox.common("choose_python; echo reached")
    assert done.returncode == 1
    assert "bash scripts/quickstart.sh" in done.stderr
    assert "python3 -m venv" in done.stderr
    assert not done.stdout


def test_an_active_environment_without_python_is_named(ready):
    done = ready.common("choose_python", VIRTUAL_ENV="/gone")
    assert done.returncode == 1
    assert "/gone/bin/python" in done.stderr


def test_an_old_python_is_named(sandbox):
    sandbox.add_python(prelude="import sys; sys.version_info = (3, 8, 1)")
    done = sandbox.common("ensure_python requirements.txt")
    assert done.returncode == 1
    assert "Python 3.10 or newer is needed, and python3 is Python 3.8" in done.stderr
    assert not sandbox.calls("-m venv")


def test_a_newer_python_beside_an_old_one_is_used(sandbox):
    sandbox.add_python(prelude="import sys; sys.version_info = (3, 8, 1)")
    sandbox.add_python("python3.12")
    done = sandbox.common("ensure_python requirements.txt")
    assert done.returncode == 0, done.stderr
    assert sandbox.calls("-m venv")


def test_a_missing_venv_module_is_named_with_the_package_to_install(sandbox):
    sandbox.add_python(prelude="import sys; sys.modules['ensurepip'] = None; sys.version_info = (3, 11, 2)")
    done = sandbox.common("ensure_python requirements.txt")
    assert done.returncode == 1
    assert "python3 lacks the modules venv and ensurepip" in done.stderr
    assert "apt install python3.11-venv" in done.stderr


def test_no_python_at_all_is_said(sandbox):
    done = sandbox.common("ensure_python requirements.txt")
    assert done.returncode == 1
    assert "no Python found: install Python 3.10 or newer" in done.stderr


def test_too_little_disk_is_named_before_anything_is_downloaded(ready):
    ready.set_free_disk(gigabytes=3)
    done = ready.common("ensure_python requirements.txt")
    assert done.returncode == 1
    assert "has 3 GB of disk space left" in done.stderr
    assert "about 8 GB" in done.stderr
    assert not ready.calls("-m pip")


def test_an_environment_that_has_torch_needs_little_disk(ready):
    ready.set_free_disk(gigabytes=3)
    with_torch = "import sys, os, types; sys.prefix = os.environ['PREFIX']; sys.modules['torch'] = types"
    ready.add_python(ready.repo / ".venv/bin/python", prelude=with_torch)
    assert ready.common("ensure_python requirements.txt").returncode == 0
    assert ready.calls("-m pip")


def test_requirements_are_installed_once_and_again_when_they_change(sandbox):
    sandbox.add_python()
    assert sandbox.common("ensure_python requirements.txt").returncode == 0
    assert sandbox.common("ensure_python requirements.txt").returncode == 0
    assert len(sandbox.calls("-m venv")) == 1
    assert len(sandbox.calls("-m pip install")) == 1
    with (sandbox.repo / "requirements.txt").open("a") as file:
        file.write("another\n")
    assert sandbox.common("ensure_python requirements.txt").returncode == 0
    assert len(sandbox.calls("-m venv")) == 1
    assert len(sandbox.calls("-m pip install")) == 2


def test_only_the_changed_file_is_installed(ready):
    ready.common("ensure_python requirements.txt")
    ready.common("ensure_python requirements.txt requirements-dev.txt")
    first, second = ready.calls("-m pip install")
    assert "requirements-dev.txt" not in first
    assert "requirements-dev.txt" in second
    assert "requirements.txt" not in second


def test_a_failed_installation_is_tried_again(ready):
    done = ready.common("ensure_python requirements.txt", PIP_FAILS="y")
    assert done.returncode == 1
    assert "pip could not install requirements.txt" in done.stderr
    assert ready.common("ensure_python requirements.txt").returncode == 0
    assert len(ready.calls("-m pip install")) == 2


def test_a_broken_environment_is_made_anew(sandbox):
    sandbox.add_python()
    sandbox.add(sandbox.repo / ".venv/bin/python", "#!/usr/bin/env bash\nexit 1")
    assert sandbox.common("ensure_python requirements.txt").returncode == 0
    assert sandbox.calls("-m venv")


def test_the_test_script_installs_what_tests_need_and_passes_arguments(ready, tmp_path):
    done = ready.bash(str(ready.repo / "scripts/run_tests.sh"), "-k", "a b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (installed,) = ready.calls("-m pip install")
    assert "requirements.txt" in installed
    assert "requirements-dev.txt" in installed
    assert ready.calls("-m pytest") == ["-m pytest -n auto --dist worksteal -k a b"]


@pytest.mark.parametrize("folders", [".", "/nowhere:{there}"])
def test_an_exported_cdpath_changes_nothing(ready, tmp_path, folders):
    (tmp_path / "there/scripts").mkdir(parents=True)
    done = ready.common('choose_python; echo "$REPO"', CDPATH=folders.format(there=tmp_path / "there"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ready.repo}\n"


def test_a_tilde_needs_no_variable_home(sandbox):
    done = sandbox.common('unset HOME; absolute "~"; absolute "~/faces"; absolute faces')
    assert done.returncode == 0, done.stderr
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert done.stdout.splitlines() == [str(home), str(home / "faces"), str(sandbox.repo / "faces")]


def test_programs_find_the_project_under_pythonsafepath_too(ready, tmp_path):
    (ready.repo / "main.py").write_text("import a_part; print(a_part.NAME)")
    (ready.repo / "a_part.py").write_text("NAME = 'found'")
    script = ready.repo / "scripts/thermalFaceDB/unet/run_unet_rmi_train.sh"
    done = ready.bash(str(script), "train", "n", "/d", "/s", cwd=tmp_path, PYTHONSAFEPATH="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("found")


def test_programs_do_their_work_with_standard_output_closed(tmp_path):
    size = ["--height", "48", "--width", "64", "--workers", "0"]
    prepare = ["--crop_res", "none", "--val_subjects", "none", "--workers", "0"]
    for program, *arguments in (
        ("thermalFaceDB/synthesize_data.py", tmp_path / "raw", "--subjects", "1", "--frames", "1", *size),
        ("thermalFaceDB/prepare_data.py", tmp_path / "raw", tmp_path / "out", *prepare),
        ("wild/synthesize_wild.py", tmp_path / "wild", "--train", "1", "--val", "0", *size),
    ):
        command = [sys.executable, str(REPO / "scripts" / program), *map(str, arguments)]
        done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True)
        assert (done.returncode, "Error" in done.stderr) == (0, False), done.stderr
