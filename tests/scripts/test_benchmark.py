"""The benchmark: its arithmetic, its files, and that its baselines compute what they stand for."""

import json
import math
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib.datasets.transforms.geometric import Rotation
from lib.datasets.transforms.sequence import TransformSequence
from lib.loss import RMILoss, SAMCLLoss
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from lib.utils.errors import Interrupted
from scripts import benchmark
from scripts.benchmarks import (
    augmentation,
    checking,
    costs,
    live,
    losses,
    measure,
    memory,
    networks,
    predicting,
    steps,
    validation,
)
from scripts.benchmarks import published_augmentation as published
from scripts.benchmarks.children import command_line, run_child
from scripts.benchmarks.measure import Row, Samples, Section, at_least, at_most, interleaved
from scripts.benchmarks.published_losses import PublishedAuxiliary, published_rmi, published_samcl
from scripts.benchmarks.report import write_report
from scripts.benchmarks.setup import REPO, Setup
from scripts.benchmarks.stepping import BareNetwork, run_trainer
from tests.segmentor.live.conftest import face, find

TINY = {
    "network.base_channels": 4,
    "train.data_transformer": {"input_size": [64, 48]},
    "train_trans.random_crop.crop_size": [64, 48],
    "data.workers": 0,
}


class TinySetup(Setup):
    """As for --quick, with a tiny network."""

    def pairs(self, run, **values):
        return super().pairs(run, **{**values, **TINY})


@pytest.fixture
def setup(data_dir, tmp_path):
    """A quick setup on the discs."""
    setup = TinySetup(tmp_path, quick=True, threads=1)
    setup.__dict__["prepared"] = data_dir  # in the place where the property keeps what it made
    return setup


def row(ours=2.0, baseline=10.0, goal=None, **values):
    return Row("a", Samples((ours,)), Samples((baseline,)), "ms", goal or at_least(4), **values)


positive = st.floats(1e-3, 1e3)


@given(positive, positive, positive)
def test_ratios_of_speed_grow_and_ratios_of_cost_shrink_as_ours_gets_better(ours, baseline, limit):
    speed, cost = row(ours, baseline, at_least(limit)), row(ours, baseline, at_most(limit))
    assert speed.ratio == baseline / ours
    assert cost.ratio == ours / baseline
    assert speed.met == (ours * limit <= baseline) or math.isclose(ours * limit, baseline)
    assert cost.met == (ours <= limit * baseline) or math.isclose(ours, limit * baseline)


def test_a_goal_just_reached_is_met():
    assert row(2.5, 10, at_least(4)).met
    assert row(10, 2.5, at_most(4)).met


def test_ratios_are_of_medians():
    ours, baseline = Samples((1.0, 2.0, 90.0)), Samples((50.0, 8.0, 0.1))
    assert Row("a", ours, baseline, "ms", at_least(4)).ratio == 4
    assert str(ours) == "2 (1 - 90)"
    assert str(ours.times(1000)) == "2000 (1000 - 90000)"


def test_a_row_with_another_fault_is_not_met():
    assert not row(otherwise="imports too early").met


def test_cases_take_turns_and_warmups_do_not_count(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(measure.time, "perf_counter", lambda: now[0])

    def case(name, seconds):
        def run():
            calls.append(name)
            now[0] += seconds + (100 if len(calls) <= 2 else 0)

        return run

    times = interleaved({"a": case("a", 1), "b": case("b", 2)}, repeats=3)
    assert times == {"a": Samples((1, 1, 1)), "b": Samples((2, 2, 2))}
    assert "".join(calls) == "abbaabba"


def test_files_hold_the_rows_as_measured(tmp_path):
    sections = [
        Section("First", [row(), row(9.0, 10.0, at_most(0.5), otherwise="late")], ["Some words."]),
        Section("Table alone", text=[measure.table(["a", "b"], [["c", "1"]])]),
    ]
    write_report(Setup(tmp_path, True, 1), sections)
    first, second = json.loads((tmp_path / "benchmark.json").read_text())
    assert first == {
        "name": "a", "ours": 2.0, "baseline": 10.0, "unit": "ms", "ratio": 5.0, "goal": ">= 4", "met": True
    }  # fmt: skip
    assert (second["ratio"], second["goal"], second["met"]) == (0.9, "<= 0.5", False)
    text = (tmp_path / "benchmark.md").read_text()
    assert "| a | 2 ms | 10 ms | 5 | >= 4 | yes |" in text
    assert "| no: late |" in text
    assert "## Table alone\n\n| a | b |\n| --- | ---: |\n| c | 1 |\n" in text
    assert "1 computing thread " in text


def test_a_part_that_fails_loses_no_other(tmp_path, monkeypatch, capsys):
    modules = {
        "scripts.benchmarks.losses": SimpleNamespace(measure_rmi=lambda setup: 1 / 0),
        "scripts.benchmarks.preparing": SimpleNamespace(measure_prepare=lambda setup: Section("P", [row()])),
    }
    monkeypatch.setattr(benchmark.importlib, "import_module", modules.get)
    assert benchmark.main(["--only", "prepare,rmi", "--out", str(tmp_path), "--threads", "1"]) == 1
    assert len(json.loads((tmp_path / "benchmark.json").read_text())) == 1
    captured = capsys.readouterr()
    assert "ZeroDivisionError" in captured.err
    assert "failed: rmi" in captured.err
    assert captured.out.index("== rmi") < captured.out.index("== prepare")


@pytest.mark.parametrize("signal", [KeyboardInterrupt(), Interrupted("stopped", 15)])
def test_an_interrupted_run_ends_with_what_it_has(tmp_path, monkeypatch, capsys, signal):
    def stop(setup):
        raise signal

    modules = {
        "scripts.benchmarks.augmentation": SimpleNamespace(measure_tiaug=lambda setup: Section("T", [row()])),
        "scripts.benchmarks.losses": SimpleNamespace(measure_rmi=stop, measure_samcl=None),
    }
    monkeypatch.setattr(benchmark.importlib, "import_module", modules.get)
    assert benchmark.main(["--only", "tiaug,rmi,samcl", "--out", str(tmp_path)]) == 130
    assert len(json.loads((tmp_path / "benchmark.json").read_text())) == 1
    assert capsys.readouterr().err == "benchmark.sh: interrupted\n"


@pytest.mark.parametrize("arguments", [["--only", "rmi,speed"], ["--threads", "0"], ["--fast"]])
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        benchmark.main(arguments)
    assert refused.value.code == 2
    assert arguments[-1].rpartition(",")[2] in capsys.readouterr().err


def test_every_part_is_there_and_in_the_help(ready):
    for place in benchmark.PARTS.values():
        module, function = place.split(":")
        source = (REPO / "scripts/benchmarks" / f"{module}.py").read_text()
        assert f"def {function}(setup: Setup) -> Section:" in source
    done = ready.bash("scripts/benchmark.sh", "--help")
    assert done.returncode == 0
    assert f"alone: {' '.join(benchmark.PARTS)}\n" in done.stdout


def test_the_script_hands_its_arguments_on(ready):
    done = ready.bash(str(ready.repo / "scripts/benchmark.sh"), "--quick", "--only", "rmi", cwd=Path("/"))
    assert ready.calls("scripts/benchmark.py --quick --only rmi"), done.stderr


def test_published_rmi_is_ours():
    logits, labels = losses.masks((2, 6, 64, 80))
    ours, theirs = RMILoss()(logits, labels), published_rmi(logits, labels)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-4)
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)


def test_published_samcl_is_the_published_mode():
    logits, labels = losses.masks((2, 6, 32, 40))
    theirs, ours = PublishedAuxiliary(6), SAMCLAuxiliary(6, reflect_padding=True)
    for to, parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
        to.data.copy_(parameter.data)
    loss = SAMCLLoss(6, mode="published")(logits, labels, ours, torch.full((6,), -1))
    assert published_samcl(logits, labels, theirs).item() == pytest.approx(loss.item(), rel=1e-5)


def disc(height=64, width=80):
    """A frame of two temperatures and its label."""
    y, x = np.mgrid[:height, :width]
    label = (((y - 25) ** 2 + (x - 45) ** 2 < 200) + 2 * (y > 50)).astype(np.uint8)
    return (20 + 10 * (label == 1)).astype(np.float32), label


def test_published_rotation_is_ours_up_to_the_edges_of_regions():
    image, label = disc()
    turned_image, turned = published.crop(*published.rotate(image, label, 33.0, 4), (80, 64))
    ours_image, ours, _ = TransformSequence([]).apply(image, label, [Rotation(33.0)])
    inside = (turned >= 0) & (ours != 255)
    assert (turned[inside] == ours[inside]).mean() > 0.98
    assert np.abs(turned_image - ours_image)[inside].mean() < 0.2
    assert ((turned < 0) == (ours == 255)).mean() > 0.98


def test_published_rotation_by_a_right_angle_is_exact():
    image, label = (array[:, :64] for array in disc())
    turned_image, turned = published.rotate(image, label, 90.0, 4)
    np.testing.assert_array_equal(turned, np.rot90(label))
    np.testing.assert_allclose(turned_image, np.rot90(image), atol=1e-6)


def test_published_sequence_makes_samples_of_a_network():
    image, label = disc()
    shares = []
    for seed in range(20):
        warm, classes = published.PublishedTiAug(4, (80, 64))(image, label, np.random.default_rng(seed))
        assert warm.shape == classes.shape == (64, 80)
        assert set(np.unique(classes)) <= {-1, 0, 1, 2}
        shares.append((classes == 1).mean())
        normal = published.normalise(warm)
        assert normal.dtype == np.float32
        assert (normal.min(), normal.max()) == (-1, 1)
    assert np.std(shares) > 0.02


def test_published_occluders_are_objects_of_temperatures_around_the_frames():
    image, changed = np.linspace(20, 30, 64 * 80).reshape(64, 80), 0
    for seed in range(20):
        result = published.occlude(image, np.random.default_rng(seed))
        changed += (result != image).mean()
        assert result.min() > 9
        assert result.max() < 41
    assert 0.02 < changed / 20 < 0.9


def test_steps_of_the_trainer_are_timed_phase_by_phase(setup):
    done = []
    batches = run_trainer(setup.config("U_GCL_Occ", "run", train__batch_size=2), 3, done.append)
    assert done == [0, 1, 2, 3]
    assert len(batches.seconds) == 3
    for seconds, phases in zip(batches.seconds, batches.phases(), strict=True):
        assert sum(phases.values()) == pytest.approx(seconds)
        assert min(phases.values()) > 0
    assert not list(setup.folder.rglob("*.pth"))


def test_the_bare_network_learns(setup):
    images, labels = torch.randn(2, 1, 32, 32), torch.zeros(2, 32, 32, dtype=torch.long)
    bare = BareNetwork(setup.config("U_Occ", "bare"), images, labels, None)
    before = [parameter.clone() for parameter in bare.network.parameters()]
    bare.step()
    assert all((old != new).any() for old, new in zip(before, bare.network.parameters(), strict=True))


def test_segments_share_the_frames(setup):
    folders = setup.segments(2, 4)
    names = [sorted(path.name for path in (folder / "image").iterdir()) for folder in folders]
    assert [len(each) for each in names] == [2, 2]
    assert len({*names[0], *names[1]}) == 4
    for folder, images in zip(folders, names, strict=True):
        assert (folder / "label" / images[0].replace(".npy", ".png")).is_file()


def once(cases, repeats, warmups=1):
    """:func:`interleaved` without repeats: how long things take is not what these tests look at."""
    return interleaved(cases, 1, 0)


def test_parts_find_what_they_compare(setup, monkeypatch):
    monkeypatch.setattr(losses, "SHAPE", (2, 6, 48, 64))
    for part in (augmentation, checking, losses):
        monkeypatch.setattr(part, "interleaved", once)
    monkeypatch.setattr(validation, "VAL_FRAMES", 5)
    for part, rows in (
        (augmentation.measure_tiaug, 2),
        (losses.measure_rmi, 2),
        (losses.measure_samcl, 1),
        (steps.measure_step, 4),
        (validation.measure_val, 1),
        (checking.measure_check, 1),
    ):
        section = part(setup)
        assert len(section.rows) >= rows
        assert all(each.ratio >= 0 for each in section.rows)
        if part is losses.measure_rmi:
            assert section.rows[1].met


def test_predictions_are_compared_with_passes_a_rate_and_float32(setup, monkeypatch, tmp_path):
    frames = [tmp_path / f"{index}.npy" for index in range(3)]
    for path in frames:
        np.save(path, np.full((24, 32), 25, np.float32))
    setup.__dict__["sequence"] = frames
    asked = []

    def predict(folder, out, *options):
        asked.append((len(list(folder.iterdir())), *options))
        (out / "label").mkdir(parents=True)
        label = np.zeros((24, 32), np.uint8)
        label[0, 0] = "fp32" in options
        for path in folder.iterdir():
            np.load(path)
            Image.fromarray(label).save(out / "label" / f"{path.stem}.png")

    monkeypatch.setattr(predicting, "predict", predict)
    monkeypatch.setattr(predicting.BareForward, "over", lambda self, count: lambda: time.sleep(count / 1e4))
    rows = predicting.measure_predict(setup).rows
    assert [str(each.goal) for each in rows] == ["<= 1.3", "<= 1", "<= 1.1", "<= 1"]
    assert rows[-1].ours.median == 1 / (24 * 32)
    assert not rows[-1].met
    assert asked[:2] == [(40,), (80, "--save_vis", "n")]
    assert [each[0] for each in asked[2:]] == [3, 3]


def test_the_bare_passes_are_of_the_shipped_network(setup):
    bare = predicting.BareForward(setup)
    assert bare.over(1)().shape == (bare.size, 6, 256, 320)


def test_tables_have_a_line_for_each_case(setup, monkeypatch):
    for part in (networks, costs):
        monkeypatch.setattr(part, "interleaved", once)
    monkeypatch.setattr(networks, "NETWORKS", ("unet",))
    monkeypatch.setattr(networks, "WIDTH", 4)
    monkeypatch.setattr(costs, "Case", partial(costs.Case, height=32))
    monkeypatch.setattr(costs, "CLASSES", (2, 3))
    monkeypatch.setattr(costs, "HEIGHTS", (32, 64))
    monkeypatch.setattr(costs, "BATCHES", (1, 2))
    assert "| unet |" in networks.measure_networks(setup).text[0]
    section = costs.measure_costs(setup)
    assert [text.splitlines()[0].split(" | ")[0] for text in section.text[1:4]] == ["| classes", "| height", "| batch"]
    assert [len(text.splitlines()) for text in section.text[1:4]] == [4, 4, 4]
    with Image.open(setup.folder / "costs.png") as picture:
        assert picture.size == (1200, 400)


def test_rises_are_of_the_cost_of_a_unit_of_work():
    case = costs.Case
    cases = [case(batch=1), case(batch=2), case(batch=4)]
    measured = {each: {"RMI": Samples((time,))} for each, time in zip(cases, (1.0, 3.0, 6.0), strict=True)}
    assert costs.greatest_rises({"batch": cases}, measured).endswith(": RMI 1.5.")


def test_children_answer_or_say_why_not():
    assert run_child("-c", "print('noise'); print('benchmark: [1.5]')") == [1.5]
    with pytest.raises(RuntimeError, match="exit status 1\n(.*\n)*.*no such luck"):
        run_child("-c", "raise ValueError('no such luck')")


def test_a_run_gets_to_its_first_step_and_imports_nothing_that_waits(setup):
    before = time.time()
    answer = run_child("-m", "scripts.benchmarks.first_step", *command_line("U_GCL_Occ", setup.pairs("start")))
    assert before < answer["time"] < time.time()
    assert answer["loaded"] == []
    assert not list(setup.folder.rglob("*.pth"))


@pytest.mark.thorough
def test_memory_is_told_after_every_step(setup):
    peaks = memory.peaks(setup, "U_GCL_Occ", 2)
    assert len(peaks) == 2
    assert 50 < peaks[0] <= peaks[1]


def test_peak_memory_is_the_childs_own():
    ballast = np.ones(2**25)  # 256 MB that a child must not inherit
    code = (
        "from lib.utils.machine import peak_memory\nfrom scripts.benchmarks.children import tell\n"
        "before = peak_memory(); ballast = bytearray(2**26); ballast[::4096] = b'x' * 2**14; del ballast\n"
        "tell([before, peak_memory()])"
    )
    before, after = run_child("-c", code)
    assert 60 < after - before < 90
    assert ballast.all()


def test_a_live_view_is_measured_as_a_page_sees_it(setup, monkeypatch):
    monkeypatch.setattr(live, "set_up", lambda *a: None)
    monkeypatch.setattr(live, "film", lambda *a: [face(), face(33)])
    monkeypatch.setattr(live, "build_find", lambda config, runtime: find)
    (row,) = live.measure_live(setup).rows
    assert row.baseline.median == pytest.approx(1000 / 15)
    assert row.ours.median > 900 / live.CAMERA_FPS  # nobody sees more frames than there are
