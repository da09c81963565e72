"""Every shipped config trains, validates and tests, at reduced width and size, on a tiny set like the database."""

from pathlib import Path

import pytest

from lib.utils.config import load_config
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.tester import Tester
from segmentor.trainer import Trainer

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
SHIPPED = sorted(
    path for path in CONFIGS.rglob("*") if path.suffix in (".json", ".yaml") and path.parent.name != "_base_"
)


def reduced(data_dir: Path, out_dir: Path) -> list[str]:
    """Pairs that make any config small enough for two training steps in a second."""
    return [
        *("gpu=[-1]", f"data.data_dir={data_dir}", "data.workers=0"),
        *("network.base_channels=4", "network.pretrained=null"),  # weights on disk are of wider networks
        *("train.batch_size=2", "val.batch_size=2", "solver.max_iters=2", "solver.precision=fp32"),
        *("train.data_transformer.input_size=[64,64]", "train_trans.random_crop.crop_size=[64,64]"),
        *(f"checkpoints.checkpoints_root={out_dir}", "logging.log_to_file=n", "logging.stdout_level=error"),
    ]


def train_and_test(path: Path, pairs: list[str], out_dir: Path) -> list[str]:
    """Train, test the best checkpoint, and compare its scores with the trainer's; returns the config's notes."""
    config, notes = load_config(path, pairs=pairs, checks=[check_names])
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        best = trainer.run()
    checkpoint = trainer.checkpoints.path("max_performance")
    test = ["phase=test", f"network.resume={checkpoint}", f"test.out_dir={out_dir / 'out'}"]
    config, _ = load_config(path, pairs=[*pairs, *test], checks=[check_names])
    with start_runtime(config) as runtime:
        scores = Tester(config, runtime).run()
    assert scores["miou"] == best["miou"]
    assert len(list((out_dir / "out" / "label").glob("*.png"))) == 4
    return notes


PARTS = {"H_48_OCR_RMI", "H_48_OCR_RMI_Occ", "ISA_RMI", "ISA_RMI_Occ"}
"""Configs that a further one of the same network has all of."""


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.thorough] * (path.stem in PARTS), id=path.stem) for path in SHIPPED],
)
def test_trains_validates_and_tests(path, tiny_database, tmp_path):
    assert not train_and_test(path, reduced(tiny_database, tmp_path), tmp_path)
