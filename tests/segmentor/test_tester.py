"""Testing: the files it writes are what they say."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from lib.models import build_network
from lib.utils.errors import CheckpointError
from segmentor.runtime import start_runtime
from segmentor.tester import Tester


@pytest.fixture
def weights(make_config, tmp_path):
    """An untrained network's checkpoint."""
    torch.manual_seed(0)
    path = tmp_path / "net.pth"
    torch.save({"state_dict": build_network(make_config()).state_dict()}, path)
    return path


def run(config):
    with start_runtime(config) as runtime:
        return Tester(config, runtime).run()


def test_writes_masks_pictures_probabilities_and_scores(make_config, weights, data_dir, tmp_path):
    out = tmp_path / "out"
    scores = run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={out}", "test.save_prob=y"))
    stems = sorted(path.stem for path in (data_dir / "val" / "image").glob("*.npy"))
    for folder, suffix in (("label", ".png"), ("vis", ".png"), ("prob", ".npy")):
        assert sorted(path.name for path in (out / folder).iterdir()) == [stem + suffix for stem in stems]
    confusion = np.zeros((3, 3), int)
    for stem in stems:
        picture = Image.open(out / "label" / f"{stem}.png")
        label = np.asarray(picture)
        assert picture.mode == "P"
        prob = np.load(out / "prob" / f"{stem}.npy")
        assert prob.dtype == np.float32
        assert prob.shape == (48, 64, 3)
        assert np.allclose(prob.sum(-1), 1, atol=1e-5)
        assert (prob.argmax(-1) == label).all()
        truth = np.asarray(Image.open(data_dir / "val" / "label" / f"{stem}.png"))
        np.add.at(confusion, (truth[truth != 255], label[truth != 255]), 1)
    written = json.loads((out / "metrics.json").read_text())
    assert written == scores
    assert written["confusion_matrix"] == confusion.tolist()
    assert written["images"] == 5
    assert written["checkpoint"] == str(weights)
    assert [c["name"] for c in written["classes"]] == ["room", "disc", "square"]
    iou = np.diag(confusion) / (confusion.sum(0) + confusion.sum(1) - np.diag(confusion))
    assert written["miou"] == pytest.approx(np.nanmean(iou))


def test_frames_without_labels_get_masks_alone(make_config, weights, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for index, shape in enumerate([(48, 64), (48, 64), (51, 33)]):
        np.save(frames / f"f{index}.npy", np.random.default_rng(index).uniform(20, 35, shape).astype(np.float32))
    out = tmp_path / "out"
    config = make_config("phase=test", f"network.resume={weights}", f"test.test_dir={frames}", f"test.out_dir={out}")
    assert run(config) is None
    assert Image.open(out / "label" / "f2.png").size == (33, 51)
    assert not (out / "metrics.json").exists()


def test_no_checkpoint_names_resume(make_config):
    with pytest.raises(CheckpointError, match="--resume"):
        run(make_config("phase=test"))


def test_missing_checkpoint_is_named(make_config, tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pth"):
        run(make_config("phase=test", f"network.resume={tmp_path / 'gone.pth'}"))


def test_unconstrained_validation_scores_other_frames_than_the_plain_one(make_config, weights, tmp_path):
    def scores(name, *pairs):
        return run(make_config("phase=test", f"network.resume={weights}", f"test.out_dir={tmp_path / name}", *pairs))

    plain, hard = scores("plain"), scores("hard", "test.val_aug=tiaug")
    assert (plain["val_aug"], hard["val_aug"]) == ("none", "tiaug")
    assert plain["images"] == hard["images"] == 5
    assert plain["confusion_matrix"] != hard["confusion_matrix"]
    assert (
        hard["confusion_matrix"]
        == scores("again", "test.val_aug=tiaug", "test.batch_size=5", "seed=9")["confusion_matrix"]
    )
