"""What a training run reports: a progress bar, lines in the log, a table of its measurements, TensorBoard."""

import logging
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from lib import vis
from lib.metrics.history import History
from lib.utils.config import Config
from lib.utils.distributed import World
from lib.utils.labels import boundary_of
from segmentor.objectives import CRITIC_LOSS
from segmentor.training.summary import TensorBoardSummary

logger = logging.getLogger("samcl")

MAX_OVERLAYS = 4
"""Pictures in TensorBoard of each validation, and of the first training batch."""


class Monitor:
    """A context that reports a training run; silent in all processes but the main one.

    Args:
        config: of the run; TensorBoard files go to ``tensorboard/<checkpoints_name>`` beside ``logging.log_file``, and
            none are written where ``logging.log_to_file`` is off.
        world: this process's place among all.
        start: iterations done before, by the run that is resumed.
        history: path of the table that :mod:`lib.metrics.history` describes.
    """

    def __init__(self, config: Config, world: World, start: int, history: Path) -> None:
        self._config = config
        self._history = History(history, start) if world.is_main else None
        self._is_main = world.is_main
        self._start = start
        self._summary: TensorBoardSummary | None = None
        self._batch_is_shown = False
        self._bar = tqdm(
            total=config.solver.max_iters,
            initial=start,
            unit="it",
            dynamic_ncols=True,
            disable=None if self._is_main else True,
        )
        self._open = ExitStack()
        self._last_report = (start, time.perf_counter())

    def __enter__(self) -> "Monitor":
        self._open.callback(self._bar.close)
        if self._is_main and self._config.logging.log_to_file:
            log = self._config.logging
            folder = Path(log.log_file).parent / "tensorboard" / self._config.checkpoints.checkpoints_name
            self._summary = TensorBoardSummary(folder, self._start, log.max_mb)
            self._open.callback(self._summary.close)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def iteration(self, batch: dict[str, Any]) -> None:
        """Count an iteration; the frames of the first batch are shown as the network saw them.

        Args:
            batch: of the iteration: ``image`` (N, K, H, W) float32, ``label`` (N, H, W) int64, -1 = ignored.
        """
        self._bar.update()
        if self._summary and not self._batch_is_shown:
            self._batch_is_shown = True
            images, labels = (batch[key][:MAX_OVERLAYS].cpu().numpy() for key in ("image", "label"))
            if self._config.learns_boundaries:
                labels = boundary_of(labels)
            for number, (image, label) in enumerate(zip(images, labels, strict=True)):
                picture = self._overlay(np.moveaxis(image, 0, -1).squeeze(), label)
                self._summary.picture(f"training/{number}", picture, self._start + 1)

    def display(self, iteration: int, losses: dict[str, float], learning_rates: list[float]) -> None:
        """Report the mean losses since the last call.

        Args:
            iteration: number of iterations done.
            losses: by name, without their sum, which is shown as well and leaves a critic's loss out.
            learning_rates: of the optimiser's groups.
        """
        since, then = self._last_report
        now = time.perf_counter()
        self._last_report = (iteration, now)
        seconds = (now - then) / max(iteration - since, 1)
        images = self._config.train.batch_size
        total = sum(value for name, value in losses.items() if name != CRITIC_LOSS)
        left = timedelta(seconds=round(seconds * (self._config.solver.max_iters - iteration)))
        if self._is_main:
            terms = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
            logger.info(
                "iteration %d/%d  loss %.4f (%s)  lr %.3g  %.3f s/it  %.1f images/s  left %s",
                *(iteration, self._config.solver.max_iters, total, terms, learning_rates[-1]),
                *(seconds, images / seconds, left),
            )
        self._record(iteration, "loss", {**losses, "total": total})
        self._scalars(iteration, {"speed/images_per_second": images / seconds})
        self._scalars(iteration, {f"learning_rate/group_{i}": rate for i, rate in enumerate(learning_rates)})

    def validation(self, iteration: int, scores: dict[str, Any], loss: float) -> None:
        """Report the scores of a validation.

        Args:
            iteration: number of iterations done.
            scores: as :meth:`lib.metrics.ConfusionMatrix.scores` returns them.
            loss: mean over the frames.
        """
        if self._is_main:
            classes = "  ".join(f"{c['name']} {_percent(c['iou'])}" for c in scores["classes"])
            logger.info(
                "validation at %d: mIoU %s  loss %.4f  (%s)",
                iteration,
                _percent(scores["miou"]),
                loss,
                classes,
            )
        self._record(iteration, "validation", {"miou": scores["miou"], "loss": loss})
        self._record(iteration, "iou", {c["name"]: c["iou"] for c in scores["classes"]})
        self._last_report = (iteration, time.perf_counter())

    def overlays(self, iteration: int, batch: dict[str, Any], predictions: Tensor) -> None:
        """Show the first few validation frames: as they are, with their labels, and with the predicted classes.

        Args:
            iteration: number of iterations done.
            batch: with ``frame`` (H, W) float32 deg C, ``label`` (N, H, W) int64, -1 = ignored, and ``name``.
            predictions: (N, H, W) integers on the CPU.
        """
        if not self._summary:
            return
        shown = zip(batch["frame"], batch["label"].numpy(), predictions.numpy(), batch["name"], strict=True)
        for frame, truth, prediction, name in list(shown)[:MAX_OVERLAYS]:
            nothing = np.full_like(truth, -1)
            parts = [self._overlay(frame, label) for label in (nothing, truth, prediction)]
            self._summary.picture(f"validation/{name}", np.hstack(parts), iteration)

    def _overlay(self, frame: np.ndarray, label: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 of a frame and its label, -1 = ignored."""
        data = self._config.scored
        palette = vis.palette_of(data.num_classes, data.palette)
        return vis.overlay(frame, label, data.names, palette)

    def _record(self, iteration: int, kind: str, values: dict[str, float | None]) -> None:
        """Write numbers to the table and to TensorBoard."""
        if self._history:
            try:
                self._history.append(iteration, kind, values)
            except OSError as error:
                logger.warning(
                    "the table of the run ends before iteration %d, as it can't be written: %s", iteration, error
                )
                self._history = None
        self._scalars(iteration, {f"{kind}/{name}": value for name, value in values.items()})

    def _scalars(self, iteration: int, values: dict[str, float | None]) -> None:
        if self._summary:
            self._summary.scalars(iteration, values)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
