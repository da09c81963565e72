"""Fine-tuning on a few labelled frames: from a folder to a report and a network, and what is refused."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from lib.datasets.division import find_division
from lib.utils.config import load_config
from lib.utils.errors import ConfigError
from scripts.finetune import CONFIG, WEIGHTS, iterations_for, main, make_config
from tests.scripts.conftest import REPO

QUICK = [
    *("--max_iters", "1", "--train_batch_size", "2", "--workers", "0", "--gpu", "-1"),
    *("train.data_transformer.input_size=[64,48]", "train_trans.random_crop.crop_size=[64,48]"),
]


def write_frames(folder, count=5, largest=5, size=(60, 80), scale=1.0, dtype=np.float32):
    """Frames of a warm square with stripes of the classes, the last one in each."""
    for kind in ("image", "label"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    for index in range(count):
        label = np.zeros(size, np.uint8)
        label[12:48, 20:60] = np.linspace(1, largest, 40).round().astype(np.uint8)
        image = 22 + 12 * (label > 0) + rng.normal(0, 0.3, size)
        np.save(folder / f"image/frame{index}.npy", (image * scale).astype(dtype))
        Image.fromarray(label).save(folder / f"label/frame{index}.png")
    return folder


def config_for(folder, tmp_path, *further, configs=None):
    return make_config(find_division(folder), tmp_path / "run", configs, further)


def test_from_a_folder_to_a_report_and_a_network(tmp_path, capsys):
    data, scratch = write_frames(tmp_path / "data"), tmp_path / "scratch"
    np.save(data / "image/frame9.npy", np.zeros((60, 80), np.float32))
    before = {path: path.read_bytes() for path in data.rglob("*.*")}
    arguments = [str(data), str(scratch), "mine", *QUICK]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    run = scratch / "mine"
    checkpoint = run / "checkpoints/mine_max_performance.pth"
    assert "5 labelled frames (1 without label are left out), divided by time" in said
    assert f"report:           {run / 'after/report.html'}" in said
    assert f"bash scripts/predict.sh --resume {checkpoint} INPUT OUT" in said
    assert "of the people that it was trained on" in said
    assert checkpoint.is_file()
    assert json.loads((run / "before/metrics.json").read_text())["checkpoint"] == str(WEIGHTS)
    assert list(json.loads((run / "compare.json").read_text())["runs"]) == ["before", "after"]
    assert {path: path.read_bytes() for path in data.rglob("*.*")} == before
    assert sorted(path.name for path in (run / "data/val/image").iterdir()) == ["frame4.npy"]
    assert np.load(run / "data/val/image/frame4.npy").shape == (48, 64)  # as predictions see it

    assert main(arguments) == 0  # what is done stays
    assert "nothing to do: 1 of 1 iterations are done" in capsys.readouterr().out

    Image.fromarray(np.zeros((60, 80), np.uint8)).save(data / "label/frame0.png")
    assert main(arguments) == 2
    assert "had other frames, labels or settings; choose another NAME" in capsys.readouterr().err


@pytest.mark.parametrize("beside", [False, True])
def test_classes_of_ones_own_get_a_last_layer_of_their_own(tmp_path, capsys, beside):
    data = write_frames(tmp_path / "data", largest=2, scale=100, dtype=np.uint16)
    own = data / "config.yaml" if beside else tmp_path / "mine.yaml"
    names = ["background", "face", "hand"]
    own.write_text(yaml.safe_dump({"data": {"num_classes": 3, "class_names": names, "temp_preset": "centi_celsius"}}))
    named = [] if beside else ["--configs", str(own)]
    assert main([str(data), str(tmp_path), "hands", *named, *QUICK]) == 0
    run = tmp_path / "hands"
    assert [entry["name"] for entry in json.loads((run / "after/metrics.json").read_text())["classes"]] == names
    assert not (run / "before").exists()
    assert 20 < np.load(run / "data/train/image/frame0.npy").mean() < 35  # deg C
    assert load_config(run / "finetune.yaml")[0].data.temp_preset is None
    assert "report:" in capsys.readouterr().out


@pytest.mark.parametrize(("largest", "remapped"), [(5, False), (7, True)])
def test_label_values_tell_the_six_classes_from_the_eight_of_the_database(tmp_path, largest, remapped):
    config = config_for(write_frames(tmp_path / "data", largest=largest), tmp_path)
    assert config.data.remap_classes == ([0, 1, 2, 3, 3, 4, 4, 5] if remapped else None)


def test_arguments_overrule_what_is_chosen(tmp_path):
    data = write_frames(tmp_path / "data")
    config = config_for(data, tmp_path, "data.remap_classes=[0,1,1,2,2,3]", "--max_iters", "9", "lr.base_lr=0.01")
    assert config.data.remap_classes == [0, 1, 1, 2, 2, 3]
    assert (config.solver.max_iters, config.lr.base_lr) == (9, 0.01)
    with pytest.raises(ConfigError, match="max_itres"):
        config_for(data, tmp_path, "--max_itres", "9")


def test_more_frames_are_trained_on_for_longer():
    lengths = [iterations_for(count) for count in (1, 5, 20, 50, 200, 10**6)]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 3


def test_the_config_starts_from_the_shipped_weights_at_the_size_of_its_predictions():
    config, shipped = load_config(CONFIG)[0], load_config(WEIGHTS.with_suffix(".yaml"))[0]
    assert REPO / config.network.pretrained == WEIGHTS
    assert config.network.base_channels == shipped.network.base_channels
    assert config.normalize == shipped.normalize
    assert config.data.names == shipped.data.names
    assert config.train.data_transformer.input_size == shipped.train.data_transformer.input_size


def test_grey_levels_are_written_in_eight_bits(tmp_path):
    data = write_frames(tmp_path / "data", scale=300, dtype=np.uint16)
    assert main([str(data), str(tmp_path), *QUICK, "data.temp_preset=none"]) == 0
    with Image.open(tmp_path / "finetuned/data/train/image/frame0.png") as picture:
        assert picture.mode == "L"
        assert np.asarray(picture).min() == 0
        assert np.asarray(picture).max() == 255


@pytest.mark.parametrize("fault", ["nothing", "size", "value"])
def test_what_cannot_be_trained_on_is_named(tmp_path, capsys, fault):
    data = tmp_path / "data"
    if fault != "nothing":
        write_frames(data)
        wrong = np.zeros((30, 80), np.uint8) if fault == "size" else np.full((60, 80), 9, np.uint8)
        Image.fromarray(wrong).save(data / "label/frame2.png")
    assert main([str(data), str(tmp_path), *QUICK]) == 2
    said = capsys.readouterr().err
    expected = {"nothing": "no labelled frames", "size": "label the frame at its own size", "value": "without a class"}
    assert expected[fault] in said
    assert fault == "nothing" or "frame2.png" in said


def test_the_script_runs_the_program(ready):
    (ready.repo / "scripts/finetune.py").write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
    done = ready.bash("scripts/finetune.sh", "DATA", "SCRATCH", "--max_iters", "5")
    assert done.returncode == 3
    assert done.stdout.strip() == "['DATA', 'SCRATCH', '--max_iters', '5']"
