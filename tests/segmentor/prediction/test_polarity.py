"""Black hot pictures are segmented as white hot ones are, once a face has been seen either way round."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lib.models import SegOutput
from lib.utils.runtime import start_runtime
from segmentor.prediction import segmenter
from segmentor.prediction.polarity import MAX_DECIDING_FRAMES, Polarity
from segmentor.prediction.predictor import Predictor


def disc(face: bool = True) -> np.ndarray:
    """A bright disc, if there is a face, on dark ground with one bright corner; float32 (48, 64) in [-1, 1]."""
    rows, columns = np.mgrid[:48, :64]
    image = np.full((48, 64), -1.0, np.float32)
    image[0, 0] = 1.0
    if face:
        image[(rows - 24) ** 2 + (columns - 32) ** 2 < 100] = 0.8
    return image


def area(image: np.ndarray) -> float:
    """Of what is bright, where the ground is dark."""
    return float((image > 0.5).mean()) if np.median(image) < 0 else 0.0


def test_a_face_seen_with_grey_levels_turned_decides_for_all_that_follow():
    polarity = Polarity("auto", area)
    np.testing.assert_array_equal(polarity.white_hot(-disc()), disc())
    np.testing.assert_array_equal(polarity.white_hot(-disc(face=False)), disc(face=False))


def test_a_face_seen_as_it_is_decides_for_all_that_follow():
    polarity = Polarity("auto", area)
    np.testing.assert_array_equal(polarity.white_hot(disc()), disc())
    np.testing.assert_array_equal(polarity.white_hot(-disc()), -disc())


def test_frames_without_a_face_leave_it_open():
    polarity = Polarity("auto", area)
    for _ in range(2 * MAX_DECIDING_FRAMES):
        np.testing.assert_array_equal(polarity.white_hot(-disc(face=False)), -disc(face=False))
    np.testing.assert_array_equal(polarity.white_hot(-disc()), disc())


def test_one_frame_that_misleads_is_outvoted():
    polarity = Polarity("auto", area)
    np.testing.assert_array_equal(polarity.white_hot(-disc()), disc())
    np.testing.assert_array_equal(polarity.white_hot(disc()), disc())


def test_after_enough_frames_it_is_decided_for_good():
    looks = []
    polarity = Polarity("auto", lambda image: looks.append(1) or area(image))
    for _ in range(MAX_DECIDING_FRAMES + 5):
        np.testing.assert_array_equal(polarity.white_hot(-disc()), disc())
    assert len(looks) == 2 * MAX_DECIDING_FRAMES


@pytest.mark.parametrize(("setting", "sign"), [("white_hot", 1), ("black_hot", -1)])
def test_what_is_said_is_not_looked_for(setting, sign):
    polarity = Polarity(setting, None)
    np.testing.assert_array_equal(polarity.white_hot(disc()), sign * disc())


def test_less_than_clearly_more_leaves_pictures_as_they_are():
    areas = iter((0.10, 0.25))
    np.testing.assert_array_equal(Polarity("auto", lambda image: next(areas)).white_hot(-disc()), -disc())


class Discs(nn.Module):
    """A network that finds what is bright where the ground is dark."""

    def forward(self, image):
        dark = image.flatten(1).median(1).values.reshape(-1, 1, 1, 1) < 0
        found = (image > 0.5) & dark
        return SegOutput(20 * torch.cat([~found, found, torch.zeros_like(found)], 1).float())


@pytest.mark.parametrize("black_hot", [False, True])
def test_predictions_of_pictures_are_the_same_either_way_round(make_config, tmp_path, monkeypatch, black_hot):
    monkeypatch.setattr(segmenter, "build_network_with_weights", lambda config: Discs())
    grey = np.round(127.5 * (disc() + 1)).astype(np.uint8)
    Image.fromarray(255 - grey if black_hot else grey).save(tmp_path / "grey.png")
    pairs = (f"predict.input={tmp_path / 'grey.png'}", f"test.out_dir={tmp_path / 'out'}", "network.resume=net.pth")
    config = make_config("phase=predict", "predict.least_share=0", *pairs)  # the bright corner is a face of its own
    with start_runtime(config) as runtime:
        Predictor(config, runtime).run()
    label = np.asarray(Image.open(tmp_path / "out/label/grey.png"))
    np.testing.assert_array_equal(label == 1, disc() > 0.5)


def test_temperatures_are_never_turned(make_config, tmp_path, monkeypatch):
    monkeypatch.setattr(segmenter, "build_network_with_weights", lambda config: Discs())
    np.save(tmp_path / "frame.npy", 30 - 8 * disc())
    pairs = (f"predict.input={tmp_path / 'frame.npy'}", f"test.out_dir={tmp_path / 'out'}", "network.resume=net.pth")
    config = make_config("phase=predict", *pairs)
    with start_runtime(config) as runtime:
        Predictor(config, runtime).run()
    assert not np.asarray(Image.open(tmp_path / "out/label/frame.png")).any()
