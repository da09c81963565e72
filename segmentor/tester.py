"""The one tester: a checkpoint in; masks, pictures and scores out."""

import json
import logging
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from lib.datasets.build import build_eval_loader
from lib.utils.config import Config
from lib.utils.device import pin_memory
from lib.utils.errors import CheckpointError
from lib.utils.files import atomic_write
from segmentor.evaluator import evaluate
from segmentor.network import build_network_with_weights
from segmentor.results import ResultWriter
from segmentor.runtime import Runtime

logger = logging.getLogger("samcl")


class Tester:
    """Evaluates ``network.resume`` on ``data_dir``/val, or on the frames of ``test.test_dir``.

    With ``test.val_aug`` ``tiaug`` these are unconstrained (see :func:`~lib.datasets.build.build_eval_loader`), and so
    are the frames, masks and pictures that are written.

    Args:
        config: of the run.
        runtime: device and processes.

    Raises:
        CheckpointError: no checkpoint is named, or it doesn't fit the network.
        DataError: there are no frames, or they can't be read.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.network.resume:
            raise CheckpointError("--phase test needs a checkpoint: name it with --resume FILE.pth")
        self.config = config
        self.runtime = runtime
        network = build_network_with_weights(config)
        self.network = network.to(runtime.device, memory_format=torch.channels_last)
        self.batches = build_eval_loader(
            config,
            runtime.world.rank,
            runtime.world.size,
            test_dir=config.test.test_dir,
            pin_memory=pin_memory(runtime.device),
            unique_names=True,
            unconstrained=config.test.val_aug == "tiaug",
        )
        self.out_dir = Path(config.test.out_dir or _usual_out_dir(config))

    def run(self) -> dict[str, Any] | None:
        """Write ``label/``, ``vis/``, optionally ``prob/``, and with labels ``metrics.json``; returns its content."""
        logger.info("testing %s, writing to %s", self.config.network.resume, self.out_dir)
        speaks = self.runtime.world.is_main
        if speaks:
            # Of an earlier test into this folder, perhaps of other frames.
            (self.out_dir / "metrics.json").unlink(missing_ok=True)
        with ResultWriter(self.config, self.out_dir) as writer:
            result = evaluate(
                self.network,
                tqdm(self.batches, unit="batch", dynamic_ncols=True, disable=None if speaks else True),
                self.runtime,
                self.config.data.num_classes,
                settings=self.config.test,
                amp=self.config.test.amp,
                on_batch=writer.write,
            )
        if not int(result.confusion.matrix.sum()):
            logger.info("%d frames without labels: masks and pictures alone", result.images)
            return None
        scores = result.confusion.scores(self.config.data.names)
        metrics = {
            **scores,
            "images": result.images,
            "checkpoint": str(self.config.network.resume),
            "val_aug": self.config.test.val_aug,
        }
        if speaks:
            with atomic_write(self.out_dir / "metrics.json", "w") as file:
                json.dump(metrics, file, indent=2)
            logger.info(
                "mIoU %.2f %% on %d frames: %s",
                100 * metrics["miou"],
                result.images,
                self.out_dir / "metrics.json",
            )
        return metrics


def _usual_out_dir(config: Config) -> str:
    """Named after the checkpoint, and apart for unconstrained frames."""
    suffix = "" if config.test.val_aug == "none" else f"_{config.test.val_aug}"
    return f"seg_results/{Path(config.network.resume).stem}{suffix}"
