"""Checkpoint files: read without running their code, whatever else they hold beside weights."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.utils.checkpoint import load_checkpoint, portable_config, save_checkpoint
from lib.utils.errors import CheckpointError


class RunsCode:
    """A pickle of this makes a file when it is loaded by code that trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_what_is_saved_is_read_back(tmp_path):
    save_checkpoint(tmp_path / "a.pth", {"state_dict": {"w": torch.ones(2)}, "n": 3, "s": "x"}, "seed: 1\n")
    content = load_checkpoint(tmp_path / "a.pth")
    assert torch.equal(content["state_dict"]["w"], torch.ones(2))
    assert (content["n"], content["s"]) == (3, "x")
    assert (tmp_path / "a.yaml").read_text() == "seed: 1\n"


@pytest.mark.parametrize("value", [np.float64(0.8), np.float32(0.8), np.int64(3), np.bool_(True), np.arange(3.0)])
def test_numpy_numbers_beside_the_weights_are_read(tmp_path, value):
    torch.save({"config_dict": {"performance": value}, "state_dict": {"w": torch.ones(2)}}, tmp_path / "a.pth")
    assert np.array_equal(load_checkpoint(tmp_path / "a.pth")["config_dict"]["performance"], value)


def test_numpy_numbers_under_the_other_versions_module_name_are_read(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"performance": np.float64(0.8)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    other = content.replace(new, old) if new in content else content.replace(old, new)
    assert other != content
    path.write_bytes(other)
    assert load_checkpoint(path)["performance"] == 0.8


def test_code_in_a_checkpoint_is_refused_and_does_not_run(tmp_path):
    torch.save({"state_dict": {}, "trap": RunsCode(tmp_path / "ran")}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: refused"):
        load_checkpoint(tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", pickle.dumps([1]), b"PK\x03\x04 cut off"])
def test_other_files_are_named_with_the_remedy(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.pth.*another checkpoint of the run") as caught:
        load_checkpoint(tmp_path / "a.pth")
    assert "\x1b" not in str(caught.value)


def test_truncated_checkpoint_is_named(tmp_path):
    save_checkpoint(tmp_path / "a.pth", {"state_dict": {"w": torch.ones(2000)}}, "")
    whole = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="another checkpoint of the run"):
        load_checkpoint(tmp_path / "a.pth")


def test_the_portable_config_holds_no_paths(tmp_path):
    tree = {
        "data": {"data_dir": ["/elsewhere"], "num_classes": 3},
        "network": {"model_name": "unet", "resume": "/elsewhere/a.pth", "pretrained": "/elsewhere/b.pth"},
        "test": {"mode": "ss_test", "out_dir": "/elsewhere", "test_dir": "/elsewhere"},
        "checkpoints": {"checkpoints_root": "/elsewhere"},
        "logging": {"log_file": "/elsewhere/log"},
        "normalize": {"norm_mode": 2},
    }
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"config_dict": tree}, "")
    assert portable_config(path) == {
        "data": {"num_classes": 3},
        "network": {"model_name": "unet"},
        "test": {"mode": "ss_test"},
        "normalize": {"norm_mode": 2},
    }


def test_a_checkpoint_without_config_asks_for_one(tmp_path):
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"state_dict": {}}, "")
    with pytest.raises(CheckpointError, match="--configs"):
        portable_config(path)
