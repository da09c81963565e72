"""Loading: what a batch holds follows from seed and step; evaluation sees every frame once."""

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.utils.config import load_config
from lib.utils.errors import DataError
from tests.datasets.helpers import write_pair


@pytest.fixture
def root(tmp_path):
    """9 training and 5 validation frames, each of one value between 20 and 40 and noise; one of another size."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 9), ("val", 5)):
        for index in range(count):
            label = rng.integers(0, 3, (20, 24), dtype=np.uint8)
            label[0] = 255
            write_pair(tmp_path / split, f"{split}{index}", (20, 24), label=label)
            np.save(tmp_path / split / "image" / f"{split}{index}.npy", rng.uniform(20, 40, (20, 24)))
    write_pair(tmp_path / "val", "val2", (12, 24))
    return tmp_path


@pytest.fixture
def config(root, tmp_path):
    """Builds a config over ``root`` with random transforms; ``pairs`` override it."""

    def build(*pairs: str):
        (tmp_path / "config.yaml").write_text(
            f"data: {{data_dir: {root}, num_classes: 3, drop_last: false}}\n"
            "train: {batch_size: 4, data_transformer: {input_size: [16, 12]}}\n"
            "val: {batch_size: 2}\n"
            "test: {batch_size: 3}\n"
            "train_trans: {trans_seq: [random_hflip, random_rotate, thermal_noise, random_resize, random_crop],"
            " random_crop: {crop_size: [16, 12]}}\n"
        )
        return load_config(tmp_path / "config.yaml", pairs=pairs)[0]

    return build


def take(loader, number: int) -> list[dict]:
    return list(islice(iter(loader), number))


def assert_same(first: list[dict], second: list[dict]) -> None:
    for one, other in zip(first, second, strict=True):
        assert one["name"] == other["name"]
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["label"], other["label"])


def test_a_training_batch_is_as_promised(config):
    batch = take(build_train_loader(config()), 1)[0]
    assert (batch["image"].shape, batch["image"].dtype) == ((4, 1, 12, 16), torch.float32)
    assert (batch["label"].shape, batch["label"].dtype) == ((4, 12, 16), torch.int64)
    assert batch["image"].min() == -1
    assert batch["image"].max() == 1
    assert batch["label"].min() == -1
    assert batch["label"].max() < 3


def test_workers_change_nothing(config):
    expected = take(build_train_loader(config()), 5)
    assert_same(take(build_train_loader(config("data.workers=2")), 5), expected)


def test_the_global_generators_neither_matter_nor_move(config):
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    expected = take(build_train_loader(config()), 2)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert_same(take(build_train_loader(config()), 2), expected)
    assert torch.equal(torch.get_rng_state(), state[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_run_goes_on_exactly_there(config, workers):
    cfg = config(f"data.workers={workers}")
    assert_same(take(build_train_loader(cfg, start_step=3), 2), take(build_train_loader(cfg), 5)[3:])


def test_processes_share_the_batches_of_one(config):
    whole = take(build_train_loader(config()), 3)
    parts = [take(build_train_loader(config(), rank=rank, world_size=2), 3) for rank in range(2)]
    joined = [
        {key: torch.cat([one[key], two[key]]) for key in ("image", "label")} | {"name": one["name"] + two["name"]}
        for one, two in zip(*parts, strict=True)
    ]
    assert_same(joined, whole)


def test_the_seed_and_the_epoch_matter(config):
    first = take(build_train_loader(config()), 1)[0]
    other = take(build_train_loader(config("seed=305")), 1)[0]
    assert not torch.equal(first["image"], other["image"])
    seen: dict[str, torch.Tensor] = {}
    for batch in take(build_train_loader(config()), 9):  # 36 frames, 4 epochs
        for name, image in zip(batch["name"], batch["image"], strict=True):
            assert name not in seen or not torch.equal(seen[name], image)
            seen[name] = image


def test_a_batch_may_be_larger_than_the_data(config):
    batch = take(build_train_loader(config("train.batch_size=20", "data.drop_last=true")), 1)[0]
    assert len(batch["name"]) == 20
    assert set(batch["name"]) == {f"train{index}" for index in range(9)}


def test_validation_frames_train_only_on_demand(config):
    names = {name for batch in take(build_train_loader(config()), 9) for name in batch["name"]}
    assert not any(name.startswith("val") for name in names)
    cfg = config("data.include_val=true")
    names = {name for batch in take(build_train_loader(cfg), 9) for name in batch["name"]}
    assert sum(name.startswith("val") for name in names) == 5


@pytest.mark.parametrize("workers", [0, 1])
def test_evaluation_yields_each_frame_once_at_its_own_size(config, root, workers):
    loader = build_eval_loader(config(f"data.workers={workers}"))
    for _ in range(2):  # every validation iterates anew
        batches = list(loader)
        assert [batch["name"] for batch in batches] == [["val0", "val1"], ["val3", "val4"], ["val2"]]
    assert len(loader) == 3
    assert loader.num_samples == 5
    frame = np.load(root / "val/image/val1.npy").astype(np.float32)
    np.testing.assert_array_equal(batches[0]["frame"][1], frame)
    expected = (frame - frame.min()) / (frame.max() - frame.min()) * 2 - 1
    np.testing.assert_allclose(batches[0]["image"][1, 0], expected, atol=1e-5)
    assert (batches[0]["label"][:, 0] == -1).all()
    assert batches[0]["label"].dtype == torch.int64


def test_processes_evaluate_uneven_shares(config):
    shares = [list(build_eval_loader(config(), rank=rank, world_size=7)) for rank in range(7)]
    assert sorted(name for share in shares for batch in share for name in batch["name"]) == [
        f"val{i}" for i in range(5)
    ]
    assert shares[5] == shares[6] == []


def test_a_test_folder_without_labels_has_no_label(config, tmp_path):
    (tmp_path / "frames").mkdir()
    for index in range(4):
        np.save(tmp_path / f"frames/{index}.npy", np.full((5, 7), index, np.float32))
    batches = list(build_eval_loader(config(), test_dir=str(tmp_path / "frames")))
    assert [len(batch["name"]) for batch in batches] == [3, 1]
    assert all(batch["label"] is None for batch in batches)


def test_frames_of_several_channels_become_channel_first(root, config):
    for path in (root / "val/image").glob("*.npy"):
        np.save(path, np.load(path)[:, :, None] + np.array([0, 100, 200]))
    batch = take(build_eval_loader(config("data.num_channels=3")), 1)[0]
    assert batch["image"].shape == (2, 3, 20, 24)
    assert (batch["image"][:, 0] < batch["image"][:, 1]).all()
    assert batch["image"].is_contiguous()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_while_reading_arrives_as_it_was_raised(config, root, workers):
    cv2.imwrite(str(root / "train/label/train4.png"), np.full((20, 24), 9, np.uint8))
    with pytest.raises(DataError) as caught:
        take(build_train_loader(config(f"data.workers={workers}")), 3)
    assert str(caught.value).startswith(f"{root}/train/label/train4.png: label value 9 without a class")
    assert "Traceback" not in str(caught.value)


def test_faults_are_found_when_the_loader_is_made(config, root):
    (root / "train/label/train4.png").unlink()
    (root / "val/image/val3.npy").write_bytes(b"")
    with pytest.raises(DataError, match="without label"):
        build_train_loader(config())
    with pytest.raises(DataError, match=r"val3\.npy"):
        build_eval_loader(config())


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("gigabytes", [0, 5e-6, 1])
def test_memory_for_frames_changes_no_batch(config, workers, gigabytes):
    expected = take(build_train_loader(config("data.cache_gb=0")), 8)
    loader = build_train_loader(config(f"data.cache_gb={gigabytes}", f"data.workers={workers}"))
    assert loader.cache_gb <= gigabytes
    assert_same(take(loader, 8), expected)


@pytest.mark.parametrize("workers", [0, 2])
def test_with_memory_for_all_frames_every_file_is_read_once(config, root, workers):
    batches = iter(build_train_loader(config(f"data.workers={workers}", "data.cache_gb=1")))
    names = {name for batch in islice(batches, 9) for name in batch["name"]}
    assert len(names) == 9
    for path in (root / "train").rglob("*.*"):
        path.unlink()
    assert len(list(islice(batches, 9))) == 9


def test_without_memory_files_are_read_again(config, root):
    batches = iter(build_train_loader(config("data.cache_gb=0")))
    next(batches)
    for path in (root / "train/image").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="No such file"):
        next(batches)


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_repeated_from_memory_is_the_same(config, root, workers):
    expected = list(build_eval_loader(config()))
    loader = build_eval_loader(config(f"data.workers={workers}"), cache_gb=1)
    assert_same(list(loader), expected)
    for path in (root / "val/image").iterdir():
        path.unlink()
    batches = list(loader)
    assert_same(batches, expected)
    for batch, other in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(batch["frame"], other["frame"])


def test_workers_that_are_spawned_share_the_memory_too(config, root, tmp_path):
    """As on macOS, and on Linux from Python 3.14 on."""
    script = tmp_path / "spawn.py"
    config("data.workers=2", "data.cache_gb=1")
    script.write_text(
        "import sys, multiprocessing\n"
        "from itertools import islice\n"
        "from pathlib import Path\n"
        "from lib.datasets.build import build_train_loader\n"
        "from lib.utils.config import load_config\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        f"    cfg = load_config({str(tmp_path / 'config.yaml')!r}, pairs=['data.workers=2'])[0]\n"
        "    batches = iter(build_train_loader(cfg))\n"
        "    list(islice(batches, 9))\n"
        f"    for path in Path({str(root / 'train')!r}).rglob('*.*'):\n"
        "        path.unlink()\n"
        "    print(sum(float(batch['image'].double().sum()) for batch in islice(batches, 9)))\n"
    )
    batches = take(build_train_loader(config()), 18)[9:]
    expected = sum(float(batch["image"].double().sum()) for batch in batches)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == expected


def augmented(cfg, val_aug="tiaug", **options) -> dict[str, tuple[torch.Tensor, torch.Tensor, np.ndarray]]:
    """Image, label and frame by name."""
    batches = list(build_eval_loader(cfg, val_aug=val_aug, **options))
    return {
        name: (batch["image"][i], None if batch["label"] is None else batch["label"][i], batch["frame"][i])
        for batch in batches
        for i, name in enumerate(batch["name"])
    }


def assert_same_frames(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name in one:
        for mine, yours in zip(one[name], other[name], strict=True):
            np.testing.assert_array_equal(mine, yours)


def test_frames_under_tiaug_depend_on_nothing_but_the_frame_and_the_size(config, root):
    usual = augmented(config())
    assert sorted(usual) == [f"val{i}" for i in range(5)]
    others = config("val.batch_size=5", "seed=7", "data.workers=1", "train_trans.trans_seq=[random_hflip]")
    assert_same_frames(usual, augmented(others))
    shares = [augmented(config(), rank=rank, world_size=2) for rank in range(2)]
    assert_same_frames(usual, shares[0] | shares[1])
    for folder, end in (("image", "npy"), ("label", "png")):
        (root / f"val/{folder}/val0.{end}").unlink()
    assert_same_frames({name: usual[name] for name in usual if name != "val0"}, augmented(config()))


def test_frames_under_tiaug_are_augmented_and_ignore_what_is_outside(config, root):
    write_pair(root / "val", "small", (3, 4), value=30)  # at most twice as large: never fills 16 x 12
    plain = {name: frame for batch in build_eval_loader(config()) for name, frame in _frames(batch)}
    for name, (image, label, frame) in augmented(config()).items():
        assert image.shape == (1, 12, 16)
        assert label.shape == frame.shape == (12, 16)
        assert (label >= -1).all()
        assert (label < 3).all()
        assert frame.shape != plain[name].shape or not np.array_equal(frame, plain[name])
    label = augmented(config())["small"][1]
    assert (label == -1).any()
    assert (label == 0).any()


def test_occluders_cover_a_part_of_every_frame_and_leave_its_place_and_label(config, root):
    for path in (root / "val/image").iterdir():
        np.save(path, np.linspace(20, 36, 60 * 80, dtype=np.float32).reshape(60, 80))
        cv2.imwrite(str(root / "val/label" / f"{path.stem}.png"), np.ones((60, 80), np.uint8))
    plain, occluded = augmented(config(), "none"), augmented(config(), "occlusion")
    assert occluded.keys() == plain.keys()
    for name, (_, label, frame) in occluded.items():
        _, plain_label, plain_frame = plain[name]
        np.testing.assert_array_equal(label, plain_label)
        same = frame == plain_frame
        assert 0 < same.mean() < 1
    assert_same_frames(occluded, augmented(config("val.batch_size=5", "seed=7"), "occlusion"))


def _frames(batch: dict) -> zip:
    return zip(batch["name"], batch["frame"], strict=True)


def test_frames_under_tiaug_of_a_folder_need_no_labels(config, root):
    labelled = augmented(config(), test_dir=str(root / "val"))
    bare = augmented(config(), test_dir=str(root / "val/image"))
    for name, (image, label, _) in labelled.items():
        np.testing.assert_array_equal(image, bare[name][0])
        assert label is not None
        assert bare[name][1] is None


def test_workers_start_though_this_process_used_opencv_before(config, root, tmp_path):
    """OpenCV's threads don't exist in a forked process; waiting for them would take forever."""
    config()
    script = (
        "import sys, time, cv2, numpy\n"
        "from itertools import islice\n"
        "from lib.datasets.build import build_train_loader\n"
        "from lib.utils.config import load_config\n"
        "cv2.setNumThreads(2)\n"
        "frame = numpy.random.default_rng(0).random((2000, 2000), numpy.float32)\n"
        "cv2.resize(frame, (640, 512))\n"
        "time.sleep(1)\n"  # until OpenCV's threads sleep
        "print(len(list(islice(build_train_loader(load_config(sys.argv[1], pairs=['data.workers=2'])[0]), 5))))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "config.yaml"],
        env=environment,
        capture_output=True,
        timeout=100,
        check=True,
    )
    assert int(done.stdout) == 5
