"""A data set that a small network learns in seconds: a warm disc (class 1) with a cold square (class 2) in it."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

# Data in tests are small: a second thread gains nothing and waits for a core where other work runs beside. Said before
# NumPy is there, which asks once; processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from lib.utils.config import Config, load_config
from lib.utils.log import logger
from lib.utils.machine import available_cores
from segmentor.checking.names import check_names
from tests import fuzz

HEIGHT, WIDTH = 48, 64

MOST_PROCESSES = 8
"""Each takes up to two gigabytes, and more of them hardly end earlier: the longest tests take their time."""

torch.set_num_threads(1)
cv2.setNumThreads(1)

# How long a case takes depends on what runs beside, not on the code; Hypothesis would end those of more than 0.2 s.
settings.register_profile("beside others", deadline=fuzz.LONGEST)
settings.load_profile("beside others")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--fuzz N``, see :mod:`tests.fuzz`; ``--thorough``, for tests that are slow and rarely break."""
    parser.addoption("--fuzz", type=int, default=1, metavar="N", help="N times as many generated cases, other ones")
    parser.addoption("--thorough", action="store_true", help="run the tests marked thorough as well, as .ci/run does")


def pytest_configure(config: pytest.Config) -> None:
    """Hand ``--fuzz`` on before any test is imported."""
    fuzz.factor = config.getoption("--fuzz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked ``thorough``, unless ``--thorough`` asks for them or the command names one of them."""
    if config.getoption("--thorough") or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """``-n auto``: a process per core; this one alone for a single file, as others take time to begin."""
    paths = {argument.partition("::")[0] for argument in config.args}
    return 0 if len(paths) == 1 and Path(*paths).is_file() else min(available_cores(), MOST_PROCESSES)


@pytest.fixture(autouse=True)
def untouched_log() -> None:
    """The project's log as in a new process: runs of earlier tests sent it to the terminal alone, past ``caplog``."""
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def draw_frame(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A frame (H, W) float32 deg C and its label (H, W) uint8; the last column is ignored."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    y, x = rng.uniform(16, HEIGHT - 16), rng.uniform(16, WIDTH - 16)
    label = np.zeros((HEIGHT, WIDTH), np.uint8)
    label[(rows - y) ** 2 + (columns - x) ** 2 < 12**2] = 1
    label[(abs(rows - y) < 5) & (abs(columns - x) < 5)] = 2
    frame = np.choose(label, [22.0, 34.0, 29.0]) + rng.normal(0, 0.1, label.shape)
    label[:, -1] = 255
    return frame.astype(np.float32), label


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``{train,val}/{image,label}`` of 12 and 5 frames."""
    root = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 5)):
        for folder in ("image", "label"):
            (root / split / folder).mkdir(parents=True)
        for index in range(count):
            frame, label = draw_frame(rng)
            np.save(root / split / "image" / f"{split}{index}.npy", frame)
            Image.fromarray(label).save(root / split / "label" / f"{split}{index}.png")
    return root


@pytest.fixture
def make_config(data_dir: Path, tmp_path: Path) -> Callable[..., Config]:
    """A config for the discs from ``section.key=value`` pairs over small defaults."""
    return config_maker(data_dir, tmp_path)


def config_maker(data_dir: Path, folder: Path) -> Callable[..., Config]:
    """Makes configs that learn ``data_dir`` and write to ``folder``, where it leaves the defaults as ``discs.yaml``."""
    path = folder / "discs.yaml"
    path.write_text(
        f"""
        data: {{data_dir: {data_dir}, num_classes: 3, class_names: [room, disc, square], workers: 0}}
        train: {{batch_size: 4, data_transformer: {{input_size: [64, 48]}}}}
        val: {{batch_size: 2}}
        test: {{batch_size: 2}}
        train_trans: {{trans_seq: [random_hflip, thermal_noise, random_resize, random_crop],
                       random_crop: {{crop_size: [64, 48]}}}}
        network: {{model_name: unet, base_channels: 4}}
        loss: {{loss_type: rmi_loss}}
        lr: {{base_lr: 0.05}}
        solver: {{max_iters: 6, display_iter: 2, test_interval: 3, precision: fp32}}
        checkpoints: {{checkpoints_root: {folder}, checkpoints_name: run, save_iters: 3}}
        logging: {{log_to_file: false, stdout_level: warning}}
        gpu: [-1]
        """
    )

    def make(*pairs: str) -> Config:
        return load_config(path, pairs=pairs, checks=[check_names])[0]

    return make


@pytest.fixture(scope="session")
def tiny_database(tmp_path_factory):
    """``Processed/{train,val}`` of four frames each, with all eight label values of the database."""
    root = tmp_path_factory.mktemp("database") / "Processed"
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for folder in ("image", "label"):
            (root / split / folder).mkdir(parents=True)
        for index in range(4):
            label = np.kron(rng.permutation(np.arange(16) % 8).reshape(4, 4), np.ones((16, 16))).astype(np.uint8)
            frame = 20 + 2 * label + rng.normal(0, 0.1, label.shape)
            np.save(root / split / "image" / f"{split}{index}.npy", frame.astype(np.float32))
            Image.fromarray(label).save(root / split / "label" / f"{split}{index}.png")
    return root
