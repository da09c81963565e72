"""Fixtures of the tests of predictions."""

import json
import logging

import numpy as np
import pytest

from segmentor.prediction import predictor, segmenter
from tests.metrics.faces import CLASS_NAMES
from tests.segmentor.prediction.thermometer import Thermometer, face_frame


@pytest.fixture
def network(monkeypatch):
    """Stands for the checkpoint's."""
    thermometer = Thermometer()
    monkeypatch.setattr(segmenter, "build_network_with_weights", lambda config: thermometer)
    return thermometer


@pytest.fixture
def face_config(make_config, tmp_path):
    """A config of faces at 72x64 pixels, with results in ``out``."""

    def make(source, *pairs):
        return make_config(
            *("phase=predict", "network.resume=net.pth", f"predict.input={source}", f"test.out_dir={tmp_path / 'out'}"),
            *("data.num_classes=6", f"data.class_names={json.dumps(CLASS_NAMES)}", "normalize.window=[20, 38]"),
            *("train.data_transformer.input_size=[72, 64]", "train_trans.random_crop.crop_size=[72, 64]"),
            *("test.batch_size=3", *pairs),
        )

    return make


@pytest.fixture
def said(monkeypatch):
    """What the log says."""
    messages, handler = [], logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    monkeypatch.setattr(predictor.logger, "handlers", [handler])
    level = predictor.logger.level
    predictor.logger.setLevel(logging.INFO)
    yield messages
    predictor.logger.setLevel(level)


@pytest.fixture
def folder(tmp_path):
    """Five frames in deg C."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for index in range(5):
        np.save(frames / f"f{index}.npy", face_frame(index)[0])
    return frames


@pytest.fixture
def serve(monkeypatch):
    """Makes a sequence what every input is."""
    return lambda sequence: monkeypatch.setattr(predictor, "open_sequence", lambda *a, **k: sequence)
