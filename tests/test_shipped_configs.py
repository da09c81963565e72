"""Every shipped config of thermal frames trains, validates and tests, at reduced width and size, on a tiny set like the
database; so do those of colour pictures that no benchmark's whole path takes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.utils.config import load_config
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.tester import Tester
from segmentor.trainer import Trainer

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
COLOUR = ("cityscapes", "ade20k", "lip", "pascal_context", "coco_stuff")
SHIPPED = sorted(
    path
    for path in CONFIGS.rglob("*")
    if path.suffix in (".json", ".yaml") and path.parent.name not in ("_base_", *COLOUR)
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


CITYSCAPES_IDS = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
"""Values of label files that are classes."""


@pytest.fixture(scope="module")
def street_scenes(tmp_path_factory):
    """``{train,val}/{image,label}`` of four coloured chequerboards each, labelled by ids, some of which are ignored."""
    root = tmp_path_factory.mktemp("streets")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for folder in ("image", "label"):
            (root / split / folder).mkdir(parents=True)
        for index in range(4):
            label = np.kron(rng.choice([*CITYSCAPES_IDS, 0, 255], (4, 4)), np.ones((16, 16), int))
            picture = np.stack([label * factor % 256 for factor in (7, 3, 5)], axis=2)
            Image.fromarray(picture.astype(np.uint8)).save(root / split / "image" / f"{split}{index}.png")
            Image.fromarray(label.astype(np.uint8)).save(root / split / "label" / f"{split}{index}.png")
    return root


WITH_OCR = ("network.model_name=hrnet_w48_ocr", "loss.loss_type=fs_auxce_loss")
AT_ONCE = (
    "pixel_contrast.warmup_iters=0",
    "pixel_contrast.max_views=2",
)  # as so small pictures have few pixels of a class


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("H_48_D_4_CONTRAST", AT_ONCE),
        pytest.param("H_48_D_4_CONTRAST", (*WITH_OCR, *AT_ONCE), marks=pytest.mark.thorough),
        ("H_48_D_4_MEM", ("pixel_contrast.memory_size=20", *AT_ONCE)),
        pytest.param("R_101_D_8_CONTRAST", AT_ONCE, marks=pytest.mark.thorough),
    ],
)
def test_contrast_on_street_scenes_is_on_with_one_process(name, pairs, street_scenes, tmp_path):
    path, pairs = CONFIGS / "cityscapes" / f"{name}.json", [*reduced(street_scenes, tmp_path), *pairs]
    assert not train_and_test(path, pairs, tmp_path)
    masks = [np.array(Image.open(mask)) for mask in (tmp_path / "out" / "label").glob("*.png")]
    assert set(np.unique(masks)) <= set(CITYSCAPES_IDS)
    history = next(tmp_path.glob("checkpoints/cityscapes/*_history.csv")).read_text().splitlines()
    contrast = [float(line.rpartition(",")[2]) for line in history if "contrast_loss" in line]
    assert contrast
    assert min(contrast) > 0
