"""A command that goes on from a checkpoint: what decides its numbers is the checkpoint's, and said."""

import json

import pytest
import torch

from lib.utils.config import Config, load_config, load_run_config
from lib.utils.errors import CheckpointError, ConfigError

TRAINING = {"best": {"miou": 0.5, "loss": 1.0}, "iteration": 3}
TEST = {"phase": "test"}
RESUME = {"phase": "train", "network.resume_continue": True}
OURS = {
    "data": {"data_dir": "frames", "num_classes": 3, "class_names": ["a", "b", "c"]},
    "train": {"batch_size": 4},
    "normalize": {"window": [20.0, 40.0]},
    "network": {"base_channels": 8},
    "loss": {"params": {"rmi_radius": 2}},
}


@pytest.fixture
def command(tmp_path):
    """What a command line makes of a file and the checkpoint of a run with config :data:`OURS`."""

    def load(file, phase, *pairs, trained=None, flags=()):
        config = load_config("", base=OURS)[0].model_dump(mode="json") if trained is None else trained
        path, checkpoint = tmp_path / "file.json", tmp_path / "run_latest.pth"
        path.write_text(json.dumps(file))
        torch.save({"config_dict": config, "state_dict": {}, "training": TRAINING}, checkpoint)
        return load_run_config(path, {"network.resume": str(checkpoint), **phase, **dict(flags)}, pairs)

    return load


def without(section):
    return {name: value for name, value in OURS.items() if name != section}


@pytest.mark.parametrize("phase", [TEST, {"phase": "predict"}, {"phase": "export"}, RESUME], ids=str)
def test_the_same_config_says_nothing(command, phase):
    config, notes = command(OURS, phase)
    assert notes == []
    assert config.normalize.window == [20.0, 40.0]


@pytest.mark.parametrize("phase", [TEST, {"phase": "predict"}, {"phase": "export"}, RESUME], ids=str)
def test_what_decides_comes_from_the_checkpoint_and_one_line_names_every_key(command, phase):
    file = {"data": {"data_dir": "frames"}, "train": {"batch_size": 4}, "loss": OURS["loss"]}
    config, notes = command(file, phase)
    assert config.normalize.window == [20.0, 40.0]
    assert config.network.base_channels == 8
    assert (config.data.num_classes, config.data.class_names) == (3, ["a", "b", "c"])
    (note,) = notes
    for part in (
        "normalize.window [20.0, 40.0] (the config: null)",
        "network.base_channels 8 (the config: 64)",
        "data.num_classes 3 (the config: 6)",
        "data.class_names",
        "run_latest.pth",
    ):
        assert part in note
    assert "\n" not in note


def test_a_resumed_run_has_everything_of_its_run(command):
    config, notes = command({"data": {"data_dir": "frames"}}, RESUME)
    assert config.train.batch_size == 4
    assert config.loss.params.rmi_radius == 2
    assert "train.batch_size 4 (the config: 16)" in notes[0]
    assert "loss.params.rmi_radius 2 (the config: 3)" in notes[0]


def test_a_used_network_takes_no_batch_size_from_its_training(command):
    config, notes = command(without("train"), TEST)
    assert (config.train.batch_size, notes) == (16, [])


@pytest.mark.parametrize(
    ("phase", "pair"),
    [
        (TEST, "normalize.window=[20,41]"),
        (TEST, "normalize={window: [20, 41]}"),
        (TEST, "network.base_channels=16"),
        (TEST, "train.data_transformer.input_size=[64,64]"),
        (RESUME, "normalize.window=null"),
        (RESUME, "train.batch_size=8"),
        (RESUME, "loss.params.rmi_radius=3"),
        (RESUME, "gcl.loss_weight=2"),
        (RESUME, "seed=1"),
        (RESUME, "lr.base_lr=0.5"),
    ],
    ids=str,
)
def test_a_typed_contradiction_is_an_error_that_names_the_key(command, phase, pair):
    with pytest.raises(ConfigError, match=r"contradicts the checkpoint: 1 fault") as error:
        command(OURS, phase, pair)
    key = pair.partition("=")[0].replace("gcl.loss_weight", "samcl")
    assert f"  {key}" in str(error.value)
    assert "run_latest.pth was trained" in str(error.value)


def test_a_typed_flag_is_typed_as_well(command):
    with pytest.raises(ConfigError, match=r"train\.batch_size: expected 4"):
        command(OURS, RESUME, flags={"train.batch_size": 8})


@pytest.mark.parametrize(
    ("phase", "pair"),
    [
        (TEST, "test.mode=ms_test"),
        (TEST, "test.batch_size=2"),
        (TEST, "loss.params.rmi_radius=3"),
        (TEST, "solver.max_iters=7"),
        (RESUME, "data.data_dir=moved"),
        (RESUME, "data.workers=3"),
        (RESUME, "data.cache_gb=0"),
        (RESUME, "val.batch_size=2"),
        (RESUME, "gpu=[0]"),
        (RESUME, "checkpoints.checkpoints_name=other"),
        (RESUME, "checkpoints.save_iters=7"),
        (RESUME, "solver.display_iter=7"),
        (RESUME, "solver.on_nonfinite=skip"),
        (RESUME, "logging.log_file=other"),
    ],
    ids=str,
)
def test_paths_devices_and_outputs_are_free(command, phase, pair):
    config, notes = command(OURS, phase, pair)
    assert notes == []
    assert (
        config == load_config("", base=OURS, flags={"network.resume": config.network.resume, **phase}, pairs=[pair])[0]
    )


@pytest.mark.parametrize(
    ("phase", "pair"),
    [
        (RESUME, "solver.max_iters=50000"),
        (RESUME, "solver.precision=fp32"),
        (TEST, "data.remap_classes=[0,1,2,2]"),
        (TEST, "data.class_names=[x,y,z]"),
    ],
    ids=str,
)
def test_what_may_change_is_what_was_typed_and_is_said(command, phase, pair):
    key, _, value = pair.partition("=")
    config, notes = command(OURS, phase, pair)
    section, name = key.split(".")
    assert (
        getattr(getattr(config, section), name)
        == load_config("", pairs=[pair, "data.num_classes=3"])[0].model_dump()[section][name]
    )
    assert f"{key} " in notes[0]
    assert "from the command line (the checkpoint: " in notes[0]
    file = {
        **OURS,
        section: {**OURS.get(section, {}), name: json.loads(json.dumps(getattr(config, section).model_dump()[name]))},
    }
    assert key in command(file, phase)[1][0]  # of a file the checkpoint's is taken
    assert command(file, phase)[0].model_dump()[section][name] != getattr(getattr(config, section), name)


def test_a_network_with_an_embedding_keeps_it(command):
    trained = load_config("", base=OURS, pairs=["pixel_contrast.proj_dim=5"])[0].model_dump(mode="json")
    config, notes = command(OURS, TEST, trained=trained)
    assert config.pixel_contrast.proj_dim == 5
    assert "pixel_contrast" in notes[0]
    assert command({**OURS, "pixel_contrast": {}}, TEST)[0].pixel_contrast is None


def test_published_and_former_spellings_are_the_same_config(command):
    file = {**OURS, "gcl": {"loss_weight": 2.0}, "method": "fcn_segmentor"}
    trained = load_config("", base=file)[0].model_dump(mode="json")
    trained["gcl"] = trained.pop("samcl")
    assert command(file, RESUME, trained=trained)[1] == []


def test_a_former_version_decides_only_what_it_knew(command):
    trained = load_config("", base=OURS)[0].model_dump(mode="json")
    del trained["data"]["grey_range"], trained["normalize"]["clip"]
    file = {**OURS, "data": {**OURS["data"], "grey_range": [0.0, 50.0]}}
    config, notes = command(file, TEST, trained=trained)
    assert (config.data.grey_range, notes) == ([0.0, 50.0], [])


def test_a_checkpoint_that_does_not_tell_is_said(command):
    config, notes = command(OURS, TEST, trained="nothing")
    assert config.normalize.window == [20.0, 40.0]
    assert "holds no config" in notes[0]


def test_a_run_whose_config_is_faulty_is_not_gone_on_with(command):
    trained = {**Config().model_dump(mode="json"), "seed": "none"}
    with pytest.raises(CheckpointError, match=r"leave --resume_continue out[\s\S]*seed"):
        command(OURS, RESUME, trained=trained)


def test_weights_to_start_from_decide_nothing(command):
    config, notes = command(without("normalize"), {"phase": "train"})
    assert (config.normalize.window, notes) == (None, [])


def test_without_a_file_the_checkpoint_is_the_config_and_a_contradiction_an_error(command, tmp_path):
    command(OURS, TEST)
    flags = {**TEST, "network.resume": str(tmp_path / "run_latest.pth")}
    config, notes = load_run_config("", flags, [])
    assert (config.normalize.window, config.data.num_classes, notes) == ([20.0, 40.0], 3, [])
    with pytest.raises(ConfigError, match=r"normalize\.window: expected \[20"):
        load_run_config("", flags, ["normalize.window=[20,41]"])
