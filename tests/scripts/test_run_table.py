"""Tables from the command line: whole ones at tiny size, and what happens to cells that are done, cut off or broken."""

import csv
import json
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import pytest
import torch

import main as main_py
from lib.utils.cli import parse_command_line
from lib.utils.files import atomic_write
from scripts.thermalFaceDB.run_table import main
from scripts.thermalFaceDB.tables import runs
from scripts.thermalFaceDB.tables.plan import TABLES

REPO = Path(__file__).resolve().parents[2]
TINY = [
    *("--networks", "U", "--seeds", "0,1", "--gpu", "-1", "--workers", "0", "--train_batch_size", "2"),
    *("--log_to_file", "n", "network.base_channels=4", "solver.precision=fp32", "test.batch_size=4"),
    *("train.data_transformer.input_size=[64,64]", "train_trans.random_crop.crop_size=[64,64]"),
]


class Process:
    """Stands for a process of main.py: ``work(arguments, its output) -> status`` in this one."""

    calls: list[list[str]] = []
    work = staticmethod(lambda arguments, output: 0)

    def __init__(self, command, stdout, stderr):
        self.arguments, self.output = command[2:], stdout.name
        assert Path(command[1]) == REPO / "main.py"
        self.calls.append(self.arguments)

    def wait(self):
        with open(self.output, "w") as file:
            return type(self).work(self.arguments, file)

    def terminate(self):
        """Nothing runs beside the test."""


@pytest.fixture
def processes(monkeypatch):
    """The :class:`Process` that tables start, with no calls so far."""
    log = logging.getLogger("samcl")
    before = log.handlers[:], log.level, log.propagate
    monkeypatch.setattr(runs, "subprocess", SimpleNamespace(Popen=Process, STDOUT=subprocess.STDOUT))
    monkeypatch.setattr(Process, "calls", [])
    yield Process
    log.handlers[:], log.level, log.propagate = before


def pretend(arguments: list[str], output: TextIO) -> int:
    """A main.py that learns nothing in no time: 30 % without, 40 % with TiAug in the name, and the seed."""
    line = parse_command_line(arguments)
    if line.flags["phase"] == "test":
        out, cell = Path(line.flags["test.out_dir"]), Path(line.configs).parent.name
        miou = (0.3 if "without" in cell else 0.4) + 0.01 * ("seed1" in cell)
        with atomic_write(out / "metrics.json", "w") as file:
            json.dump({"miou": miou}, file)
    return 0


def steps(processes) -> list[tuple[str, str]]:
    """Cell and step of the calls so far, which are forgotten."""
    lines = [parse_command_line(call) for call in processes.calls]
    processes.calls.clear()
    return [(Path(line.configs).parent.name, line.flags.get("test.val_aug", "train")) for line in lines]


def table_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "fork", [pytest.param(False, marks=pytest.mark.thorough, id="scratch"), pytest.param(True, id="fork")]
)
def test_whole_strategies_table(processes, tiny_database, tmp_path, monkeypatch, fork):
    """Really trained and validated with the first seed; runs of the second one are pretended."""

    def work(arguments, output):
        return main_py.main(arguments) if "_seed0" in " ".join(arguments) else pretend(arguments, output)

    monkeypatch.setattr(processes, "work", work)
    protocol = ["--protocol", "fork", "--fork_iters", "1"] if fork else []
    command = ["strategies", str(tiny_database.parent), str(tmp_path), *TINY, "--max_iters", "2", *protocol]
    assert main(command) == 0
    folder = tmp_path / "tables" / ("strategies_fork1" if fork else "strategies")
    assert (folder / "table.png").read_bytes().startswith(b"\x89PNG")
    assert "- |" not in (folder / "table.md").read_text()
    rows = table_rows(folder / "table.csv")
    assert {row["strategy"] for row in rows} == {row.title for row in TABLES["strategies"].rows}
    assert all(row["seeds"] == "0 1" and 0 <= float(row["mean"]) <= 100 for row in rows)
    assert {row["set"] for row in rows} == {"validation", "unconstrained validation"}
    scores = {row["score"] for row in table_rows(folder / "cells.csv")}
    assert {"mIoU", "background", "nose"} <= scores
    assert all(bool(row["interval_low"]) == bool(row["compared_to"]) for row in rows)
    assert len(list((folder / "configs").iterdir())) == 20

    starts = {Path(line.configs).parent.name: line for line in map(parse_command_line, processes.calls[::-1])}
    trained = {cell: line.flags for cell, line in starts.items()}
    assert len(trained) == (22 if fork else 20)
    for cell, flags in trained.items():
        latest = tmp_path / f"tables/runs/{cell}/{cell}_latest.pth"
        if "seed0" in cell:
            weights = torch.load(latest, map_location="cpu", weights_only=True)
            assert weights["training"]["iteration"] == (1 if "fork" in cell else 2)
        if "fork" in cell:
            baseline = f"U_rmi_{cell.split('_')[-2]}"
            assert flags["network.resume"].endswith(f"runs/{baseline}/{baseline}_latest.pth")
            assert flags["network.resume_strict"] == ("contrast" not in cell)
            assert "network.resume_continue" not in flags

    processes.calls.clear()
    assert main(command) == 0
    assert not processes.calls


def test_the_script_runs_main_py_in_processes(processes, tiny_database, tmp_path, monkeypatch):
    def work(arguments, output):
        return main_py.main(arguments) if "/U_samcl_seed0/" in " ".join(arguments) else pretend(arguments, output)

    monkeypatch.setattr(processes, "work", work)
    command = ["ablation", str(tiny_database.parent), str(tmp_path), *TINY, "--seeds", "0", "--max_iters", "1"]
    assert main(command) == 0
    metrics = tmp_path / "tables/runs/U_samcl_seed0/val/metrics.json"
    before = scores_in(metrics)
    metrics.unlink()
    done = subprocess.run(
        ["bash", REPO / "scripts/thermalFaceDB/run_table.sh", *command],
        env={"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": sys.prefix, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "6 cells, 5 done before" in done.stdout
    assert scores_in(metrics) == before


def scores_in(metrics: Path) -> dict:
    """What a metrics.json says but for when and how fast it was measured."""
    content = json.loads(metrics.read_text())
    return {key: value for key, value in content.items() if key not in ("environment", "frames_per_second")}


@pytest.fixture
def ablation(processes, tiny_database, tmp_path, monkeypatch):
    """Makes an ablation table of pretended runs; further arguments come last."""
    monkeypatch.setattr(processes, "work", pretend)

    def make(*further: str) -> int:
        return main(["ablation", str(tiny_database.parent), str(tmp_path), *TINY, "--seeds", "0", *further])

    return make


CELLS = [f"U_{row.strategy}_seed0" for row in TABLES["ablation"].rows]


def test_runs_each_step_once_and_only_what_is_missing(ablation, processes, tmp_path):
    assert ablation() == 0
    assert steps(processes) == [(cell, step) for cell in CELLS for step in ("train", "none", "tiaug")]
    assert ablation() == 0
    assert not processes.calls
    assert ablation("--seeds", "0,1") == 0
    assert steps(processes) == [
        (cell.replace("seed0", "seed1"), step) for cell in CELLS for step in ("train", "none", "tiaug")
    ]
    (tmp_path / "tables/runs/U_rmi_seed0/val_tiaug/metrics.json").unlink()
    (tmp_path / "tables/runs/U_rmi_seed0/val_tiaug").rmdir()
    assert ablation() == 0
    assert steps(processes) == [("U_rmi_seed0", "tiaug")]


def test_a_failed_cell_is_recorded_others_go_on_and_it_is_tried_again(
    ablation, processes, tmp_path, monkeypatch, capsys
):
    def fail(arguments, output):
        line = parse_command_line(arguments)
        if "U_rmi_seed0" not in line.configs:
            return pretend(arguments, output)
        output.write("error: loss not finite:\n  rmi nan\n(--debug shows where)\n")
        return 1

    monkeypatch.setattr(processes, "work", fail)
    assert ablation() == 1
    table = (tmp_path / "tables/ablation/table.md").read_text()
    assert "- `U_rmi_seed0`: train: loss not finite: rmi nan" in table
    assert "| RMI + TiAug | - |" in table
    assert "| RMI | 30.00 |" in table
    assert "U_rmi_seed0: train: loss not finite" in capsys.readouterr().out
    processes.calls.clear()
    monkeypatch.setattr(processes, "work", pretend)
    assert ablation() == 0
    assert {cell for cell, _ in steps(processes)} == {"U_rmi_seed0"}
    assert "Failed" not in (tmp_path / "tables/ablation/table.md").read_text()


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [("Traceback\nMemoryError\n", 1, "MemoryError"), ("iteration 5\n", -9, "signal 9"), ("", 3, "status 3")],
)
def test_failures_without_a_message_of_ours_are_told(ablation, processes, tmp_path, monkeypatch, said, status, message):
    def fail(arguments, output):
        output.write(said)
        return status

    monkeypatch.setattr(processes, "work", fail)
    assert ablation() == 1
    assert (tmp_path / "tables/ablation/table.md").read_text().count(message) == len(CELLS)


def test_an_interrupted_cell_is_resumed_and_a_fork_is_too(ablation, processes, tmp_path, monkeypatch):
    def cut_off(arguments, output):
        line = parse_command_line(arguments)
        cell = Path(line.configs).parent
        (cell / f"{cell.name}_latest.pth").touch()
        return -15 if line.flags["phase"] == "train" and "samcl_seed" in cell.name else pretend(arguments, output)

    for further in ([], ["--protocol", "fork", "--fork_iters", "4"]):
        monkeypatch.setattr(processes, "work", cut_off)
        assert ablation(*further) == 1
        processes.calls.clear()
        monkeypatch.setattr(processes, "work", pretend)
        assert ablation(*further) == 0
        line = parse_command_line(processes.calls[0])
        cell = "U_samcl_seed0_fork4" if further else "U_samcl_seed0"
        latest = tmp_path / f"tables/runs/{cell}/{cell}_latest.pth"
        assert line.flags["network.resume"] == str(latest)
        assert line.flags["network.resume_continue"]
        assert "checkpoints.overwrite" not in line.flags
        assert ("solver.max_iters=4" in line.pairs) == bool(further)
        assert len(processes.calls) == 3
        processes.calls.clear()


def test_forks_of_a_failed_baseline_fail_with_it(ablation, processes, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "work", lambda arguments, output: 1)
    assert ablation("--protocol", "fork", "--fork_iters", "4") == 1
    assert steps(processes) == [("U_rmi_without_tiaug_seed0", "train"), ("U_rmi_seed0", "train")]
    assert (tmp_path / "tables/ablation_fork4/table.md").read_text().count("its baseline failed") == len(CELLS)


def test_other_arguments_are_not_mixed_with_what_is_there(ablation, processes, capsys):
    assert ablation("--max_iters", "3") == 0
    processes.calls.clear()
    assert ablation("--max_iters", "4") == 2
    assert "solver.max_iters was 3, now 4" in capsys.readouterr().err
    assert ablation("--max_iters", "3", "--workers", "2", "--save_iters", "2", "logging.stdout_level=error") == 0
    assert not processes.calls


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (["--seed", "3"], "seed: set by each cell"),
        (["gcl.loss_weight=3"], "gcl.loss_weight: set by each cell"),
        (["--print_config"], "--print_config"),
        (["--max_itres", "3"], "did you mean --max_iters?"),
        (["--max_iters", "0"], "solver.max_iters"),
    ],
)
def test_arguments_of_main_py_are_checked_before_anything_runs(ablation, processes, capsys, further, message):
    assert ablation(*further) == 2
    assert message in capsys.readouterr().err
    assert not processes.calls


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (["--networks", "U,V"], "expected different ones of U, AU"),
        (["--seeds", "1,1"], "expected different numbers"),
        (["--protocol", "fork"], "belong together"),
        (["--fork_iters", "3"], "belong together"),
        (["--jobs", "0"], "expected a number above 0"),
    ],
)
def test_own_arguments_are_checked(ablation, capsys, further, message):
    with pytest.raises(SystemExit) as ended:
        ablation(*further)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_jobs_take_the_visible_gpus_in_turn(processes, tiny_database, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "work", pretend)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    command = ["ablation", str(tiny_database.parent), str(tmp_path), "--networks", "U", "--jobs", "4"]
    assert main(command) == 0
    assert {call[-1] for call in processes.calls} == {"gpu=[0]", "gpu=[1]"}
    (tmp_path / "tables/runs/U_rmi_seed0/val/metrics.json").unlink()
    (tmp_path / "tables/runs/U_rmi_seed0/val").rmdir()
    processes.calls.clear()
    assert main([*command[:-2], "--gpu", "1"]) == 0
    assert not any("gpu=" in word for word in processes.calls[0])


def test_other_unconstrained_frames_are_a_set_of_their_own(ablation, processes, tmp_path):
    assert ablation("--unconstrained", str(tmp_path / "street")) == 0
    tests = [line for line in map(parse_command_line, processes.calls) if line.flags["phase"] == "test"]
    frames = {Path(line.flags["test.out_dir"]).name: line.flags.get("test.test_dir") for line in tests}
    assert frames == {"val": None, "unconstrained": str(tmp_path / "street")}
    rows = table_rows(tmp_path / "tables/ablation/table.csv")
    assert {row["set"] for row in rows} == {"validation", "unconstrained"}


def test_networks_may_have_fewer_seeds(ablation, processes, tmp_path):
    assert ablation("--networks", "U,AU:1", "--seeds", "0,1") == 0
    trained = [cell for cell, step in steps(processes) if step == "train"]
    assert sum(cell.startswith("AU") for cell in trained) == len(CELLS)
    assert len(trained) == 3 * len(CELLS)


@pytest.mark.parametrize("place", ["Processed", "raw", "."])
def test_synthetic_data_is_named(processes, tiny_database, tmp_path, monkeypatch, place):
    monkeypatch.setattr(processes, "work", pretend)
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "synthetic.json").write_text("{}")
    assert main(["ablation", str(tmp_path), str(tmp_path), *TINY, "--seeds", "0"]) == 0
    assert (tmp_path / "tables/ablation/table.md").read_text().startswith("# Ablation, synthetic frames")
