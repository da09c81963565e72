"""The GPU check: on a machine without one it runs whole, at tiny size, and says that it measured none."""

import json

import pytest
import torch

from lib.loss.sam_cl import MODES
from scripts import gpu_check
from scripts.gpu_checks import arithmetic
from scripts.gpu_checks.findings import Finding, table
from scripts.gpu_checks.subject import Subject, networks_to_compare
from segmentor.objectives import loss_types


@pytest.fixture(autouse=True)
def without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Exit status, text and content of the check."""
    out = tmp_path_factory.mktemp("gpu_check")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        status = gpu_check.main(["--out", str(out), "--minutes", "60"])
    return status, (out / "gpu_check.md").read_text(), json.loads((out / "gpu_check.json").read_text())


def names_of(content, module):
    return [finding["name"] for finding in content["findings"][module]]


@pytest.mark.thorough
def test_nothing_is_wrong_and_no_gpu_was_measured(report):
    status, text, content = report
    assert status == 0, text
    assert "**No GPU was measured**" in text
    assert content["gpu_measured"] is False
    assert content["left_out"] == []
    assert "**no**" not in text


@pytest.mark.thorough
def test_every_network_loss_and_mode_is_compared(report):
    names = names_of(report[2], "arithmetic")
    assert all(
        any(name.startswith(f"{network}, fp32") for name in names)
        for network in networks_to_compare(arithmetic.BACKBONES[:1])
    )
    assert all(f"loss {loss}: error of value or gradient" in names for loss in loss_types())
    assert all(any(f"mode {mode}:" in name for name in names) for mode in MODES)


@pytest.mark.thorough
def test_every_part_found_something(report):
    assert set(report[2]["findings"]) == {part.partition(":")[0] for part in gpu_check.PARTS}
    assert len([finding for found in report[2]["findings"].values() for finding in found]) > 60


@pytest.mark.thorough
def test_tiny_sizes_have_no_goals_of_speed(report):
    assert {finding["limit"] for module in ("speed", "loading") for finding in report[2]["findings"][module]} == {None}


def test_a_device_that_computes_otherwise_is_found(monkeypatch, tmp_path):
    passes, calls = arithmetic._passes, []

    def off_on_the_device(*arguments):
        calls.append(arguments)
        logits, gradients = passes(*arguments)
        return (logits if len(calls) <= 5 else 1.001 * logits), gradients  # five are of the CPU

    monkeypatch.setattr(arithmetic, "_passes", off_on_the_device)
    monkeypatch.setattr(arithmetic, "networks_to_compare", lambda backbones: ["unet"])
    monkeypatch.setattr(gpu_check, "PARTS", ("arithmetic:networks",))
    assert gpu_check.main(["--out", str(tmp_path)]) == 1
    assert "| **no** |" in (tmp_path / "gpu_check.md").read_text()


def test_a_part_that_fails_is_told_and_loses_no_other(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(arithmetic, "networks_to_compare", lambda backbones: 1 / 0)
    monkeypatch.setattr(gpu_check, "PARTS", ("arithmetic:networks", "training:processes"))
    assert gpu_check.main(["--out", str(tmp_path)]) == 1
    assert "networks ran to its end" in capsys.readouterr().err
    assert "gloo with one process" in (tmp_path / "gpu_check.md").read_text()


def test_what_there_was_no_time_for_is_listed(tmp_path):
    assert gpu_check.main(["--out", str(tmp_path), "--minutes", "0"]) == 0
    assert len(json.loads((tmp_path / "gpu_check.json").read_text())["left_out"]) == len(gpu_check.PARTS)
    assert "Left out, as the time was over: arithmetic: networks" in (tmp_path / "gpu_check.md").read_text()


def test_missing_packages_are_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gpu_check, "find_spec", lambda module: None if module in ("cv2", "tqdm") else module)
    assert gpu_check.main(["--out", str(tmp_path)]) == 1
    assert "missing packages: tqdm, opencv-python" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("finding", "met", "cell"),
    [
        (Finding("a", 0.5, 1.0), True, "yes"),
        (Finding("a", 1.5, 1.0), False, "**no**"),
        (Finding("a", float("nan"), 1.0), False, "**no**"),
        (Finding("a", 1.5), None, ""),
        (Finding.verdict("a", False), False, "**no**"),
    ],
)
def test_a_finding_is_as_it_should_be_or_not(finding, met, cell):
    assert finding.met is met
    assert table([finding]).splitlines()[-1].split(" | ")[3].strip() == cell


def test_the_script_runs_the_check(ready):
    done = ready.bash(str(ready.repo / "scripts/gpu_check.sh"), "--quick")
    assert ready.calls("scripts/gpu_check.py --quick"), done.stderr
    assert Subject(torch.device("cpu"), ready.repo, True).goal(0.1) is None
