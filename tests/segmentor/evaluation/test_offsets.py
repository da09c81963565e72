"""SegFix as a user runs it: trained on labels, its offsets written, masks mended."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lib.datasets.segfix import read_offset
from lib.models.backbones.resnet import DilatedResNet
from lib.models.segfix import SegFix
from lib.utils.config import load_run_config
from lib.utils.errors import ConfigError, OutputError
from lib.utils.runtime import start_runtime
from scripts import segfix
from segmentor.checking.names import check_names
from segmentor.evaluation.offsets import OffsetMaps, OffsetTester
from segmentor.trainer import Trainer

PAIRS = (
    *("network.model_name=segfix_hrnet", "network.backbone=resnet18_dilated8", "network.base_channels=4"),
    *("loss.loss_type=segfix_loss", "solver.max_iters=2", "solver.test_interval=2", "segfix.max_distance=2"),
)


@pytest.fixture
def trained(make_config, tmp_path):
    """Path of the checkpoint of two steps, and what makes configs that use it."""
    config = make_config(*PAIRS, "logging.log_to_file=y", f"logging.log_file={tmp_path}/run.log")
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        best = trainer.run()
    assert 0 < best["miou"] < 1
    path = trainer.checkpoints.path("latest")
    return lambda *pairs: make_config(*PAIRS, "phase=test_offset", f"network.resume={path}", *pairs)


def predict(config):
    with start_runtime(config) as runtime:
        return OffsetTester(config, runtime).run()


def test_trained_on_labels_it_mends_the_masks_of_others(trained, data_dir, tmp_path, capsys):
    offsets, out = tmp_path / "offsets", tmp_path / "refined"
    windows = ("test.mode=sscrop_test", "test.crop_size=[48,32]", "test.crop_stride_ratio=0.34")
    config = trained(f"test.out_dir={offsets}", *windows, "segfix.threshold=0.3")
    assert predict(config) == 5
    assert predict(config) == 5, "results of an earlier run are replaced"
    found = np.stack([read_offset(path) for path in sorted(offsets.glob("*.mat"))])
    assert found.shape == (5, 48, 64, 2)
    assert set(np.unique(found)) <= {-1, 0, 1}
    labels = data_dir / "val" / "label"
    arguments = ["--input", str(labels), "--offsets", str(offsets), "--out", str(out), "--scale", "3"]
    assert segfix.main(arguments) == 0
    assert segfix.main(arguments) == 0
    for path in labels.glob("*.png"):
        before, after = (cv2.imread(str(folder / path.name), cv2.IMREAD_UNCHANGED) for folder in (labels, out))
        assert after.shape == before.shape
        assert set(np.unique(after)) <= set(np.unique(before))
    capsys.readouterr()
    discs = tmp_path / "discs.yaml"
    assert segfix.main([*arguments, "--truth", str(labels), "--configs", str(discs)]) == 2
    assert "with a class in every pixel" in capsys.readouterr().err, "labels of the discs ignore a column"
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in labels.glob("*.png"):
        cv2.imwrite(str(masks / path.name), cv2.imread(str(path), cv2.IMREAD_UNCHANGED) % 255)
    arguments[1] = str(masks)
    assert segfix.main([*arguments, "--truth", str(labels), "--configs", str(discs)]) == 0
    assert "before: mIoU 100.00 %, boundary F1 100.00 %\nafter: mIoU " in capsys.readouterr().out
    (offsets / "val0.mat").unlink()
    assert segfix.main(arguments) == 2
    assert "none for val0" in capsys.readouterr().err
    assert segfix.main([*arguments[:4], "--out", str(labels)]) == 2


def test_the_checkpoint_decides_what_its_network_is(trained):
    config = Path(__file__).parents[3] / "configs" / "cityscapes" / "H_SEGFIX.json"
    flags = {"network.resume": trained().network.resume, "phase": "test_offset"}
    found, _ = load_run_config(config, flags, [], [check_names])
    assert (found.network.backbone, found.network.base_channels, found.data.num_channels) == ("resnet18_dilated8", 4, 1)


def test_no_file_of_others_is_replaced_and_no_mirror_averaged(trained, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a.mat").write_text("theirs")
    with pytest.raises(OutputError, match=r"a\.mat"):
        predict(trained(f"test.out_dir={tmp_path / 'theirs'}"))
    with pytest.raises(ConfigError, match="ss_test or sscrop_test"):
        predict(trained("test.mode=ms_test"))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["phase=test"], "train, test_offset or export"),
        (["loss.loss_type=rmi_loss"], "expected segfix_loss"),
        (["network.model_name=unet"], "a loss that needs no direction output"),
        (["network.model_name=unet", "loss.loss_type=rmi_loss", "phase=test_offset"], "predicts no offsets"),
        (["samcl.loss_weight=1"], "has no classes"),
    ],
)
def test_what_has_no_classes_and_what_has_no_offsets_is_refused(make_config, pairs, said):
    with pytest.raises(ConfigError, match=said):
        make_config(*PAIRS, *pairs)


def test_maps_are_probabilities_and_logits_at_the_images_size():
    torch.manual_seed(0)
    network = SegFix(DilatedResNet(18, base_channels=4), base_channels=4).eval()
    image = torch.randn(2, 1, 40, 33)
    with torch.no_grad():
        maps, plain, coarse = OffsetMaps(network)(image).logits, network(image), network.coarse(image)
    assert maps.shape == (2, 9, 40, 33)
    torch.testing.assert_close(maps[:, 1:], plain.direction)
    # Corners of both grids coincide, so there nothing is interpolated.
    torch.testing.assert_close(maps[:, 0, -1, -1], coarse[0].softmax(1)[:, 1, -1, -1])
    assert ((maps[:, 0] > 0) & (maps[:, 0] < 1)).all()
