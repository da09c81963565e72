"""The one tester: evaluates a checkpoint, and writes masks, pictures, scores and a report."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from lib.datasets.build import build_eval_loader
from lib.metrics import set_boundary_scores
from lib.metrics.boundary import TOLERANCE_OF_DIAGONAL
from lib.models.build import build_network_with_weights
from lib.utils.config import Config
from lib.utils.device import pin_memory
from lib.utils.distributed import join_over_processes
from lib.utils.errors import CheckpointError
from lib.utils.runtime import Runtime
from segmentor.evaluation.evaluator import Evaluation, evaluate
from segmentor.evaluation.inference import build_inference
from segmentor.evaluation.report import RESULT_FILES, environment, write_results
from segmentor.evaluation.result_folder import ResultWriter, result_manifest

logger = logging.getLogger("samcl")


class Tester:
    """Evaluates ``network.resume`` on ``data_dir``/val, or on the frames of ``test.test_dir``.

    With a ``test.val_aug`` frames and labels are augmented first (see
    :func:`~lib.datasets.build.build_eval_loader`), and the masks and pictures that are written show them so.

    Args:
        config: of the run.
        runtime: device and processes.

    Raises:
        CheckpointError: no checkpoint is named, or it doesn't fit the network.
        ConfigError: the results would be written to the folder that frames are read from.
        OutputError: the folder holds labels or results that no test or prediction wrote.
        DataError: there are no frames, or they can't be read.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.network.resume:
            raise CheckpointError("--phase test needs a checkpoint: name it with --resume FILE.pth")
        self.config = config
        self.runtime = runtime
        self.out_dir = Path(config.test.out_dir or _default_out_dir(config.network.resume, config.test.val_aug))
        self.manifest = result_manifest(self.out_dir, RESULT_FILES, _sources(config), runtime.world.rank)
        network = build_network_with_weights(config).to(runtime.device)
        self.network = network.to(memory_format=torch.channels_last)
        self.batches = build_eval_loader(
            config,
            runtime.world.rank,
            runtime.world.size,
            test_dir=config.test.test_dir,
            pin_memory=pin_memory(runtime.device),
            unique_names=True,
            val_aug=config.test.val_aug,
        )

    def run(self) -> dict[str, Any] | None:
        """Write ``label/``, ``vis/`` and, with ``test.save_prob``, ``prob/``; of frames with labels ``metrics.json``,
        ``frames.csv`` and ``report.html`` as well.

        Returns:
            The content of ``metrics.json``; None where no pixel has a label.
        """
        config, world = self.config, self.runtime.world
        logger.info("testing %s, writing to %s", config.network.resume, self.out_dir)
        if world.is_main:
            self.manifest.clear()
        join_over_processes([])  # nobody writes before that is done
        start = time.perf_counter()
        with ResultWriter(config, self.manifest) as writer:
            result = evaluate(
                build_inference(
                    config, config.test, self.network, self.runtime, config.test.amp, config.data.eval_size
                ),
                tqdm(self.batches, unit="batch", dynamic_ncols=True, disable=None if world.is_main else True),
                config.data.num_classes,
                on_batch=writer.write,
            )
        frames = sorted(join_over_processes(writer.scores()), key=lambda frame: frame.name)
        if not result.labelled:
            logger.info("%d frames without labels: masks and pictures alone", result.images)
            return None
        if not int(result.confusion.matrix.sum()):
            logger.warning(
                "no scores: every pixel of the labels of all %d frames is ignored (255 in a label file, or -1 in "
                "data.remap_classes); masks and pictures alone are written",
                result.labelled,
            )
            return None
        metrics = self._metrics(result, set_boundary_scores(frames, config.data.num_classes))
        metrics["frames_per_second"] = round(result.images / (time.perf_counter() - start), 3)
        if world.is_main:
            with self.manifest.writing(*(self.out_dir / name for name in RESULT_FILES)):
                report = write_results(config, self.out_dir, metrics, frames)
            logger.info("mIoU %.2f %% on %d frames: %s", 100 * metrics["miou"], result.images, report)
        return metrics

    def _metrics(self, result: Evaluation, boundary: dict[str, Any]) -> dict[str, Any]:
        config = self.config
        scores = result.confusion.scores(config.data.names)
        classes = [one | other for one, other in zip(scores["classes"], boundary["classes"], strict=True)]
        data = config.test.test_dir or ", ".join(str(Path(root, "val")) for root in config.data.data_dir)
        return {
            **boundary,
            **scores,
            "classes": classes,
            "boundary_tolerance": TOLERANCE_OF_DIAGONAL,
            "images": result.images,
            "checkpoint": str(config.network.resume),
            "data": data,
            "val_aug": config.test.val_aug,
            "mode": config.test.mode,
            "environment": environment(config, self.runtime),
        }


def _default_out_dir(checkpoint: str, val_aug: str) -> str:
    """Named after the checkpoint, and another one for augmented frames."""
    suffix = "" if val_aug == "none" else f"_{val_aug}"
    return f"seg_results/{Path(checkpoint).stem}{suffix}"


def _sources(config: Config) -> list[Path]:
    """Folders that frames are read from, or may be."""
    roots = [Path(root, split) for root in config.data.data_dir for split in ("", "train", "val")]
    return roots + ([Path(config.test.test_dir)] if config.test.test_dir else [])
