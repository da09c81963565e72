"""The SLURM example: its dry run, and a job of two machines that a stand-in for SLURM plays on this one."""

import os
import shlex
import subprocess
import sys
import uuid

import pytest

from lib.utils.checkpoint import load_checkpoint
from lib.utils.cli import parse_command_line
from scripts.small_run import prepare
from tests.scripts.conftest import REPO

SCRIPT = REPO / "scripts" / "slurm" / "train.sbatch"
CONFIG = "configs/thermalFaceDB/U_GCL_Occ.json"
SRUN = """#!/usr/bin/env bash
# Runs the command as often as the job has machines, all at once; fails if one fails.
[[ "$1" == --kill-on-bad-exit=1 ]] && shift
for ((node = 0; node < SLURM_JOB_NUM_NODES; node++)); do "$@" & done
status=0
for job in $(jobs -p); do wait "$job" || status=$?; done
exit "$status"
"""
SCONTROL = """#!/usr/bin/env bash
[[ "$*" == "show hostnames $SLURM_JOB_NODELIST" ]] && printf '%s\\n' "$FIRST_HOST" other
"""


@pytest.fixture
def submit(tmp_path):
    """Runs the script as SLURM would: a copy of it, elsewhere, with the job's variables."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    copy = tmp_path / "slurm_script"
    copy.write_bytes(SCRIPT.read_bytes())

    def submit(*arguments, **variables):
        job = {
            "SLURM_SUBMIT_DIR": str(REPO),
            "SLURM_JOB_ID": "7012345",
            "SLURM_JOB_NUM_NODES": "2",
            "SLURM_JOB_NODELIST": "node[07-08]",
            "SLURM_GPUS_ON_NODE": "4",
            "FIRST_HOST": "node07",
            "VIRTUAL_ENV": sys.prefix,
            "OMP_NUM_THREADS": "1",
        }
        environment = {**os.environ, **job, "PATH": f"{tools}:{os.environ['PATH']}", **variables}
        return subprocess.run(
            ["bash", str(copy), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=280
        )

    return submit


def flags_of(command):
    """The flags of a command of torchrun, and those of main.py behind them."""
    place = next(index for index, word in enumerate(command) if word.endswith("/main.py"))
    options = command[command.index("torch.distributed.run") + 1 : place]
    return dict(zip(options[::2], options[1::2], strict=True)), parse_command_line(command[place + 1 :])


def test_the_dry_run_prints_the_command_of_every_machine(submit):
    done = submit(CONFIG, "first", "/data", "/scratch", "--dry_run", "--seed", "3")
    assert (done.returncode, done.stderr) == (0, "")
    commands = [shlex.split(line) for line in done.stdout.splitlines()]
    assert len(commands) == 2
    assert commands[0] == commands[1]
    torchrun, line = flags_of(commands[0])
    assert (torchrun["--nnodes"], torchrun["--nproc_per_node"]) == ("2", "4")
    assert torchrun["--rdzv_endpoint"] == "node07:32345"
    assert line.configs == str(REPO / CONFIG)
    assert line.flags["data.data_dir"] == ["/data/Processed"]
    assert line.flags["checkpoints.checkpoints_root"] == "/scratch/Processed"
    assert (line.flags["phase"], line.flags["seed"]) == ("train", 3)
    assert "network.resume" not in line.flags


def test_jobs_have_ports_of_their_own(submit):
    endpoints = {
        flags_of(shlex.split(submit(CONFIG, "a", "/d", "/s", "--dry_run", SLURM_JOB_ID=job).stdout.splitlines()[0]))[0][
            "--rdzv_endpoint"
        ]
        for job in ("1", "2", "19999")
    }
    assert len(endpoints) == 3


def test_outside_of_slurm_it_is_one_machine(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    done = subprocess.run(
        ["bash", str(SCRIPT), str(REPO / CONFIG), "first", "data", str(tmp_path), "--dry_run"],
        env={**environment, "VIRTUAL_ENV": sys.prefix},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    (command,) = done.stdout.splitlines()
    torchrun, line = flags_of(shlex.split(command))
    assert (torchrun["--nnodes"], torchrun["--nproc_per_node"]) == ("1", "1")
    assert line.flags["data.data_dir"] == [str(tmp_path / "data" / "Processed")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CONFIG, "name", "/d"), "expected at least 4 arguments"),
        (("gone.json", "name", "/d", "/s"), "no config"),
        ((CONFIG, "a/b", "/d", "/s"), "NAME becomes part of file names"),
    ],
)
def test_wrong_arguments_are_named(submit, arguments, message):
    done = submit(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_it_must_be_submitted_from_the_repository(submit, tmp_path):
    done = submit(CONFIG, "name", "/d", "/s", SLURM_SUBMIT_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "submit this script from there" in done.stderr


def test_submitted_again_it_goes_on_with_the_run(submit, tmp_path):
    latest = tmp_path / "Processed/checkpoints/thermalFaceDB/first_latest.pth"
    latest.parent.mkdir(parents=True)
    latest.touch()
    _, line = flags_of(shlex.split(submit(CONFIG, "first", "/data", tmp_path, "--dry_run").stdout.splitlines()[0]))
    assert line.flags["network.resume"] == str(latest)
    assert line.flags["network.resume_continue"] is True


@pytest.mark.thorough
def test_two_machines_train_as_one(submit, tmp_path):
    config = prepare(tmp_path)
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "Processed").symlink_to(tmp_path / "data")
    # Its port is below those that systems give to who asks for any.
    job = {"SLURM_GPUS_ON_NODE": "1", "FIRST_HOST": "localhost", "SLURM_JOB_ID": str(uuid.uuid4().int % 12000)}
    options = ("--gpu", "-1", "--max_iters", 2, "train.batch_size=4", "--stdout_level", "info")
    done = submit(config, "job", tmp_path / "db", tmp_path / "scratch", *options, **job)
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stdout
    latest = tmp_path / "scratch/Processed/checkpoints/thermalFaceDB/job_latest.pth"
    assert load_checkpoint(latest)["training"]["iteration"] == 2
    assert not (tmp_path / "checkpoints").exists()
