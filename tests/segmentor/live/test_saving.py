"""Frames that are saved while watching go through the conversion of labels as predictions to correct do."""

import json
import os
import time

import numpy as np
import pytest
from PIL import Image

from lib.thermal import ThermalFrame
from lib.utils.config.data_sections import Data
from lib.utils.errors import OutputError
from segmentor.conversion.converter import Converter, Options
from segmentor.live.saving import SavedFrames

NAMES = ["background", "face", "nose"]


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return ThermalFrame(rng.uniform(20, 36, (48, 64)).astype(np.float32), True, "")


@pytest.fixture
def label():
    label = np.zeros((48, 64), np.uint8)
    label[10:40, 10:50] = 1
    label[20:30, 25:35] = 2
    return label


def convert(folder, **options):
    data = Data(num_classes=3, class_names=NAMES)
    done = Options(folder / "labelme", folder / "frames", folder / "data", split="frame", size=None, **options)
    return Converter(done, data).run()


def test_saved_frames_are_converted_with_their_masks(tmp_path, frame, label):
    saved = SavedFrames(tmp_path, NAMES)
    for name in ("a", "b"):
        saved.save(name, frame, label)
    assert convert(tmp_path, uncorrected=True).frames.total() == 2
    (there,) = tmp_path.glob("data/*/label/a.png")
    np.testing.assert_array_equal(np.asarray(Image.open(there)), label)
    np.testing.assert_array_equal(np.load(there.parents[1] / "image" / "a.npy"), frame.values)


def test_what_nobody_has_corrected_is_left_out_and_what_somebody_has_is_never_replaced(tmp_path, frame, label):
    saved = SavedFrames(tmp_path, NAMES)
    for name in ("a", "b", "c"):
        saved.save(name, frame, label)
    saved.save("c", frame, label)
    for name in ("a", "b"):
        path = tmp_path / "labelme" / f"{name}.json"
        content = json.loads(path.read_text())
        content["shapes"] = content["shapes"][:1]
        path.write_text(json.dumps(content))
        os.utime(path, (later := time.time() + 60, later))
    summary = convert(tmp_path)
    assert (summary.frames.total(), summary.uncorrected) == (2, 1)
    with pytest.raises(OutputError, match=r"labelme/a\.json.*--save_to"):
        saved.save("a", frame, label)
    assert len(json.loads((tmp_path / "labelme/a.json").read_text())["shapes"]) == 1


def test_grey_pictures_are_saved_as_such(tmp_path, label):
    levels = np.arange(48 * 64).reshape(48, 64) % 256
    path = SavedFrames(tmp_path, NAMES).save("a", ThermalFrame(levels.astype(np.float32), False, ""), label)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), levels)
    deep = ThermalFrame(np.float32(100) * levels, False, "")
    np.testing.assert_array_equal(np.load(SavedFrames(tmp_path, NAMES).save("b", deep, label)), deep.values)
