"""The quickstart: what it runs, skips and resumes, and how it ends."""

import json
import re
from pathlib import Path

import pytest

FAKE_MAIN = """import json, os, pathlib, sys
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
name = flags["--checkpoints_name"]
latest = pathlib.Path(flags["--checkpoints_root"], "checkpoints/thermalFaceDB", name + "_latest.pth")
if flags["--phase"] == "test":
    out = pathlib.Path(flags["--out_dir"])
    out.mkdir(parents=True)
    (out / "metrics.json").write_text(json.dumps({"miou": 0.5, "classes": [{"name": "nose"}]}))
else:
    latest.parent.mkdir(parents=True, exist_ok=True)
    latest.touch()
    if "DIE" in os.environ:
        sys.exit(1)
    latest.with_name(name + "_max_performance.pth").touch()
"""


@pytest.fixture
def quickstart(ready):
    """A sandbox whose stages are quick: each writes what the real one would leave."""
    for stage in ("synthesize", "prepare"):
        script = (
            f'#!/usr/bin/env bash\necho {stage} >>"$CALLS"\nmkdir -p "${{@:{1 if stage == "synthesize" else 2}:1}}"\n'
        )
        ready.add(ready.repo / f"scripts/thermalFaceDB/{stage}_data.sh", script)
    (ready.repo / "main.py").write_text(FAKE_MAIN)
    # The real one spends seconds on importing torch.
    (ready.repo / "scripts/print_scores.py").write_text("import sys; print(open(sys.argv[1]).read())")
    return ready


def stages_run(sandbox):
    """What ran since the last time this was asked."""
    lines = sandbox.calls_file.read_text().splitlines()
    sandbox.calls_file.unlink()
    names = {"synthesize": "synthesize", "prepare": "prepare", "--resume_continue": "resume", "--overwrite": "train"}
    found = [next((name for word, name in names.items() if word in line), None) for line in lines]
    found += ["val" for line in lines if "--phase test" in line]
    return [name for name in found if name]


def test_quickstart_runs_all_stages_then_shows_the_scores_and_where_they_are(quickstart):
    done = quickstart.bash("scripts/quickstart.sh")
    assert done.returncode == 0, done.stderr
    assert stages_run(quickstart) == ["synthesize", "prepare", "train", "val"]
    assert '"nose"' in done.stdout
    (metrics,) = re.findall(r"metrics.json: (.*)", done.stdout)
    assert json.loads(Path(metrics).read_text())["miou"] == 0.5
    assert metrics.startswith(str(quickstart.repo / "runs/quickstart/"))
    assert done.stderr.startswith("Quickstart: synthetic thermal faces -> prepare -> train")


def test_a_second_quickstart_skips_what_is_done_and_fresh_starts_over(quickstart):
    first = quickstart.bash("scripts/quickstart.sh")
    stages_run(quickstart)
    second = quickstart.bash(str(quickstart.repo / "scripts/quickstart.sh"), cwd=quickstart.repo.parent)
    assert second.returncode == 0, second.stderr
    assert stages_run(quickstart) == []
    assert second.stdout.split("took")[0] == first.stdout.split("took")[0]
    keep = quickstart.repo / "runs/mine"
    keep.mkdir()
    assert quickstart.bash("scripts/quickstart.sh", "--fresh").returncode == 0
    assert stages_run(quickstart) == ["synthesize", "prepare", "train", "val"]
    assert keep.is_dir()


def test_a_half_trained_quickstart_resumes(quickstart):
    assert quickstart.bash("scripts/quickstart.sh", DIE="y").returncode == 1
    assert stages_run(quickstart) == ["synthesize", "prepare", "train"]
    assert quickstart.bash("scripts/quickstart.sh").returncode == 0
    assert stages_run(quickstart) == ["resume", "val"]


def test_a_failed_stage_is_not_taken_for_done(quickstart):
    script = quickstart.repo / "scripts/thermalFaceDB/prepare_data.sh"
    good = script.read_text()
    script.write_text(good + "exit 3\n")
    assert quickstart.bash("scripts/quickstart.sh").returncode == 3
    assert stages_run(quickstart) == ["synthesize", "prepare"]
    script.write_text(good)
    assert quickstart.bash("scripts/quickstart.sh").returncode == 0
    assert stages_run(quickstart) == ["prepare", "train", "val"]


def test_quickstart_refuses_to_mix_runs_with_other_arguments(quickstart):
    assert quickstart.bash("scripts/quickstart.sh", "--max_iters", "5").returncode == 0
    done = quickstart.bash("scripts/quickstart.sh", "--max_iters", "7")
    assert done.returncode == 1
    assert "--max_iters 5" in done.stderr
    assert "--fresh" in done.stderr
    assert quickstart.bash("scripts/quickstart.sh", "--max_iters", "7", "--fresh").returncode == 0


def test_quickstart_without_arguments_explains_itself(ready):
    done = ready.bash("scripts/quickstart.sh", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: bash scripts/quickstart.sh [--fresh]")
    assert not ready.calls("")
