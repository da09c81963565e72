"""Loading a config: precedence, faults, cross-checks, and the resolved tree."""

import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from lib.utils.config import Config, Fault, load_config
from lib.utils.errors import ConfigError
from tests.utils.published_configs import published


@pytest.fixture
def load(tmp_path):
    def load(tree, flags=None, pairs=(), checks=()):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(tree))
        return load_config(path, flags, pairs, checks)[0]

    return load


@pytest.fixture
def faults_of(load):
    def faults_of(tree, *arguments, **keywords):
        with pytest.raises(ConfigError) as caught:
            load(tree, *arguments, **keywords)
        header, *lines = str(caught.value).splitlines()
        assert "config.json: " in header
        assert header.endswith(f"{len(lines)} fault" + "s" * (len(lines) > 1))
        return [line.strip() for line in lines]

    return faults_of


def test_an_empty_config_is_the_defaults(load):
    assert load({}) == Config()


def test_later_sources_win(load, tmp_path):
    (tmp_path / "base.json").write_text(
        '{"solver": {"max_iters": 1, "display_iter": 1, "test_interval": 1, "precision": "fp32"}}'
    )
    tree = {"_base_": "base.json", "solver": {"display_iter": 2, "test_interval": 2, "precision": "bf16"}}
    solver = load(tree, {"solver.test_interval": 3, "solver.precision": "fp16"}, ["solver.precision=auto"]).solver
    assert (solver.max_iters, solver.display_iter, solver.test_interval, solver.precision) == (1, 2, 3, "auto")


def test_the_last_of_two_pairs_wins(load):
    assert load({}, pairs=["seed=1", "seed=2"]).seed == 2


def test_a_pair_makes_a_missing_section_and_null_removes_one(load):
    assert load({}, pairs=["gcl.loss_weight=2"]).samcl.loss_weight == 2
    assert load({"gcl": {}}, pairs=["samcl=null"]).samcl is None
    assert load({"gcl": None}, pairs=["gcl.margin=0.5"]).samcl.margin == 0.5


@pytest.mark.parametrize(
    ("pair", "key", "value"),
    [
        ("lr.base_lr=1e-3", "lr.base_lr", 1e-3),
        ("lr.base_lr=1", "lr.base_lr", 1.0),
        ("solver.max_iters=4e4", "solver.max_iters", 40000),
        ("data.drop_last=n", "data.drop_last", False),
        ("data.drop_last=on", "data.drop_last", True),
        ("data.drop_last=0", "data.drop_last", False),
        ("data.drop_last=False", "data.drop_last", False),
        ("data.remap_classes=[0,1,-1]", "data.remap_classes", [0, 1, -1]),
        ("data.remap_classes=null", "data.remap_classes", None),
        ("data.data_dir=a/b", "data.data_dir", ["a/b"]),
        ("data.data_dir=[a, b]", "data.data_dir", ["a", "b"]),
        ("checkpoints.checkpoints_name=007", "checkpoints.checkpoints_name", "007"),
        ("checkpoints.checkpoints_name=1e3", "checkpoints.checkpoints_name", "1e3"),
        ("checkpoints.checkpoints_name=yes", "checkpoints.checkpoints_name", "yes"),
        ("test.out_dir=a=b", "test.out_dir", "a=b"),
        ("network.backbone=none", "network.backbone", "none"),
        ("gpu=0", "gpu", [0]),
        ("gpu=[-1]", "gpu", [-1]),
        ("loss.params.ce_weight=auto", "loss.params.ce_weight", "auto"),
    ],
)
def test_pairs_are_read_as_their_keys_need(load, pair, key, value):
    result = load({}, pairs=[pair])
    for name in key.split("."):
        result = getattr(result, name)
    assert result == value
    assert type(result) is type(value)


def test_listed_transforms_without_a_section_have_their_defaults(load):
    transforms = load({"train_trans": {"trans_seq": ["random_rotate"]}}).train_trans
    assert transforms.random_rotate.high_limit_angle == 360
    assert transforms.random_crop is None


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"network": {"bakbone": "none"}}, "network.bakbone: unknown key, did you mean backbone?"),
        ({"solvr": {}}, "solvr: unknown key, did you mean solver?"),
        ({"max_iters": 3}, "max_iters: unknown key, did you mean solver.max_iters?"),
        ({"data": {"batch_size": 3}}, "data.batch_size: unknown key, did you mean train.batch_size or"),
        ({"loss": {"params": {"rmi_radus": 3}}}, "loss.params.rmi_radus: unknown key, did you mean rmi_radius?"),
        ({"solver": {"max_iters": "many"}}, "solver.max_iters: expected an integer, got 'many'"),
        ({"solver": {"max_iters": 1.5}}, "solver.max_iters: expected an integer, got 1.5"),
        ({"solver": {"max_iters": True}}, "solver.max_iters: expected an integer, got true"),
        ({"solver": {"max_iters": 0}}, "solver.max_iters: expected a number of at least 1, got 0"),
        ({"solver": {"max_iters": 10**400}}, "solver.max_iters: expected a number of at most"),
        ({"solver": None}, "solver: expected a section, i.e. a mapping of keys, got null"),
        ({"solver": []}, "solver: expected a section, i.e. a mapping of keys, got []"),
        ({"lr": {"base_lr": float("nan")}}, "lr.base_lr: expected a finite number, got nan"),
        ({"lr": {"base_lr": -1}}, "lr.base_lr: expected a number above 0, got -1"),
        (
            {"optim": {"optim_method": "adamx"}},
            "optim.optim_method: expected one of sgd, adam, adamw, got 'adamx', did you mean adam?",
        ),
        (
            {"train_trans": {"trans_seq": ["random_crop", "random_hflop"]}},
            "train_trans.trans_seq[1]: expected one of random_hflip,",
        ),
        ({"loss": {"loss_type": 3}}, "loss.loss_type: expected text, got 3, write it in quotes"),
        ({"data": {"remap_classes": [0, "x"]}}, "data.remap_classes[1]: expected an integer, got 'x'"),
        ({"data": {"remap_classes": [0, -2]}}, "data.remap_classes[1]: expected a number of at least -1, got -2"),
        (
            {"loss": {"params": {"ce_weight": "automatic"}}},
            "loss.params.ce_weight: expected one of auto or a list, got 'automatic'",
        ),
        ({"data": {"data_dir": "a\0b"}}, "data.data_dir[0]: expected text without NUL bytes"),
        (
            {"train_trans": {"random_resize": {"scale_range": [2, 1]}}},
            "train_trans.random_resize.scale_range: expected [low, high] with low <= high, got [2",
        ),
    ],
)
def test_a_fault_says_key_expected_got_and_remedy(faults_of, tree, line):
    faults = faults_of(tree)
    assert len(faults) == 1
    assert faults[0].startswith(line)


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"data": {"remap_classes": [0, 1, 6]}}, "data.remap_classes: expected classes from -1 to 5"),
        ({"data": {"remap_classes": [-1, -1]}}, "data.remap_classes: expected at least one entry"),
        ({"data": {"class_names": ["a"]}}, "data.class_names: expected 6 entries"),
        ({"data": {"class_names": ["a"] * 6}}, "data.class_names: expected different names"),
        ({"data": {"palette": [[0, 0, 0]]}}, "data.palette: expected 6 entries"),
        ({"loss": {"params": {"num_classes": 5}}}, "loss.params.num_classes: expected 6"),
        (
            {"train_trans": {"trans_seq": ["random_crop"], "random_crop": {"crop_size": [320, 257]}}},
            "train_trans.random_crop.crop_size: expected [width, height] within",
        ),
        (
            {"train_trans": {"random_rotate": {"low_limit_angle": 9, "high_limit_angle": 8}}},
            "train_trans.random_rotate.low_limit_angle: expected at most high_limit_angle, 8, got 9",
        ),
        ({"gcl": {"confusable": [[1]]}}, "samcl.confusable: expected 6 lists"),
        ({"gcl": {"confusable": [[1], [0], [1], [1], [1], [6]]}}, "samcl.confusable[5]: expected one or more other"),
        ({"gcl": {"confusable": [[1], [1], [1], [1], [1], [1]]}}, "samcl.confusable[1]: expected one or more other"),
        (
            {"gcl": {"negative": "confusable"}, "data": {"num_classes": 3}},
            "samcl.confusable: expected a list per class",
        ),
        ({"gcl": {}, "critic": {"model_name": "samcl_auxiliry_4"}}, "critic.model_name: expected one of"),
        (
            {"gcl": {}, "critic": {"model_name": "samcl_auxiliary_2"}, "loss": {"critic_loss_type": "samcl_loss_4"}},
            "loss.critic_loss_type: expected samcl_loss_2",
        ),
        ({"gpu": [0, 0]}, "gpu: expected different GPU numbers"),
        ({"gpu": [-1, 0]}, "gpu: expected different GPU numbers"),
        ({"normalize": {"clip": [40, 0]}}, "normalize.clip: expected [low, high] in deg C with low < high"),
        ({"normalize": {"norm_mode": None, "mean": [1.0, 2.0]}}, "normalize.mean: expected 1 entries"),
        ({"checkpoints": {"checkpoints_name": "../x"}}, "checkpoints.checkpoints_name: expected a name without /"),
        ({"lr": {"multistep": {"stepvalue": [2, 1]}}}, "lr.multistep.stepvalue: expected rising steps"),
    ],
)
def test_values_that_contradict_each_other_are_faults(faults_of, tree, line):
    faults = faults_of(tree)
    assert len(faults) == 1
    assert faults[0].startswith(line)


def test_all_faults_come_together(faults_of):
    tree = published(gcl=True)
    tree["network"]["bakbone"] = tree["network"].pop("backbone")
    tree["solver"]["max_iters"] = "many"
    tree["data"]["remap_classes"][2] = 9
    tree["gcl"]["mode"] = "overlp"
    tree["lr"] = None

    def check(config):
        return [Fault("network.model_name", "one of a, b", config.network.model_name, "did you mean a?")]

    faults = faults_of(tree, {"train.batch_size": "x"}, ["test.save_prob=maybe"], [check])
    keys = {fault.split(":")[0] for fault in faults}
    assert keys == {
        "network.bakbone",
        "network.model_name",
        "solver.max_iters",
        "data.remap_classes",
        "samcl.mode",
        "lr",
        "train.batch_size",
        "test.save_prob",
    }


def test_a_contradiction_with_a_faulty_value_is_not_reported(faults_of):
    faults = faults_of({"data": {"num_classes": "nine", "remap_classes": [8]}})
    assert [fault.split(":")[0] for fault in faults] == ["data.num_classes"]


def test_a_fault_names_where_its_value_came_from(faults_of, tmp_path):
    (tmp_path / "base.json").write_text('{"solver": {"max_iters": 0}, "seed": 1}')
    faults = faults_of({"_base_": "base.json", "seed": -1}, pairs=["lr.base_lr=0"])
    assert any(fault.startswith("solver.max_iters") and fault.endswith("base.json)") for fault in faults)
    assert any(fault.startswith("lr.base_lr") and fault.endswith("(from the command line)") for fault in faults)
    assert any(fault.startswith("seed") and "from" not in fault for fault in faults)


def test_long_values_and_strange_keys_are_shown_short_and_on_one_line(faults_of):
    faults = faults_of({"k" * 10**6: "v", "a\nb": 1, "seed": "x" * 10**6})
    assert len(faults) == 3
    assert all(len(fault) < 1000 for fault in faults)


def test_of_thousands_of_faults_the_first_hundred_are_shown(load):
    with pytest.raises(ConfigError) as caught:
        load({f"key{index}": 1 for index in range(4000)})
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("4000 faults")
    assert len(lines) == 102
    assert lines[-1].strip() == "and 3900 more"


def test_checks_see_defaults_in_place_of_faulty_values(faults_of):
    seen = []
    faults_of({"solver": {"max_iters": -1}, "seed": 5}, checks=[lambda config: seen.append(config) or []])
    assert (seen[0].solver.max_iters, seen[0].seed) == (40000, 5)


def test_the_dumped_tree_loads_as_the_same_config(load, tmp_path):
    pairs = ["checkpoints.checkpoints_name='007'", "test.out_dir=1e3", "lr.base_lr=1e-7"]
    config = load(published(gcl=True), pairs=pairs)
    path = tmp_path / "resolved.yaml"
    path.write_text(config.to_yaml())
    again, _ = load_config(path)
    assert again == config
    assert again.to_yaml() == config.to_yaml()


def test_a_config_is_frozen():
    with pytest.raises(ValidationError):
        Config().solver.max_iters = 3


def test_reading_configs_needs_no_torch():
    code = "import sys, lib.utils.cli, lib.utils.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
