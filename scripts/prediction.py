"""Frames through a trained network, as ``bash scripts/predict.sh`` does it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lib.utils.config import Config, load_run_config
from lib.utils.log import log_to_terminal
from lib.utils.runtime import start_runtime
from segmentor.checking.names import check_names
from segmentor.prediction.predictor import Predictor


def config_of(checkpoint: Path, values: Mapping[str, Any] | None = None, pairs: Sequence[str] = ()) -> Config:
    """The config of a prediction: what a checkpoint says of its network, and over it other values.

    Args:
        checkpoint: a ``.pth`` file, with its config.
        values: by dotted key.
        pairs: ``section.key=value``.

    Raises:
        CheckpointError: it can't be read, or holds no config.
        ConfigError: a value is none.
    """
    flags = {"phase": "predict", "network.resume": str(checkpoint), **(values or {})}
    return load_run_config("", flags, pairs, [check_names])[0]


def predict(checkpoint: Path, frames: Path, out_dir: Path, pairs: Sequence[str] = ()) -> Config:
    """Write what the phase ``predict`` writes to ``out_dir``; the config that did it.

    Args:
        checkpoint: a ``.pth`` file, with its config.
        frames: a file or folder that the project reads.
        out_dir: gets ``label/*.png`` and all else.
        pairs: ``section.key=value``, put over the checkpoint's config.

    Raises:
        CheckpointError, ConfigError, DataError: as of the phase ``predict``.
    """
    config = config_of(checkpoint, {"predict.input": str(frames), "test.out_dir": str(out_dir)}, pairs)
    log_to_terminal(config.logging.stdout_level, config.logging.log_format, True)
    with start_runtime(config) as runtime:
        Predictor(config, runtime).run()
    return config
