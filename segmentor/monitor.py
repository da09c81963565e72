"""What a run tells while it goes: a progress bar, lines in the log, TensorBoard."""

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
from tqdm.contrib.logging import logging_redirect_tqdm

from lib import vis
from lib.utils.config import Config
from lib.utils.distributed import World
from segmentor.objectives import CRITIC_LOSS

logger = logging.getLogger("samcl")

OVERLAYS = 4
"""Pictures that TensorBoard shows of each validation."""


class Monitor:
    """A context that reports a training run; silent in all processes but the main one.

    Args:
        config: of the run; TensorBoard files go to ``tensorboard/<checkpoints_name>`` beside ``logging.log_file``, and
            none are written where ``logging.log_to_file`` is off.
        world: this process's place among all.
        start: iterations done before, by the run that is resumed.
    """

    def __init__(self, config: Config, world: World, start: int) -> None:
        self._config = config
        self._speaks = world.is_main
        self._start = start
        self._writer = None
        self._bar = tqdm(
            total=config.solver.max_iters,
            initial=start,
            unit="it",
            dynamic_ncols=True,
            disable=None if self._speaks else True,
        )
        self._open = ExitStack()
        self._mark = (start, time.perf_counter())

    def __enter__(self) -> "Monitor":
        self._open.callback(self._bar.close)
        if not self._bar.disable:
            self._open.enter_context(logging_redirect_tqdm([logger]))
        if self._speaks and self._config.logging.log_to_file:
            # Imported here: TensorBoard takes a second to import and nothing else needs it.
            from torch.utils.tensorboard import SummaryWriter

            folder = (
                Path(self._config.logging.log_file).parent / "tensorboard" / self._config.checkpoints.checkpoints_name
            )
            if self._start == 0:
                for old in folder.glob("events.out.tfevents.*"):
                    old.unlink()
            self._writer = SummaryWriter(folder, purge_step=self._start + 1 if self._start else None)
            self._open.callback(self._writer.close)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def iteration(self) -> None:
        """One iteration is done."""
        self._bar.update()

    def display(self, iteration: int, losses: dict[str, float], learning_rates: list[float], images: int) -> None:
        """Report the mean losses since the last call.

        Args:
            iteration: number of iterations done.
            losses: by name, their sum excluded; a critic's is shown and no part of the sum.
            learning_rates: of the optimiser's groups.
            images: in one iteration, over all processes.
        """
        since, then = self._mark
        now = time.perf_counter()
        self._mark = (iteration, now)
        seconds = (now - then) / max(iteration - since, 1)
        total = sum(value for name, value in losses.items() if name != CRITIC_LOSS)
        left = timedelta(seconds=round(seconds * (self._config.solver.max_iters - iteration)))
        if self._speaks:
            terms = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
            logger.info(
                "iteration %d/%d  loss %.4f (%s)  lr %.3g  %.3f s/it  %.1f images/s  left %s",
                *(iteration, self._config.solver.max_iters, total, terms, learning_rates[-1]),
                *(seconds, images / seconds, left),
            )
        self._scalars(iteration, {f"loss/{name}": value for name, value in losses.items()})
        self._scalars(iteration, {"loss/total": total, "speed/images_per_second": images / seconds})
        self._scalars(iteration, {f"learning_rate/group_{i}": rate for i, rate in enumerate(learning_rates)})

    def validation(self, iteration: int, scores: dict[str, Any], loss: float) -> None:
        """Report the scores of a validation."""
        if self._speaks:
            classes = "  ".join(f"{c['name']} {_percent(c['iou'])}" for c in scores["classes"])
            logger.info(
                "validation at %d: mIoU %s  loss %.4f  (%s)",
                iteration,
                _percent(scores["miou"]),
                loss,
                classes,
            )
        ious = {f"iou/{c['name']}": c["iou"] for c in scores["classes"] if c["iou"] is not None}
        self._scalars(iteration, {"validation/miou": scores["miou"], "validation/loss": loss, **ious})
        self._mark = (iteration, time.perf_counter())

    def overlays(self, iteration: int, frames: list[np.ndarray], predictions: Tensor, names: list[str]) -> None:
        """Show the first few validation frames with the predicted classes.

        Args:
            iteration: number of iterations done.
            frames: (H, W) float32 deg C.
            predictions: (N, H, W) integers on the CPU.
            names: of the frames.
        """
        if self._writer is None:
            return
        data = self._config.data
        palette = vis.palette_of(data.num_classes, data.palette)
        for frame, label, name in list(zip(frames, predictions, names, strict=False))[:OVERLAYS]:
            picture = vis.overlay(frame, label.numpy().astype(np.uint8), data.names, palette)
            self._writer.add_image(f"validation/{name}", picture, iteration, dataformats="HWC")

    def _scalars(self, iteration: int, values: dict[str, float | None]) -> None:
        if self._writer is not None:
            for name, value in values.items():
                if value is not None:
                    self._writer.add_scalar(name, value, iteration)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
