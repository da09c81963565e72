"""The benchmark on real faces: its recipe fits every network, pairs are whole, and several processes share the runs."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.utils.cli import parse_command_line
from lib.utils.config import load_config
from lib.utils.files import atomic_write
from scripts.drivers import run_benchmark
from scripts.drivers.run_benchmark_plan import CLONE, FOLDS, ITERATIONS, TABLES, planned_runs
from scripts.thermalFaceDB.tables import runs
from tests.datasets.drivers.helpers import write_clone
from tests.scripts.test_run_table import Process

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Runs the first four runs of the benchmark, where :func:`pretend` stands for main.py and no frames are."""
    monkeypatch.setattr(run_benchmark, "prepare_folds", lambda *_: None)
    monkeypatch.setattr(run_benchmark, "planned_runs", lambda: planned_runs()[:4])
    monkeypatch.setattr(runs, "subprocess", SimpleNamespace(Popen=Process, STDOUT=subprocess.STDOUT))
    monkeypatch.setattr(Process, "calls", [])
    monkeypatch.setattr(Process, "work", staticmethod(pretend))

    def start(*further):
        Process.calls.clear()
        return run_benchmark.main([str(tmp_path / "data"), str(tmp_path / "scratch"), *further])

    return start


def pretend(arguments, output) -> int:
    """A main.py that learns in no time: 40 % on the first fold, 50 % on the other, 5 % more with TiAug."""
    line = parse_command_line(arguments)
    if line.flags["phase"] == "test":
        score = 0.4 + 0.1 * ("trained_on_2" in line.configs) + 0.05 * ("without" not in line.configs)
        with atomic_write(Path(line.flags["test.out_dir"]) / "metrics.json", "w") as file:
            json.dump({"miou": score}, file)
    return 0


def steps() -> list[tuple[str, str, str]]:
    """Fold, cell and phase of the calls so far."""
    lines = [parse_command_line(call) for call in Process.calls]
    return [(*Path(one.configs).parent.parts[-3::2], one.flags["phase"]) for one in lines]


def test_pairs_are_whole_and_every_cell_of_a_table_is_planned_once():
    plan = planned_runs()
    assert len(set(plan)) == len(plan)
    for first, second in zip(plan[::2], plan[1::2], strict=True):
        assert first.cell == second.cell
        assert {first.fold, second.fold} == set(FOLDS)
    for table in TABLES.values():
        titles = {row.title for row in table.rows}
        assert all(set(row.compared_to) <= titles - {row.title} for row in table.rows)
        assert {row.strategy for row in table.rows} <= {run.cell.strategy for run in plan if run.cell.network == "U"}


def test_runs_are_paired_by_fold_and_seed_and_not_repeated(start, tmp_path):
    assert start() == 0
    cells = ["U_rmi_without_tiaug_seed0", "U_rmi_seed0"]
    expected = [(f"trained_on_{fold}", cell) for cell in cells for fold in FOLDS]
    assert [step[:2] for step in steps()[::4]] == expected
    assert [step[2] for step in steps()] == ["train", "test", "test", "test"] * 4
    tables = tmp_path / "scratch/tables"
    with open(tables / "ablation/table.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["miou"]]
    assert {row["set"] for row in rows} == {"controlled", "controlled, occluded", "unconstrained"}
    assert [row["seeds"] for row in rows] == ["1:0 2:0"] * 6
    assert [(row["difference"], row["pairs"]) for row in rows if row["compared_to"] == "RMI"] == [("5.0000", "2")] * 3
    assert start("--jobs", "2") == 0
    assert not Process.calls


def test_strategies_are_compared_on_unet_alone(start, tmp_path, monkeypatch):
    plan = [run for run in planned_runs() if (run.cell.strategy, run.cell.seed) == ("rmi", 0)]
    monkeypatch.setattr(run_benchmark, "planned_runs", lambda: plan)
    assert start() == 0
    for name, networks in (("ablation", {run.cell.network for run in plan}), ("strategies", {"U"})):
        with open(tmp_path / "scratch/tables" / name / "cells.csv", newline="") as file:
            assert {row["network"] for row in csv.DictReader(file)} == networks


def test_the_recipe_is_one_that_every_network_takes(start, tmp_path, monkeypatch):
    monkeypatch.setattr(run_benchmark, "planned_runs", lambda: planned_runs()[::2])
    monkeypatch.setattr(run_benchmark.Benchmark, "run", lambda *_: None)
    assert start() == 0
    for path in (tmp_path / "scratch/tables/trained_on_1/runs").iterdir():
        config, notes = load_config(path / "resolved.yaml")
        assert (config.dataset, config.solver.max_iters, notes) == ("drivers", ITERATIONS, [])
        if "samcl_seed" in path.name:
            assert config.samcl is not None
            assert config.samcl.warmup_iters == ITERATIONS // 4


def test_runs_of_another_process_are_left_to_it(start, tmp_path, monkeypatch):
    others: list[int] = []

    def side_by_side(arguments, output):
        if not others:
            others.append(len(Process.calls))  # while the first run trains, another process comes
            run_benchmark.Benchmark(tmp_path / "data", tmp_path / "scratch", -1).run(jobs=1)
            others.append(len(Process.calls))
        return pretend(arguments, output)

    monkeypatch.setattr(Process, "work", staticmethod(side_by_side))
    assert start() == 0
    assert others == [1, 1 + 3 * 4]  # it takes three of the four runs
    assert [step[2] for step in steps()[13:]] == ["test", "test", "test"]  # what remained of the first


def test_curves_and_tables_are_written_without_running(start, tmp_path):
    log = tmp_path / "scratch/tables/trained_on_2/logs/U_rmi_seed0.log"
    log.parent.mkdir(parents=True)
    log.write_text("INFO validation at 400: mIoU 28.45  loss 3.2\nINFO validation at 800: mIoU 40.00  loss 2.1\n")
    assert start("--only_tables") == 0
    assert not Process.calls
    lines = (tmp_path / "scratch/tables/curves.csv").read_text().splitlines()
    assert lines[1:] == ["2,U,rmi,0,400,28.45", "2,U,rmi,0,800,40.0"]
    assert (tmp_path / "scratch/tables/strategies/table.png").exists()


def test_a_failed_run_is_told_and_tried_again(start, tmp_path, monkeypatch):
    monkeypatch.setattr(Process, "work", staticmethod(lambda arguments, output: 1))
    assert start() == 1
    table = tmp_path / "scratch/tables/ablation/table.md"
    assert "- `1/U_rmi_seed0`: train: ended with status 1" in table.read_text()
    assert "4 of the 4 planned runs of these networks are missing" in table.read_text()
    monkeypatch.setattr(Process, "work", staticmethod(pretend))
    assert start() == 0
    assert "missing" not in table.read_text()


def test_folds_leave_each_number_out(tmp_path, monkeypatch):
    clone = write_clone(tmp_path / CLONE, frames=1)
    for sequence in list(clone.iterdir()):
        shutil.copytree(sequence, clone / sequence.name.replace("Man", "Woman"))
    monkeypatch.setattr(run_benchmark.Benchmark, "run", lambda *_: None)
    assert run_benchmark.main([str(tmp_path), str(tmp_path / "scratch"), "--every", "1"]) == 0
    for fold, other in (("1", "2"), ("2", "1")):
        splits = {"train": (fold, "NoGlasses"), "val": (other, "NoGlasses"), "unconstrained": (other, "Glasses")}
        for split, (number, glasses) in splits.items():
            names = [path.name for path in (tmp_path / f"trained_on_{fold}/Processed/{split}/image").iterdir()]
            assert len(names) == 2
            assert all(name[0] == number and f"_{glasses}" in name for name in names)


def test_commands_side_by_side_prepare_one_after_the_other(tmp_path):
    (tmp_path / CLONE).mkdir()
    log = tmp_path / "log"
    script = f"""
import time
from pathlib import Path
from scripts.drivers import run_benchmark

def slowly(arguments):
    for word in ("begins", "ends"):
        with open({str(log)!r}, "a") as file:
            print(word, Path(arguments[1]).parent.name, file=file)
        time.sleep(0.3)
    return 0

run_benchmark.prepare_data.main = slowly
run_benchmark.prepare_folds(Path({str(tmp_path)!r}), 1)
"""
    commands = [subprocess.Popen([sys.executable, "-c", script], cwd=REPO) for _ in range(2)]
    assert [command.wait(120) for command in commands] == [0, 0]
    lines = log.read_text().splitlines()
    for fold in FOLDS:
        of_fold = [line.split()[0] for line in lines if line.endswith(f"trained_on_{fold}")]
        assert of_fold == ["begins", "ends"] * 2


def test_without_a_clone_it_says_how_to_get_one(tmp_path, capsys):
    assert run_benchmark.main([str(tmp_path), str(tmp_path)]) == 2
    assert "git clone --depth 1 https://github.com/mat02" in capsys.readouterr().err
