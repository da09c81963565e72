"""The command line as a user sees it: exit statuses, messages without tracebacks, both phases end to end."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import main

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, timeout=240):
    return subprocess.run(
        [sys.executable, "main.py", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture
def config_file(make_config, tmp_path):
    make_config()
    return tmp_path / "discs.yaml"


def test_trains_then_tests(config_file, tmp_path):
    result = run(
        "--configs",
        config_file,
        "--phase",
        "train",
        "--max_iters",
        4,
        "--log_to_file",
        "y",
        "--log_file",
        tmp_path / "logs" / "run.log",
    )
    assert result.returncode == 0, result.stderr
    latest = tmp_path / "checkpoints/thermalFaceDB/run_latest.pth"
    assert latest.exists()
    assert "iteration 4/4" in (tmp_path / "logs" / "run.log").read_text()
    assert list((tmp_path / "logs" / "tensorboard").rglob("events.*"))
    out = tmp_path / "out"
    result = run("--configs", config_file, "--phase", "test", "--resume", latest, "--out_dir", out)
    assert result.returncode == 0, result.stderr
    assert json.loads((out / "metrics.json").read_text())["images"] == 5


def test_frames_are_normalised_as_they_were_in_training_and_whoever_says_otherwise_is_told(config_file, tmp_path):
    common = ("--configs", config_file)
    result = run(*common, "--max_iters", 4, "normalize.window=[20,30]")
    assert result.returncode == 0, result.stderr
    best = tmp_path / "checkpoints/thermalFaceDB/run_max_performance.pth"

    def score(*arguments):
        options = ("--out_dir", tmp_path / "out", "--stdout_level", "info")
        result = run(*common, "--phase", "test", "--resume", best, *options, *arguments)
        assert result.returncode == 0, result.stderr
        return json.loads((tmp_path / "out/metrics.json").read_text())["miou"], result.stdout + result.stderr

    same, said = score("normalize.window=[20,30]")
    assert "config and checkpoint differ" not in said
    silent, said = score()
    assert silent == same
    assert "normalize.window [20.0, 30.0] (the config: null)" in said
    result = run(*common, "--phase", "test", "--resume", best, "normalize.window=[20,31]")
    assert result.returncode == 2
    assert "normalize.window: expected [20.0, 30.0]" in result.stderr


def test_two_processes_train_and_test_as_one(config_file, tmp_path):
    both = ("--configs", config_file, "--gpu", "0", "1", "optim.optim_method=adamw", "lr.base_lr=0.003")
    result = run(*both, "--max_iters", 12, "--test_interval", 12, "--stdout_level", "info")
    assert result.returncode == 0, result.stderr
    best = float(re.search(r"best mIoU ([\d.]+)", result.stdout)[1])
    test = ("--phase", "test", "--resume", tmp_path / "checkpoints/thermalFaceDB/run_max_performance.pth")
    scores = []
    for devices in (("--gpu", "0", "1"), ("--gpu", "-1")):
        out = tmp_path / devices[-1]
        assert run("--configs", config_file, *test, *devices, "--out_dir", out).returncode == 0
        scores.append(json.loads((out / "metrics.json").read_text()))
    assert scores[0]["confusion_matrix"] == scores[1]["confusion_matrix"]
    assert scores[0]["images"] == 5
    assert round(100 * scores[0]["miou"], 2) == best


def test_a_fault_found_by_started_processes_has_its_own_status(config_file):
    result = run("--configs", config_file, "--gpu", "0", "1", "--data_dir", "nowhere")
    assert result.returncode == 1
    assert "nowhere" in result.stderr
    assert "ChildFailedError" not in result.stderr


def test_several_gpus_start_as_many_processes(config_file):
    result = run(
        "--configs",
        config_file,
        "--phase",
        "train",
        "--gpu",
        "0",
        "1",
        "--max_iters",
        "1",
        "--stdout_level",
        "info",
    )
    assert result.returncode == 0, result.stderr
    assert "2 processes" in result.stdout


def test_print_config_prints_yaml_and_nothing_else(config_file):
    result = run("--configs", config_file, "--base_lr", "0.5", "--print_config", "solver.max_iters", "7")
    assert result.returncode == 0
    tree = yaml.safe_load(result.stdout)
    assert (tree["lr"]["base_lr"], tree["solver"]["max_iters"]) == (0.5, 7)


@pytest.mark.parametrize("more", [["--print_config"], ["--help"], ["--phase", "check", "--out_dir", "check"]])
def test_standard_output_may_be_closed(config_file, tmp_path, more):
    command = [sys.executable, str(ROOT / "main.py"), "--configs", str(config_file), *more]
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], cwd=tmp_path, capture_output=True, text=True)
    assert (closed.returncode, closed.stderr) == (0, "")


def test_the_project_is_found_under_pythonsafepath(tmp_path):
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, str(ROOT / "main.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_faults_at_once_without_traceback(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(
        "network: {bakbone: none, model_name: unett}\nsolver: {max_iters: many}\n"
        "data: {num_classes: 3, remap_classes: [0, 7]}\n"
    )
    result = run("--configs", path)
    assert result.returncode == 2
    for expected in (
        "network.bakbone",
        "did you mean backbone?",
        "did you mean unet?",
        "solver.max_iters",
        "data.remap_classes",
    ):
        assert expected in result.stderr
    assert "Traceback" not in result.stderr


def test_errors_have_status_1_and_debug_shows_where(config_file):
    options = ("--configs", config_file, "--phase", "test", "--resume", "gone.pth")
    result = run(*options)
    assert result.returncode == 1
    assert "gone.pth" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in run(*options, "--debug").stderr


def test_refused_run_leaves_the_log_of_the_run_before(config_file, tmp_path):
    options = ("--configs", config_file, "--max_iters", 1, "--log_to_file", "y", "--log_file", tmp_path / "run.log")
    assert run(*options).returncode == 0
    before = (tmp_path / "run.log").read_text()
    result = run(*options)
    assert result.returncode == 1
    assert "--overwrite y" in result.stderr
    assert (tmp_path / "run.log").read_text() == before


def test_help_and_the_reference_of_keys_need_no_config(capsys):
    for arguments, shown in (
        ([], "common calls:"),
        (["--help_all"], "--min_component_ratio"),
        (["--print_keys"], "## Keys"),
    ):
        assert main.main(arguments) == 0
        assert shown in capsys.readouterr().out
