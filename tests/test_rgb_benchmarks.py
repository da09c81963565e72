"""Each benchmark of colour pictures, on drawn ones: download, preparation, training, scores, results."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lib.utils.config import load_config
from lib.utils.runtime import start_runtime
from scripts import prepare_rgb, synthesize_rgb
from segmentor.checking.names import check_names
from segmentor.tester import Tester
from segmentor.trainer import Trainer
from tests.metrics.benchmark import benchmark_miou

BASES = Path(__file__).resolve().parents[1] / "configs" / "_base_"

SIZES = {
    "cityscapes": ["test.crop_size=[64,32]"],
    "ade20k": ["train_trans.resize.min_side_length=48", "data.eval_size=40"],
    "lip": ["train_trans.resize.target_size=[48,48]", "data.eval_size=[48,40]"],
    "pascal_context": ["train_trans.resize.min_side_length=48", "data.eval_size=40"],
    "coco_stuff": ["train_trans.resize.min_side_length=48", "data.eval_size=40"],
}
"""The sizes that each base says, smaller."""

SCORED = {
    "cityscapes": [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33],
    "ade20k": list(range(1, 151)),
    "lip": list(range(20)),
    "pascal_context": list(range(1, 60)),
    "coco_stuff": [value for value in range(1, 183) if value not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)],
}
"""The values of labels that each benchmark scores, as it publishes them."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.thorough] * (name not in ("cityscapes", "lip"))) for name in SIZES],
)
def test_from_a_download_to_scores_and_results(name, tmp_path):
    raw, data, out = tmp_path / "raw", tmp_path / "data", tmp_path / "out"
    assert synthesize_rgb.main([name, str(raw), "--train", "2", "--val", "2"]) == 0
    assert prepare_rgb.main([name, str(raw), str(data), "--workers", "0"]) == 0
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"_base_": [str(BASES / f"{name}.json")]}))
    pairs = [
        *("gpu=[-1]", f"data.data_dir={data}", "data.workers=0", *SIZES[name]),
        *("network.model_name=unet", "network.base_channels=4", "loss.loss_type=fs_ce_loss"),
        *("normalize.div_value=255", "normalize.mean=[0.485,0.456,0.406]", "normalize.std=[0.229,0.224,0.225]"),
        *("train.batch_size=2", "solver.max_iters=4", "solver.test_interval=2", "solver.precision=fp32"),
        *("train.data_transformer.input_size=[48,32]", "train_trans.random_crop.crop_size=[48,32]"),
        *(f"checkpoints.checkpoints_root={tmp_path}", "logging.log_to_file=n", "logging.stdout_level=error"),
    ]
    config, notes = load_config(path, pairs=pairs, checks=[check_names])
    assert not notes
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        best = trainer.run()
    test = ["phase=test", f"network.resume={trainer.checkpoints.path('max_performance')}", f"test.out_dir={out}"]

    def scores_in(*mode):
        config, _ = load_config(path, pairs=[*pairs, *test, *mode], checks=[check_names])
        with start_runtime(config) as runtime:
            return Tester(config, runtime).run()

    assert scores_in(f"test.mode={config.val.mode}")["miou"] == best["miou"]
    mode = "mscrop_test" if name == "cityscapes" else "ms_test"
    scores = scores_in(f"test.mode={mode}", "test.scale_search=[0.75,1]")
    names = sorted(path.name for path in (data / "val" / "label").glob("*.png"))
    truths = [cv2.imread(str(data / "val" / "label" / name), cv2.IMREAD_UNCHANGED) for name in names]
    results = [np.array(Image.open(out / "label" / name)) for name in names]
    assert [result.shape for result in results] == [truth.shape for truth in truths]
    assert set(np.unique(np.concatenate([result.ravel() for result in results]))) <= set(SCORED[name])
    assert scores["miou"] == pytest.approx(benchmark_miou(truths, results, SCORED[name]), abs=1e-12)
    if name == "cityscapes":
        assert scores_in(f"test.test_dir={data / 'test'}") is None
        (result,) = [path for path in (out / "label").glob("*.png") if path.name.startswith("teststadt")]
        assert set(np.unique(np.array(Image.open(result)))) <= set(SCORED[name])
