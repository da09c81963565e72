"""Training steps that can be timed one by one: those of the real trainer, and those of a bare network."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.build import build_network
from lib.utils.config import Config
from lib.utils.runtime import start_runtime
from segmentor.trainer import Trainer
from segmentor.training.optim import build_optimizer

PHASES = ("batch", "forward", "losses", "backward of the losses", "backward of the network", "optimiser", "rest")


class Stopped(Exception):
    """Ends a training run from within its data."""


class Batches:
    """Stands before a trainer's loader: between two steps the clock is still and ``between`` runs.

    Args:
        loader: of the trainer.
        steps: after which the run ends, by :class:`Stopped`.
        between: called with the number of steps done, before every step and after the last.
    """

    def __init__(self, loader: Any, steps: int, between: Callable[[int], None]) -> None:
        self.loader, self.steps, self.between = loader, steps, between
        self.num_samples = loader.num_samples
        self.times: list[list[tuple[str, float]]] = []

    def mark(self, name: str) -> None:
        """What ``name`` says is over now."""
        if self.times:
            self.times[-1].append((name, time.perf_counter()))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        batches = iter(self.loader)
        for done in range(self.steps):
            self.between(done)
            self.times.append([])
            self.mark("start")
            batch = next(batches)
            self.mark("batch")
            yield batch
            self.mark("rest")
        self.between(self.steps)
        raise Stopped

    @property
    def seconds(self) -> list[float]:
        """Of each step, from asking for its batch until the next is asked for."""
        return [marks[-1][1] - marks[0][1] for marks in self.times]

    def phases(self) -> list[dict[str, float]]:
        """Seconds of each phase of :data:`PHASES` in each step."""
        return [_durations(marks) for marks in self.times]


def _durations(marks: list[tuple[str, float]]) -> dict[str, float]:
    durations = dict.fromkeys(PHASES, 0.0)
    for (_, before), (name, after) in zip(marks, marks[1:], strict=False):
        durations[name] += after - before
    return durations


def run_trainer(config: Config, steps: int, between: Callable[[int], None]) -> Batches:
    """Train as ``--phase train`` does for some steps of the run that ``config`` describes; returns their times."""
    with start_runtime(config) as runtime:
        trainer = Trainer(config, runtime)
        batches = Batches(trainer.batches, steps, between)
        trainer.batches = batches
        watch(trainer.network, trainer.objective, trainer.optimizer, batches.mark)
        try:
            trainer.run()
        except Stopped:
            return batches
    raise AssertionError("the run ended before its last step")


def watch(network: nn.Module, objective: nn.Module, optimizer: torch.optim.Optimizer, mark: Callable) -> None:
    """Call ``mark`` with each of :data:`PHASES` when it is over."""

    def forward_is_done(module: nn.Module, inputs: Any, output: Any) -> None:
        mark("forward")
        if output.logits.requires_grad:
            output.logits.register_hook(lambda gradient: mark("backward of the losses"))

    network.register_forward_hook(forward_is_done)
    objective.register_forward_hook(lambda *_: mark("losses"))
    optimizer.register_step_pre_hook(lambda *_: mark("backward of the network"))
    optimizer.register_step_post_hook(lambda *_: mark("optimiser"))


class BareNetwork:
    """Forward, cross-entropy, backward, optimiser step, on one batch that is in memory.

    Args:
        config: names network and optimiser.
        images: (N, C, H, W) float32, on the device that computes.
        labels: (N, H, W) int64, -1 = ignored; there, too.
        dtype: of autocast; None for float32.
        memory_format: of network and images.
    """

    def __init__(
        self,
        config: Config,
        images: Tensor,
        labels: Tensor,
        dtype: torch.dtype | None,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        torch.manual_seed(config.seed)
        self.network = build_network(config).to(images.device, memory_format=memory_format).train()
        self.optimizer = build_optimizer(self.network, [], config)
        self.images, self.labels = images.contiguous(memory_format=memory_format), labels
        self.dtype = dtype

    def step(self) -> None:
        """One training step."""
        with torch.autocast(self.images.device.type, self.dtype, enabled=self.dtype is not None):
            logits = self.network(self.images).logits
        loss = F.cross_entropy(logits.float(), self.labels, ignore_index=-1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()


@contextmanager
def stopwatch(times: list[float]) -> Iterator[None]:
    """Append the seconds that the body takes."""
    start = time.perf_counter()
    yield
    times.append(time.perf_counter() - start)
