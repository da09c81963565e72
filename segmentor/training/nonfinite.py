"""Steps whose loss or gradient isn't finite: masked on the device, found where its numbers are read anyway."""

import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lib.datasets.build import build_train_loader
from lib.utils.config import Config
from lib.utils.distributed import gather_over_processes, mean_over_processes
from lib.utils.errors import OutputError
from lib.utils.files import atomic_write
from segmentor.evaluation.evaluator import Batch
from segmentor.training.run_checkpoints import RunCheckpoints

logger = logging.getLogger("samcl")

REMEDY = "lower lr.base_lr, or compute in float32 with solver.precision fp32"
MAX_UNREAD = 100
"""Steps whose losses stay on the device at most, however seldom they are displayed."""


class Buffers:
    """A module's buffers (batch statistics, memories), which a forward pass changes and a masked step must not.

    Args:
        module: on its device.
    """

    def __init__(self, module: nn.Module) -> None:
        by_dtype: dict[torch.dtype, list[Tensor]] = {}
        for buffer in module.buffers():
            by_dtype.setdefault(buffer.dtype, []).append(buffer)
        self._groups = list(by_dtype.values())

    @torch.no_grad()
    def copy(self) -> list[Tensor]:
        """The values of all buffers, one flat tensor per number format."""
        return [torch.cat([buffer.flatten() for buffer in group]) for group in self._groups]

    @torch.no_grad()
    def put_back(self, before: list[Tensor], condition: Tensor) -> None:
        """Give all buffers the values of :meth:`copy` where ``condition``, a scalar bool on the device, is true."""
        for group, old, new in zip(self._groups, before, self.copy(), strict=True):
            chosen = torch.where(condition, old, new).split([buffer.numel() for buffer in group])
            torch._foreach_copy_(group, [part.view_as(buffer) for part, buffer in zip(chosen, group, strict=True)])


@dataclass(frozen=True)
class NonFiniteStep:
    """A step that was masked.

    Attributes:
        index: steps of the run before it.
        losses: by name; for each process one such dict.
    """

    index: int
    losses: list[dict[str, float]]


class LossRecord:
    """This process's losses of the steps since the last display; kept on the device until they are read."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._unread: list[Tensor] = []
        self._next = 0
        self._finite: list[np.ndarray] = []

    def add(self, index: int, losses: dict[str, Tensor], nonfinite: Tensor) -> None:
        """Record a step without waiting for it.

        Args:
            index: steps of the run before it.
            losses: scalars; every step has the same names.
            nonfinite: scalar bool.
        """
        self._names = tuple(losses)
        self._unread.append(torch.stack([nonfinite.float(), *(loss.float() for loss in losses.values())]))
        self._next = index + 1

    @property
    def is_full(self) -> bool:
        """Whether so many steps are unread that :meth:`read` is due."""
        return len(self._unread) >= MAX_UNREAD

    def read(self) -> list[NonFiniteStep]:
        """Wait for the device, and return the steps that were masked since the last call.

        All processes must call this together.
        """
        if not self._unread:
            return []
        rows = torch.stack(self._unread)
        first = self._next - len(self._unread)
        self._unread.clear()
        mean = mean_over_processes(rows.clone()).cpu().numpy()
        masked = mean[:, 0] > 0
        self._finite.extend(mean[~masked, 1:])
        if not masked.any():
            return []
        of_processes = gather_over_processes(rows[None, :, 1:]).tolist()
        return [
            NonFiniteStep(first + i, [dict(zip(self._names, losses[i], strict=True)) for losses in of_processes])
            for i in np.flatnonzero(masked)
        ]

    def undisplayed(self) -> Tensor:
        """The losses that were read since the last display, (steps, losses) float32, for a checkpoint."""
        return torch.from_numpy(np.array(self._finite, np.float32))

    def restore(self, undisplayed: Tensor) -> None:
        """Go on from :meth:`undisplayed`, so that the next display shows the same means as without interruption."""
        self._finite = list(undisplayed.numpy())

    def means(self) -> dict[str, float]:
        """The mean of each loss over all processes and the finite steps since the last call; NaN without any."""
        table = np.array(self._finite, np.float64).reshape(-1, len(self._names))
        self._finite.clear()
        means = table.mean(axis=0) if len(table) else np.full(len(self._names), math.nan)
        return dict(zip(self._names, means.tolist(), strict=True))


class NonFinitePolicy:
    """Skips masked steps or ends the run, as ``solver.on_nonfinite`` and ``solver.max_nonfinite`` say.

    Args:
        config: of the run.
        checkpoints: of the run; batches are saved beside them.
        is_main: whether this process writes files.

    Attributes:
        count: masked steps of the run so far.
    """

    def __init__(self, config: Config, checkpoints: RunCheckpoints, is_main: bool) -> None:
        self._config = config
        self._checkpoints = checkpoints
        self._is_main = is_main
        self.count = 0

    def handle(self, steps: list[NonFiniteStep]) -> None:
        """Report masked steps and save their batches.

        Raises:
            FloatingPointError: the config lets the run end.
        """
        solver = self._config.solver
        for step in steps:
            self.count += 1
            report = self._report(step)
            if solver.on_nonfinite == "stop":
                raise FloatingPointError(f"{report}; {REMEDY}, or leave such steps out with solver.on_nonfinite skip")
            if self.count > solver.max_nonfinite:
                raise FloatingPointError(
                    f"{report}; these are more than solver.max_nonfinite ({solver.max_nonfinite}): {REMEDY}"
                )
            logger.warning("%s (%d of at most %d such steps)", report, self.count, solver.max_nonfinite)

    def _report(self, step: NonFiniteStep) -> str:
        number = step.index + 1
        batch = rebuild_batch(self._config, step.index)
        path = self._checkpoints.sibling_path(f"nonfinite_{number}.npz")
        kept = f"in {path}"
        if self._is_main:
            try:
                with atomic_write(path) as file:
                    np.savez(file, image=batch["image"], label=batch["label"], name=np.array(batch["name"]))
            except OutputError as error:  # what happened is worth more than the batch
                kept = f"not kept ({error})"
        terms = [", ".join(f"{name} {value:.6g}" for name, value in losses.items()) for losses in step.losses]
        of_processes = [f"process {i}: {text}" for i, text in enumerate(terms)] if len(terms) > 1 else terms
        finite = all(math.isfinite(value) for losses in step.losses for value in losses.values())
        return (
            f"{'gradient' if finite else 'loss'} not finite in iteration {number} ({'; '.join(of_processes)}); the "
            f"step was left out; its frames {', '.join(batch['name'])} are {kept}"
        )


def rebuild_batch(config: Config, index: int) -> Batch:
    """The batch number ``index``, from 0, of all processes together: it depends on seed and index alone."""
    alone = config.model_copy(update={"data": config.data.model_copy(update={"workers": 0, "cache_gb": 0.0})})
    return next(iter(build_train_loader(alone, index)))
