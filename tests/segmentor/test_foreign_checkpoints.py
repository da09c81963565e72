"""Checkpoints that came from elsewhere: what they hold decides nothing about files, and is refused where it is odd."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import main
from lib.utils.checkpoint import load_checkpoint
from lib.utils.errors import CheckpointError
from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from tests.fuzz import cases


@pytest.fixture
def checkpoint(make_config):
    """The path of a checkpoint of one iteration."""
    config = make_config("solver.max_iters=1")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.run()
    return trainer.checkpoints.path("latest")


def files_of(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


def write_evil(path, checkpoint, evil):
    """Write the weights of ``checkpoint`` with a config that names places of its own wherever a config can."""
    content = load_checkpoint(checkpoint)
    tree = content["config_dict"]
    tree |= {"dataset": f"{evil}/dataset", "phase": "train", "method": "../../evil"}
    tree["data"] |= {"data_dir": [str(evil)], "class_names": [f"../../evil/{c}" for c in "abc"]}
    tree["network"] |= {"resume": f"{evil}/a.pth", "pretrained": f"{evil}/b.pth", "resume_continue": True}
    tree["test"] |= {"out_dir": f"{evil}/out", "test_dir": str(evil), "save_prob": True}
    tree["checkpoints"] |= {"checkpoints_root": str(evil), "checkpoints_dir": "../evil", "checkpoints_name": "../evil"}
    tree["logging"] |= {"log_file": f"{evil}/log/file.log", "log_to_file": True}
    tree |= {"predict": {"input": str(evil)}, "compare": {"runs": [str(evil)]}}
    torch.save(content, path)


COMMANDS = {
    "test": ("--test_dir", "{frames}"),
    "predict": ("--input", "{frames}/image"),
}


@pytest.mark.parametrize("phase", COMMANDS)
def test_a_checkpoint_decides_nothing_about_files(checkpoint, data_dir, tmp_path, monkeypatch, phase):
    evil, here = tmp_path / "evil", tmp_path / "a" / "b" / "here"
    here.mkdir(parents=True)
    write_evil(here / "foreign.pth", checkpoint, evil)
    monkeypatch.chdir(here)
    before = files_of(tmp_path) | files_of(data_dir)
    arguments = [part.format(frames=data_dir / "val") for part in COMMANDS[phase]]
    options = ["--gpu", "-1", "--log_to_file", "n", "--stdout_level", "error"]
    assert main.main(["--phase", phase, "--resume", "foreign.pth", *arguments, "--out_dir", "out", *options]) == 0
    written = (files_of(tmp_path) | files_of(data_dir)) - before
    assert written
    assert all(file.is_relative_to(here / "out") for file in written), written
    assert not evil.exists()


def test_a_resumed_run_writes_where_its_own_config_says(checkpoint, make_config, tmp_path):
    evil = tmp_path / "evil"
    write_evil(tmp_path / "foreign.pth", checkpoint, evil)
    before = files_of(tmp_path)
    config = make_config(
        *("solver.max_iters=2", f"network.resume={tmp_path / 'foreign.pth'}", "network.resume_continue=y"),
        "checkpoints.checkpoints_name=mine",
    )
    with start_runtime(config) as runtime:
        Trainer(config, runtime).run()
    written = files_of(tmp_path) - before
    assert written
    assert all(file.parent == checkpoint.parent and file.name.startswith((".mine", "mine")) for file in written), (
        written
    )
    assert not evil.exists()


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 3, 10**30, 0.5, float("nan"), float("inf"), "text", b"bytes", (), [], {}]),
    st.builds(torch.ones, st.sampled_from([(), (0,), (2,), (3, 3)])),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4) | st.integers(0, 3), st.integers(), max_size=2),
)


def places(tree, prefix=()):
    """Every path into nested dicts and lists, but not into the tensors of the state."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*prefix, key)
        if len(prefix) < 3:
            yield from places(value, (*prefix, key))


def put(tree, place, value):
    """Replace what is at a place of the tree, or remove it for ``...``; nothing where there is no such place now."""
    *path, last = place
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            return
    if value is ... and isinstance(tree, dict):
        tree.pop(last, None)
    elif isinstance(tree, dict) or (isinstance(tree, list) and last < len(tree)):
        tree[last] = value


@pytest.fixture
def tiny_checkpoint(new_networks, monkeypatch, make_config):
    """As :func:`checkpoint`, of a network that is made in no time, by runs whose data nobody checks."""
    monkeypatch.setattr("segmentor.trainer.check_before_training", lambda config: None)
    config = make_config("solver.max_iters=1", "network.model_name=tiny")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        trainer.run()
    return trainer.checkpoints.path("latest")


@cases(120)
@given(st.lists(st.tuples(st.integers(0, 10**6), VALUES | st.just(...)), min_size=1, max_size=3))
def test_a_state_of_any_form_is_refused_or_gone_on_from(tiny_checkpoint, make_config, tmp_path, changes):
    content = load_checkpoint(tiny_checkpoint)
    known = list(places(content))
    for index, value in changes:
        put(content, known[index % len(known)], value)
    torch.save(content, tmp_path / "foreign.pth")
    config = make_config(
        *("solver.max_iters=3", f"network.resume={tmp_path / 'foreign.pth'}", "network.resume_continue=y"),
        *("checkpoints.checkpoints_name=mine", "network.model_name=tiny"),
    )
    message = ""
    with start_runtime(config) as runtime:
        try:
            trainer = Trainer(config, runtime)
        except CheckpointError as error:
            message = str(error)
        else:
            assert trainer.iteration in range(2**31)
            assert all(isinstance(trainer.best[name], float) for name in ("miou", "loss"))
            return
    assert "foreign.pth" in message
