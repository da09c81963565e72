"""The run scripts: the commands they make of train, resume, val and test."""

import re
import shlex
from pathlib import Path

import pytest

from lib.utils.cli import parse_command_line
from lib.utils.config import load_config
from tests.scripts.conftest import REPO

RUN_SCRIPTS = sorted(path.relative_to(REPO).as_posix() for path in REPO.glob("scripts/thermalFaceDB/*/run_*.sh"))
SCRIPT = "scripts/thermalFaceDB/unet/run_unet_rmi_samcl_train_occ.sh"


def dry_run(sandbox, script, *arguments, **keywords):
    done = sandbox.bash(str(sandbox.repo / script), *arguments, "--dry_run", **keywords)
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout)


def flags_of(command):
    """The command as main.py reads it: values by dotted key, with its config as a path of this repository."""
    (main,) = (index for index, word in enumerate(command) if word.endswith("/main.py"))
    return parse_command_line(command[main + 1 :])


MODES = {"train": None, "resume": "latest", "val": "max_performance", "test": "max_performance"}
"""And which checkpoint each reads."""


def test_every_script_names_the_published_places_in_every_mode(ready):
    """In one process, as there are more than a hundred of them."""
    each = f"for script in {' '.join(RUN_SCRIPTS)}; do for mode in {' '.join(MODES)}; do"
    done = ready.bash("-c", f"{each} (set -- $mode mine /data /scratch --dry_run; source $script); done; done")
    assert done.returncode == 0, done.stderr
    commands = iter(map(shlex.split, done.stdout.splitlines()))
    for script in RUN_SCRIPTS:
        for mode in MODES:
            check_places(flags_of(next(commands)), ready.repo, script, mode)
    assert next(commands, None) is None


def check_places(line, repo, script, mode):
    where, config = f"{script} {mode}", REPO / Path(line.configs).relative_to(repo)
    resolved, _ = load_config(config)
    published = re.search("MODEL=(.+) BACKBONE=(.+)", (REPO / script).read_text())
    assert load_config(config, {"network.model_name": published[1]})[0] == resolved, where
    assert published[2] == resolved.network.backbone, where
    name = f"{published[1]}_{published[2]}_mine"
    checkpoints = Path("/scratch/Processed/checkpoints/thermalFaceDB")
    flags, kind = line.flags, MODES[mode]
    assert Path("/scratch/Processed", resolved.checkpoints.checkpoints_dir) == checkpoints, where
    assert flags["checkpoints.checkpoints_root"] == "/scratch/Processed", where
    assert flags["checkpoints.checkpoints_name"] == name, where
    assert flags["data.data_dir"] == ["/data/Processed"], where
    assert Path(flags["logging.log_file"]).parent == Path("/scratch/logs"), where
    assert flags["phase"] == ("train" if mode in ("train", "resume") else "test"), where
    assert flags.get("network.resume") == (kind and str(checkpoints / f"{name}_{kind}.pth")), where
    assert flags.get("network.resume_continue") == (True if mode == "resume" else None), where
    results = f"/scratch/seg_results/thermalFaceDB/{name}_{mode}"
    assert flags.get("test.out_dir") == (results if mode in ("val", "test") else None), where


@pytest.mark.parametrize(
    ("script", "config", "tiaug", "samcl"),
    [
        ("unet/run_unet_rmi_train.sh", "U_Base", False, False),
        ("unet/run_unet_rmi_train_occ.sh", "U_Occ", True, False),
        ("unet/run_unet_rmi_samcl_train.sh", "U_GCL", False, True),
        ("unet/run_unet_rmi_samcl_train_occ.sh", "U_GCL_Occ", True, True),
    ],
)
def test_scripts_pick_the_config_of_their_name(ready, script, config, tiaug, samcl):
    line = flags_of(dry_run(ready, f"scripts/thermalFaceDB/{script}", "train", "mine", "/d", "/s"))
    assert Path(line.configs).stem == config
    resolved, _ = load_config(REPO / Path(line.configs).relative_to(ready.repo))
    assert ("random_thermal_occlusion" in resolved.train_trans.trans_seq) == tiaug
    assert (resolved.samcl is not None) == samcl


def test_further_arguments_come_last_and_stay_whole(ready):
    command = dry_run(ready, SCRIPT, "train", "n", "d", "s", "--max_iters", "5", "loss.x=a b", "--overwrite", "y")
    assert command[-5:] == ["--max_iters", "5", "loss.x=a b", "--overwrite", "y"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("~/faces", "/home/someone/faces"),
        ("~", "/home/someone"),
        ("some faces", "{cwd}/some faces"),
        ("./f", "{cwd}/f"),
    ],
)
def test_paths_are_those_of_the_user_from_any_folder(ready, tmp_path, typed, meant):
    cwd = tmp_path / "else where"
    cwd.mkdir()
    line = flags_of(dry_run(ready, SCRIPT, "val", "n", typed, typed, cwd=cwd))
    meant = meant.format(cwd=cwd)
    assert line.flags["data.data_dir"] == [f"{meant}/Processed"]
    assert line.flags["checkpoints.checkpoints_root"] == f"{meant}/Processed"


def test_test_reads_the_test_frames_if_there_are_any(ready, tmp_path):
    without = flags_of(dry_run(ready, SCRIPT, "test", "n", str(tmp_path), "/s"))
    assert "test.test_dir" not in without.flags
    said = ready.bash(SCRIPT, "test", "n", str(tmp_path), "/s", "--dry_run").stderr
    assert f"no {tmp_path}/Processed/test" in said
    (tmp_path / "Processed/test").mkdir(parents=True)
    line = flags_of(dry_run(ready, SCRIPT, "test", "n", str(tmp_path), "/s"))
    assert line.flags["test.test_dir"] == f"{tmp_path}/Processed/test"
    given = flags_of(dry_run(ready, SCRIPT, "test", "n", str(tmp_path), "/s", "--test_dir", "mine"))
    assert given.flags["test.test_dir"] == "mine"


@pytest.mark.parametrize(
    ("visible", "listed", "further", "processes"),
    [
        (None, 0, [], None),
        (None, 1, [], None),
        (None, 4, [], 4),
        ("0,2", 4, [], 2),
        ("3", 4, [], None),
        ("", 4, [], None),
        ("-1", 4, [], None),
        (None, 4, ["--gpu", "0", "1"], None),
        (None, 4, ["--gpu=-1"], None),
    ],
)
def test_torchrun_starts_when_more_than_one_gpu_is_visible(ready, visible, listed, further, processes):
    lines = "".join(f"echo 'GPU {index}: Some Card (UUID: x)'\n" for index in range(listed))
    ready.add("nvidia-smi", f"#!/usr/bin/env bash\n{lines}")
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    command = dry_run(ready, SCRIPT, "train", "n", "/d", "/s", *further, **variables)
    before = command[1 : command.index(str(ready.repo / "main.py"))]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    assert before == ([] if processes is None else torchrun)


def test_a_dry_run_may_stand_anywhere_and_runs_nothing(ready):
    done = ready.bash(SCRIPT, "train", "n", "/d", "/s", "--dry_run", "--max_iters", "5")
    assert done.stdout.rstrip().endswith("--max_iters 5")
    assert not ready.calls("main.py")


def test_without_dry_run_the_command_is_run_and_its_status_returned(ready):
    (ready.repo / "main.py").write_text("import sys; print(sys.argv[-2:]); sys.exit(2)")
    done = ready.bash(SCRIPT, "train", "n", "/d", "/s", "--max_iters", "5")
    assert done.returncode == 2
    assert done.stdout.strip() == "['--max_iters', '5']"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected at least 4 arguments, got 0"),
        (["train", "n", "/d"], "expected at least 4 arguments, got 3: train n /d"),
        (["trian", "n", "/d", "/s"], "expected train, resume, val or test, got 'trian'"),
        (["train", "a/b", "/d", "/s"], "NAME becomes part of file names"),
        (["train", "", "/d", "/s"], "NAME becomes part of file names"),
        (["train", "n", "--gpu", "0"], "expected DATA_ROOT and SCRATCH_ROOT, got '--gpu' '0'"),
    ],
)
def test_wrong_arguments_print_the_usage_and_what_is_wrong(ready, arguments, said):
    done = ready.bash(SCRIPT, *arguments)
    assert done.returncode == 2
    assert f"usage: bash {SCRIPT} train|resume|val|test NAME DATA_ROOT SCRATCH_ROOT" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"error: {said}")
    assert not done.stdout
