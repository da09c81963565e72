"""Checkpoint files: read without running their code, whatever else they hold beside weights."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lib.utils.checkpoint import load_checkpoint, portable_config, save_checkpoint
from lib.utils.config import Config, load_config
from lib.utils.errors import CheckpointError, OutputError
from lib.utils.versions import previous_paths, shift_versions


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


def test_the_portable_config_of_our_own_checkpoints_sets_no_key_without_effect(tmp_path):
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"config_dict": Config().model_dump(mode="json")}, "")
    assert load_config("", base=portable_config(path))[1] == []
    save_checkpoint(path, {"config_dict": {"data": {"input_mode": "RGB"}}}, "")
    assert portable_config(path) == {"data": {"input_mode": "RGB"}}


def test_the_portable_config_normalises_as_in_training(tmp_path):
    normalize = Config().model_dump(mode="json")["normalize"] | {"clip": [0.0, 40.0], "window": [20.0, 38.0]}
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"config_dict": {"normalize": normalize}}, "")
    assert load_config("", base=portable_config(path))[0].model_dump(mode="json")["normalize"] == normalize


def test_the_portable_config_looks_at_frames_as_the_checkpoint_says(tmp_path):
    looks = {"mode": "zoom_test", "scale_search": [0.5, 1.0], "flip": False, "crop_size": [64, 48], "zoom_margin": 1.5}
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"config_dict": {"test": {**looks, "crop_stride_ratio": 0.5, "amp": True}}}, "")
    test = load_config("", base=portable_config(path))[0].model_dump(mode="json")["test"]
    assert looks.items() <= test.items()


def test_the_portable_config_resizes_pictures_and_swaps_mirrored_classes_as_its_benchmark_does(tmp_path):
    path, swaps = tmp_path / "a.pth", [[14, 15], [16, 17]]
    config = load_config("", pairs=["data.num_classes=20", "data.num_channels=3", "data.eval_size=[473,400]"])[0]
    flip = {"ratio": 0.5, "swap_pair": swaps}
    published = {"data": {"num_classes": 20, "input_mode": "BGR"}, "train_trans": {"random_hflip": flip}}
    published["val_trans"] = {"trans_seq": ["resize"], "resize": {"target_size": [473, 400]}}
    ours = config.model_dump(mode="json")
    for tree in (ours | {"train_trans": ours["train_trans"] | {"random_hflip": flip}}, published):
        save_checkpoint(path, {"config_dict": tree}, "")
        found = load_config("", base=portable_config(path))[0]
        assert found.data.eval_size == [473, 400]
        assert found.train_trans.random_hflip.swap_pair == swaps


def test_a_checkpoint_without_config_asks_for_one(tmp_path):
    path = tmp_path / "a.pth"
    save_checkpoint(path, {"state_dict": {}}, "")
    with pytest.raises(CheckpointError, match="--configs"):
        portable_config(path)


def small_content():
    return {"state_dict": {"w": torch.arange(300.0), "b": torch.ones(2)}, "training": {"iteration": 3}}


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def test_every_flipped_bit_is_found(tmp_path):
    path = tmp_path / "a.pth"
    save_checkpoint(path, small_content(), "")
    size = 8 * path.stat().st_size
    end = range(size - 8 * 120, size)
    for bit in sorted({*np.random.default_rng(0).integers(size, size=150).tolist(), *end}):
        flip(path, bit)
        with pytest.raises(CheckpointError, match=r"a\.pth.*another checkpoint of the run"):
            load_checkpoint(path)
        flip(path, bit)
    load_checkpoint(path)


def test_every_cut_is_found(tmp_path):
    path = tmp_path / "a.pth"
    save_checkpoint(path, small_content(), "")
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), *range(len(whole) - 120, len(whole))]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"a\.pth.*another checkpoint of the run"):
            load_checkpoint(path)


def test_files_of_other_programs_need_no_checksum_and_ours_are_read_by_them(tmp_path):
    torch.save(small_content(), tmp_path / "theirs.pth")
    assert load_checkpoint(tmp_path / "theirs.pth")["training"] == {"iteration": 3}
    save_checkpoint(tmp_path / "ours.pth", small_content(), "")
    for mmap in (False, True):
        content = torch.load(tmp_path / "ours.pth", weights_only=True, mmap=mmap)
        assert torch.equal(content["state_dict"]["w"], torch.arange(300.0))
    with zipfile.ZipFile(tmp_path / "ours.pth") as archive:
        assert archive.testzip() is None


def test_a_full_disk_leaves_the_last_checkpoint_and_names_the_remedy(small_disk):
    path = small_disk / "a_latest.pth"
    save_checkpoint(path, small_content(), "first", keep=2)
    save_checkpoint(path, small_content(), "second", keep=2)
    before = {file.name: file.read_bytes() for file in small_disk.iterdir()}
    with pytest.raises(OutputError, match=r"a_latest\.pth: can't be written: No space left"):
        save_checkpoint(path, {"state_dict": {"w": torch.ones(1_000_000)}}, "third", keep=2)
    assert {file.name: file.read_bytes() for file in small_disk.iterdir()} == before


def iterations_in(folder):
    return {path.stem: load_checkpoint(path)["iteration"] for path in folder.glob("*.pth")}


def test_former_versions_are_kept_under_their_names(tmp_path):
    path = tmp_path / "a_latest.pth"
    for iteration in range(5):
        save_checkpoint(path, {"iteration": iteration}, f"{iteration}", keep=3)
    assert iterations_in(tmp_path) == {"a_latest": 4, "a_previous": 3, "a_previous_2": 2}
    assert (tmp_path / "a_previous.yaml").read_text() == "3"
    assert previous_paths(path) == [tmp_path / "a_previous.pth", tmp_path / "a_previous_2.pth"]
    save_checkpoint(path, {"iteration": 5}, "5", keep=2)
    assert iterations_in(tmp_path) == {"a_latest": 5, "a_previous": 4}
    save_checkpoint(path, {"iteration": 6}, "6", keep=1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a_latest.pth", "a_latest.yaml"]


def test_a_run_that_is_killed_before_it_replaces_the_newest_costs_no_former_version(tmp_path):
    path = tmp_path / "a_latest.pth"
    for iteration in range(3):
        save_checkpoint(path, {"iteration": iteration}, "", keep=3)
    shift_versions(path, keep=3)
    save_checkpoint(path, {"iteration": 3}, "", keep=3)
    assert iterations_in(tmp_path) == {"a_latest": 3, "a_previous": 2, "a_previous_2": 1}


def test_no_version_is_touched_without_keep(tmp_path):
    path = tmp_path / "a_latest.pth"
    for iteration in range(2):
        save_checkpoint(path, {"iteration": iteration}, "", keep=2)
    path.write_bytes(b"damaged")
    save_checkpoint(path, {"iteration": 9}, "")
    assert iterations_in(tmp_path) == {"a_latest": 9, "a_previous": 0}


def test_killed_at_any_moment_of_saving_the_newest_or_the_one_before_is_whole(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def run(folder, last_call):
        """Save the third version, and die before the call of that number that changes a folder."""
        folder.mkdir()
        path = folder / "a_latest.pth"
        for iteration in range(2):
            save_checkpoint(path, {"iteration": iteration}, "", keep=3)
        calls = 0

        def dying(function):
            def call(*arguments, **named):
                nonlocal calls
                calls += 1
                if calls == last_call:
                    raise Killed
                return function(*arguments, **named)

            return call

        with monkeypatch.context() as patched:
            for name in ("link", "replace", "unlink", "fsync"):
                patched.setattr(os, name, dying(getattr(os, name)))
            try:
                save_checkpoint(path, {"iteration": 2}, "", keep=3)
            except Killed:
                assert load_checkpoint(path)["iteration"] in (1, 2)
        died = calls >= last_call
        save_checkpoint(path, {"iteration": 3}, "", keep=3)
        found = iterations_in(folder)
        assert found["a_latest"] == 3
        assert found["a_previous"] in (1, 2)
        return died

    moments = 1
    while run(tmp_path / str(moments), moments):
        moments += 1
    assert moments > 5
