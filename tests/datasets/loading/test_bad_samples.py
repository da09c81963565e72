"""Frames that break: training stops with the file named, or goes on with others that nothing but the data decides."""

import logging
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.utils.config import load_config
from lib.utils.errors import ConfigError, DataError
from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from tests.datasets.helpers import write_pair

SIZE = (20, 24)
NAMES = [f"train{index}" for index in range(9)]
WORKERS = pytest.mark.parametrize("workers", [0, 2])
SKIP = "data.on_bad_sample=skip"


@pytest.fixture
def root(tmp_path):
    """9 training and 4 validation frames of noise."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 9), ("val", 4)):
        for index in range(count):
            write_pair(tmp_path / split, f"{split}{index}", SIZE, label=rng.integers(0, 3, SIZE, dtype=np.uint8))
            np.save(tmp_path / split / "image" / f"{split}{index}.npy", rng.uniform(20, 40, SIZE))
    return tmp_path


@pytest.fixture
def config(root, tmp_path):
    """A config that reads files anew in every epoch."""

    def build(*pairs: str):
        (tmp_path / "config.yaml").write_text(
            f"data: {{data_dir: {root}, num_classes: 3, drop_last: false, cache_gb: 0}}\n"
            "train: {batch_size: 4, data_transformer: {input_size: [16, 12]}}\n"
            "val: {batch_size: 2}\n"
            "train_trans: {trans_seq: [random_hflip, thermal_noise, random_resize, random_crop],"
            " random_crop: {crop_size: [16, 12]}}\n"
        )
        return load_config(tmp_path / "config.yaml", pairs=pairs)[0]

    return build


def take(loader, number: int) -> list[dict]:
    return list(islice(iter(loader), number))


def error_of(batches, number: int) -> str:
    """What taking ``number`` batches raises. Unlike pytest.raises it keeps neither the error nor the workers alive."""
    try:
        take(batches, number)
    except DataError as error:
        return str(error)
    raise AssertionError


def assert_same(first: list[dict], second: list[dict]) -> None:
    for one, other in zip(first, second, strict=True):
        assert one["name"] == other["name"]
        assert torch.equal(one["image"], other["image"])
        assert torch.equal(one["label"], other["label"])


def replace(path: Path, content: np.ndarray) -> None:
    """Other content at once: a worker that reads at this moment sees the one or the other."""
    other = path.with_name(f"other{path.suffix}")
    np.save(other, content) if path.suffix == ".npy" else cv2.imwrite(str(other), content)
    os.replace(other, path)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def with_nan(path: Path) -> None:
    image = np.load(path)
    image[3, 4] = np.nan
    replace(path, image)


FAULTS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "image truncated": ("image/train3.npy", truncate, "not a whole .npy array"),
    "image empty": ("image/train3.npy", lambda path: path.write_bytes(b""), "not a whole .npy array"),
    "image gone": ("image/train3.npy", Path.unlink, "No such file"),
    "image of another shape": ("image/train3.npy", lambda path: replace(path, np.ones((20, 25))), "20x25"),
    "image of more axes": ("image/train3.npy", lambda path: replace(path, np.ones((20, 24, 3))), "shape (20, 24, 3)"),
    "image with NaN": ("image/train3.npy", with_nan, "1 of 480 values aren't finite"),
    "image beyond float32": ("image/train3.npy", lambda path: replace(path, np.full(SIZE, 1e300)), "aren't finite"),
    "label truncated": ("label/train3.png", truncate, "damaged label"),
    "label gone": ("label/train3.png", Path.unlink, "No such file"),
    "label of another size": (
        "label/train3.png",
        lambda path: replace(path, np.zeros((20, 25), np.uint8)),
        "the label is 20x25",
    ),
    "label without class": (
        "label/train3.png",
        lambda path: replace(path, np.full(SIZE, 9, np.uint8)),
        "label value 9 without a class",
    ),
}
FOUND_AT_START = {
    *("image truncated", "image empty", "image gone", "image of another shape", "image of more axes"),
    *("label gone", "label of another size"),
}


@WORKERS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_frame_that_breaks_during_training_stops_it_with_its_name(config, root, fault, workers):
    file, damage, message = FAULTS[fault]
    batches = iter(build_train_loader(config(f"data.workers={workers}")))
    next(batches)
    damage(root / "train" / file)
    error = error_of(batches, 9)
    assert str(root / "train" / file) in error
    assert message in error


@WORKERS
@pytest.mark.parametrize("build", [build_train_loader, build_eval_loader])
def test_a_frame_and_label_that_change_their_size_together_stop_it(config, root, build, workers):
    loader = build(config(f"data.workers={workers}"))
    for split in ("train", "val"):
        replace(root / split / f"label/{split}3.png", np.zeros((30, 25), np.uint8))
        replace(root / split / f"image/{split}3.npy", np.ones((30, 25)))
    assert "3.npy: the frame is 30x25 (height x width) now and was 20x24" in error_of(loader, 9)


@WORKERS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_frame_that_breaks_during_training_is_replaced_on_demand(config, root, fault, workers, caplog):
    file, damage, message = FAULTS[fault]
    usual = take(build_train_loader(config()), 18)
    batches = iter(build_train_loader(config(SKIP, f"data.workers={workers}", "data.max_bad_samples=1")))
    start = next(batches)
    damage(root / "train" / file)
    ahead = 2 * workers + 1  # batches that workers may have read already
    later = take(batches, 17)[ahead:]
    assert_same([start], usual[:1])
    assert not any("train3" in batch["name"] for batch in later)
    for batch, other in zip(later, usual[1 + ahead :], strict=True):
        for index, name in enumerate(other["name"]):
            if name != "train3":
                assert batch["name"][index] == name
                assert torch.equal(batch["image"][index], other["image"][index])
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    warnings = [text for text in warnings if "hardly any pixel is as warm as skin" not in text]
    assert len(warnings) == 1  # though it was drawn in every epoch, by every worker
    assert str(root / "train" / file) in warnings[0]
    assert message in warnings[0]
    assert "1 of at most 1" in warnings[0]


@WORKERS
@pytest.mark.parametrize("fault", ["image truncated", "image with NaN", "label gone", "label of another size"])
def test_what_takes_its_place_depends_on_nothing_else(config, root, fault, workers, caplog):
    """Neither on workers, nor where a run was resumed, nor how many processes there are."""
    file, damage, _ = FAULTS[fault]
    damage(root / "train" / file)
    expected = take(build_train_loader(config(SKIP)), 12)
    parallel = config(SKIP, f"data.workers={workers}")
    assert_same(take(build_train_loader(parallel), 12), expected)
    assert_same(take(build_train_loader(parallel, start_step=7), 5), expected[7:])
    cached = config(SKIP, f"data.workers={workers}", "data.cache_gb=1")
    assert_same(take(build_train_loader(cached), 12), expected)
    shares = [take(build_train_loader(parallel, rank=rank, world_size=2), 12) for rank in range(2)]
    for batch, *parts in zip(expected, *shares, strict=True):
        assert torch.equal(torch.cat([part["image"] for part in parts]), batch["image"])
    caplog.clear()
    build_train_loader(parallel)
    assert len(caplog.records) == (fault in FOUND_AT_START)


def test_a_run_that_a_frame_broke_in_goes_on_the_same_when_it_is_resumed(config, root):
    batches = iter(build_train_loader(config(SKIP)))
    take(batches, 3)
    truncate(root / "train/image/train3.npy")
    (root / "train/label/train5.png").unlink()
    straight = take(batches, 10)
    assert_same(take(build_train_loader(config(SKIP), start_step=3), 10), straight)


def test_replacements_differ_from_epoch_to_epoch_and_seed_to_seed(config, root):
    (root / "train/image/train3.npy").unlink()
    seen = {seed: replacements(config(SKIP, f"seed={seed}"), 40) for seed in (1, 2)}
    assert len(set(seen[1])) > 3
    assert seen[1] != seen[2]
    assert "train3" not in seen[1] + seen[2]


def replacements(cfg, epochs: int) -> list[str]:
    """What came where train3 was due."""
    loader = build_train_loader(cfg)
    keys = loader._loader.batch_sampler
    found = []
    for batch, drawn in zip(loader, keys, strict=False):
        found += [name for name, (_, index) in zip(batch["name"], drawn, strict=True) if NAMES[index] == "train3"]
        if len(found) >= epochs:
            return found
    raise AssertionError


@WORKERS
def test_too_many_bad_frames_end_the_run_at_the_same_step_with_all_named(config, root, workers):
    files = [root / f"train/image/train{index}.npy" for index in (1, 4, 6)]
    for file in files:
        with_nan(file)
    assert len(take(build_train_loader(config(SKIP, "data.max_bad_samples=3")), 5)) == 5
    steps = []
    for number in (0, workers):
        names, loader = [], build_train_loader(config(SKIP, "data.max_bad_samples=2", f"data.workers={number}"))
        error = error_of((names.append(batch["name"]) for batch in loader), 9)
        assert "3 bad training frames, at most 2 may be (data.max_bad_samples)" in error
        assert [error.count(str(file)) for file in files] == [1, 1, 1]
        steps.append(names)
    assert steps[0] == steps[1]
    assert len(steps[0]) < 4


def test_too_many_bad_frames_at_the_start_are_found_there(config, root):
    for index in range(3):
        (root / f"train/image/train{index}.npy").unlink()
        truncate(root / f"train/image/train{index + 3}.npy")
    with pytest.raises(DataError, match="6 bad training frames, at most 5"):
        build_train_loader(config(SKIP, "data.max_bad_samples=5"))
    assert take(build_train_loader(config(SKIP, "data.max_bad_samples=6")), 1)
    with pytest.raises(DataError, match="3 without image.*train0, train1, train2"):
        build_train_loader(config())


@WORKERS
def test_no_frame_left_is_an_error_and_no_endless_search(config, root, workers):
    for path in (root / "train/image").iterdir():
        with_nan(path)
    for most, message in ((1000, "no training frame can be read"), (4, "5 bad training frames")):
        loader = build_train_loader(config(SKIP, f"data.max_bad_samples={most}", f"data.workers={workers}"))
        assert message in error_of(loader, 1)


def test_many_bad_frames_are_listed_in_part(config, root):
    for index in range(40):
        write_pair(root / "train", f"more{index}", SIZE)
        (root / f"train/image/more{index}.npy").write_bytes(b"")
    with pytest.raises(DataError, match="(?s)40 bad.*and 20 more"):
        build_train_loader(config(SKIP))


@WORKERS
@pytest.mark.parametrize("fault", FAULTS)
def test_validation_frames_are_never_skipped(config, root, fault, workers):
    file, damage, message = FAULTS[fault]
    loader = build_eval_loader(config(SKIP, f"data.workers={workers}"))
    path = root / "val" / file.replace("train", "val")
    damage(path)
    error = error_of(loader, 9)
    assert str(path) in error
    assert message in error


@WORKERS
def test_validation_frames_that_train_as_well_may_be_replaced_there_alone(config, root, workers):
    with_nan(root / "val/image/val1.npy")
    cfg = config(SKIP, "data.include_val=true", f"data.workers={workers}")
    names = {name for batch in take(build_train_loader(cfg), 9) for name in batch["name"]}
    assert "val1" not in names
    assert {"val0", "val2", "val3"} <= names
    assert "val1.npy" in error_of(build_eval_loader(cfg), 9)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_reach_all_processes_leave_workers_to_the_main_one(config, number):
    expected = take(build_train_loader(config()), 9)
    batches = iter(build_train_loader(config("data.workers=2")))
    first = take(batches, 2)
    workers = multiprocessing.active_children()
    # sent by another process than the parent, as by a terminal or a cluster's job control
    sender = os.posix_spawnp("kill", ["kill", f"-{number.value}", *(str(worker.pid) for worker in workers)], os.environ)
    assert os.waitpid(sender, 0)[1] == 0
    assert_same(first + take(batches, 7), expected)
    assert workers
    assert all(worker.is_alive() for worker in workers)
    for worker in workers:
        worker.terminate()  # the parent itself
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


def test_frames_that_transforms_make_too_large_are_found_before_the_first_step(config):
    for sequence in ("random_resize", "random_crop, random_resize"):
        with pytest.raises(ConfigError, match=r"input_size: expected at least \d+x\d+ .*random_crop"):
            build_train_loader(
                config(f"train_trans.trans_seq=[{sequence}]", "train_trans.random_crop.crop_size=[16,12]")
            )
    with pytest.raises(ConfigError, match="input_size: expected at least 24x20"):
        build_train_loader(config("train_trans.trans_seq=[random_hflip]"))
    sometimes = ("train_trans.trans_seq=[random_crop]", "train_trans.random_crop.ratio=0.9")
    with pytest.raises(ConfigError, match="input_size: expected at least 24x20"):
        build_train_loader(config(*sometimes))


@pytest.mark.parametrize("size", [(50, 42), (51, 42), (50, 43)])
def test_the_largest_frame_that_transforms_can_make_is_known_to_the_pixel(config, size):
    """24x20 at scale 2 and stretch 1.1 or 0.9: 50 = round(24 * 2 * sqrt(1.1)), 42 = round(20 * 2 / sqrt(0.9))."""
    resize = "train_trans.trans_seq=[random_resize]"
    build_train_loader(config(resize, f"train.data_transformer.input_size=[{size[0]},{size[1]}]"))
    for smaller in ([49, 42], [50, 41]):
        with pytest.raises(ConfigError, match="at least 50x42"):
            build_train_loader(config(resize, f"train.data_transformer.input_size={smaller}"))


def test_a_whole_run_goes_on_without_frames_that_vanished_before_and_break_within(make_config, data_dir, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(data_dir, root)
    (root / "train/label/train2.png").unlink()
    with_nan(root / "train/image/train7.npy")
    options = (f"data.data_dir={root}", "network.base_channels=2", "solver.max_iters=4")
    with pytest.raises(DataError, match="without label"):
        train(make_config(*options))
    train(make_config(*options, SKIP))
    assert list(tmp_path.rglob("*_latest.pth"))


def train(cfg) -> None:
    with start_runtime(cfg) as runtime:
        Trainer(cfg, runtime).run()
