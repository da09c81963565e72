"""Every shipped config trains, validates and tests, at reduced width and size, on a tiny set like the database."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.utils.config import load_config
from segmentor.checks import check_names
from segmentor.runtime import start_runtime
from segmentor.tester import Tester
from segmentor.trainer import Trainer

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
SHIPPED = sorted(
    path for path in CONFIGS.rglob("*") if path.suffix in (".json", ".yaml") and path.parent.name != "_base_"
)


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_trains_validates_and_tests(path, tiny_database, tmp_path):
    reduced = [
        *("gpu=[-1]", f"data.data_dir={tiny_database}", "data.workers=0", "network.base_channels=4"),
        *("train.batch_size=2", "val.batch_size=2", "solver.max_iters=2", "solver.precision=fp32"),
        *("train.data_transformer.input_size=[64,64]", "train_trans.random_crop.crop_size=[64,64]"),
        *(f"checkpoints.checkpoints_root={tmp_path}", "logging.log_to_file=n", "logging.stdout_level=error"),
    ]
    config, notes = load_config(path, pairs=reduced, checks=[check_names])
    assert not notes
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        best = trainer.run()
    checkpoint = trainer.checkpoints.path("max_performance")
    test = ["phase=test", f"network.resume={checkpoint}", f"test.out_dir={tmp_path / 'out'}"]
    config, _ = load_config(path, pairs=[*reduced, *test], checks=[check_names])
    with start_runtime(config) as runtime:
        scores = Tester(config, runtime).run()
    assert scores["miou"] == best["miou"]
    assert len(list((tmp_path / "out" / "label").glob("*.png"))) == 4
