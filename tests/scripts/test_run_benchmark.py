"""The benchmark's recipe: its stages in order, arguments that tables take, and nothing to set but where it runs."""

import json

import pytest

from scripts.thermalFaceDB import run_table
from scripts.thermalFaceDB.tables.runs import Runs


@pytest.fixture
def recipe(ready):
    """A sandbox whose stages write down what they are called with."""
    for stage in ("synthesize_data", "prepare_data", "run_table"):
        script = f'printf "%s\\n" {stage} "$OMP_NUM_THREADS" "$@" | {ready.bin}/json >>"$CALLS"\n'
        ready.add(ready.repo / f"scripts/thermalFaceDB/{stage}.sh", f"#!/usr/bin/env bash\n{script}")
    ready.add_python(ready.bin / "python3")
    ready.add("json", f"#!/usr/bin/env bash\nexec {ready.bin}/python3 -c '{_AS_JSON}'\n")
    return ready


_AS_JSON = "import json, sys; print(json.dumps(sys.stdin.read().splitlines()))"


def stages(sandbox, *arguments):
    done = sandbox.bash("scripts/thermalFaceDB/run_benchmark.sh", *arguments, OMP_NUM_THREADS="7")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in sandbox.calls_file.read_text().splitlines() if line.startswith("[")]


def test_data_comes_first_then_the_tables_with_one_thread_for_each_cell(recipe):
    calls = stages(recipe, "my data", "scratch", "--jobs", "3")
    data = str(recipe.repo / "my data")
    assert [call[0] for call in calls] == [*(["synthesize_data", "prepare_data"] * 2), *(["run_table"] * 2)]
    assert [call[2] for call in calls[:4:2]] == [f"{data}/raw", f"{data}/unconstrained/raw"]
    assert "--unconstrained" in calls[2]
    for call, kind in zip(calls[4:], ("ablation", "strategies"), strict=True):
        assert call[1:5] == ["1", kind, data, str(recipe.repo / "scratch")]
        assert call[call.index("--jobs") + 1] == "3"
        assert call[call.index("--unconstrained") + 1] == f"{data}/unconstrained/Processed/val"
        assert call[call.index("--gpu") + 1] == "-1"


def test_the_recipe_is_one_that_every_network_takes(recipe, tmp_path, monkeypatch):
    table = stages(recipe, "data", "scratch", "--gpu", "0", "1")[4][2:]
    monkeypatch.setattr(Runs, "train", lambda *_: None)
    monkeypatch.setattr(Runs, "validate", lambda *_: None)
    table[2] = str(tmp_path)
    assert run_table.main([*table, "--seeds", "0", "--jobs", "1"]) == 0
    configs = list((tmp_path / "tables/ablation_fork60/configs").glob("*.yaml"))
    assert len(configs) == 5 * 6


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "expected DATA_ROOT and SCRATCH_ROOT"),
        (("data",), "expected DATA_ROOT and SCRATCH_ROOT"),
        (("data", "scratch", "--max_iters", "5"), "the recipe is fixed"),
    ],
)
def test_what_is_wrong_is_named(recipe, arguments, complaint):
    done = recipe.bash("scripts/thermalFaceDB/run_benchmark.sh", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not recipe.calls("synthesize")
