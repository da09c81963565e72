"""The one training loop. What varies between learning strategies is the objective that is passed in."""

import logging
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.utils.config import Config
from lib.utils.device import pin_memory
from lib.utils.distributed import share_from_main
from lib.utils.errors import CheckpointError
from lib.utils.seed import seed_iteration
from segmentor.checker import check_before_training
from segmentor.evaluator import Batch, evaluate
from segmentor.monitor import Monitor
from segmentor.network import build_network_with_weights
from segmentor.objectives import Objective, build_objective
from segmentor.optim import Schedule, build_opponents_optimizer, build_optimizer
from segmentor.run_checkpoints import RunCheckpoints
from segmentor.runtime import Runtime

logger = logging.getLogger("samcl")

_DIVERGED = (
    "; the run has diverged: lower lr.base_lr, or compute in float32 with solver.precision fp32 "
    "(the checkpoints from before are kept)"
)


class TrainingModel(nn.Module):
    """Network and objective as one module, so that one wrapper synchronises the gradients of both.

    Args:
        network: returns :class:`lib.models.output.SegOutput`.
        objective: turns that into losses.
    """

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective

    def forward(self, images: Tensor, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """Losses by name of images (N, C, H, W) float32 and labels (N, H, W) int64, -1 = ignored."""
        return self.objective(images, self.network(images), labels, iteration)


def synchronises_batch_norm(bn_type: str, runtime: Runtime) -> bool:
    """Whether batch norms share their statistics over processes: asked for, and there are several, on CUDA devices."""
    return bn_type == "torchsyncbn" and runtime.world.size > 1 and runtime.device.type == "cuda"


class Trainer:
    """Trains a network as a config says; goes on with an interrupted run where that is asked for.

    What can be wrong (data, weights, an existing run of the same name) is found here, before the first step.

    Args:
        config: of the run.
        runtime: device and processes.

    Attributes:
        iteration: number of optimiser steps done.
        best: best mIoU and smallest loss of the validations so far.

    Raises:
        ConfigError, DataError, CheckpointError: what is missing or doesn't fit.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        self.config = config
        self.runtime = runtime
        self.checkpoints = RunCheckpoints(config)
        self.checkpoints.refuse_existing_run()
        resumed = self.checkpoints.training_state()
        self.iteration = resumed["iteration"] if resumed else 0
        self.best = dict(resumed["best"]) if resumed else {"miou": -math.inf, "loss": math.inf}

        place = {"rank": runtime.world.rank, "world_size": runtime.world.size, "pin_memory": pin_memory(runtime.device)}
        self.batches = build_train_loader(config, self.iteration, **place)
        self.validation_batches = build_eval_loader(config, **place)
        check_before_training(config)

        model = TrainingModel(build_network_with_weights(config), build_objective(config))
        model.to(runtime.device)
        model.network.to(memory_format=torch.channels_last)
        on_cuda = runtime.device.type == "cuda"
        if synchronises_batch_norm(config.network.bn_type, runtime):
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.network, self.objective = model.network, model.objective
        self.optimizer = build_optimizer(self.network, self.objective.companions(), config)
        self.opponents_optimizer = build_opponents_optimizer(self.objective.opponents())
        self.schedule = Schedule(self.optimizer, config)
        # float16 gradients underflow without scaling; only CUDA trains in it.
        self.scaler = torch.amp.GradScaler(
            runtime.device.type, enabled=on_cuda and runtime.autocast_dtype is torch.float16
        )
        if resumed:
            self._restore(resumed)
        if runtime.world.size > 1:
            model = DistributedDataParallel(model, device_ids=[runtime.device] if on_cuda else None)
        self.model = model

    def run(self) -> dict[str, float]:
        """Run to ``solver.max_iters``, validating and saving on the way; returns :attr:`best`."""
        solver, end = self.config.solver, self.config.solver.max_iters
        if self.iteration >= end:
            logger.info("nothing to do: %d of %d iterations are done", self.iteration, end)
            return self.best
        self._announce()
        if self.runtime.world.is_main:
            self.checkpoints.remove_existing_run()
        self.model.train()
        sums: dict[str, Tensor] = {}
        shown = self.iteration
        with Monitor(self.config, self.runtime.world, self.iteration) as monitor:
            for batch in self.batches:
                for name, loss in self._step(batch).items():
                    sums[name] = sums[name] + loss if name in sums else loss
                self.iteration += 1
                monitor.iteration()
                last = self.iteration >= end
                if last or self.iteration % solver.display_iter == 0:
                    self._display(monitor, sums, self.iteration - shown)
                    sums, shown = {}, self.iteration
                if last or self.iteration % solver.test_interval == 0:
                    self._validate(monitor)
                if last or self.iteration % self.config.checkpoints.save_iters == 0:
                    self._save("latest")
                if last:
                    break
        logger.info("done: best mIoU %.2f %%, %s", 100 * self.best["miou"], self.checkpoints.path("max_performance"))
        return self.best

    def _announce(self) -> None:
        world, dtype = self.runtime.world, self.runtime.autocast_dtype
        logger.info(
            "training %s on %s, %d process%s, %s: %d frames, validating on %d, iterations %d to %d, writing %s",
            *(self.config.network.model_name, self.runtime.device, world.size, "es" if world.size > 1 else ""),
            str(dtype or torch.float32).removeprefix("torch."),
            *(self.batches.num_samples, self.validation_batches.num_samples),
            *(self.iteration + 1, self.config.solver.max_iters, self.checkpoints.path("latest")),
        )

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of all optimisers; returns the detached losses without waiting for the device."""
        seed_iteration(self.config.seed, self.iteration, self.runtime.world.rank)
        images = self.runtime.to_device(batch["image"])
        labels = batch["label"].to(self.runtime.device, non_blocking=True)
        with self.runtime.autocast():
            losses = self.model(images, labels, self.iteration)
        self.model.zero_grad(set_to_none=True)
        self.scaler.scale(sum(losses.values())).backward()
        for optimizer in filter(None, (self.optimizer, self.opponents_optimizer)):
            self.scaler.step(optimizer)
        self.scaler.update()
        self.schedule.after_iteration()
        return {name: loss.detach() for name, loss in losses.items()}

    def _display(self, monitor: Monitor, sums: dict[str, Tensor], iterations: int) -> None:
        """The one place in the loop that waits for the device's numbers; a diverged run ends here."""
        losses = {name: float(value) / iterations for name, value in sums.items()}
        if not all(map(math.isfinite, losses.values())):
            terms = ", ".join(f"{name} {value}" for name, value in losses.items())
            raise FloatingPointError(
                f"loss not finite between iterations {self.iteration - iterations + 1} and {self.iteration}: {terms}"
                f"{_DIVERGED}"
            )
        rates = [group["lr"] for group in self.optimizer.param_groups]
        monitor.display(self.iteration, losses, rates, self.config.train.batch_size)

    def _validate(self, monitor: Monitor) -> None:
        """Score the validation set and keep the checkpoint if it is the best so far in mIoU or loss."""
        first: list[tuple[Batch, Tensor]] = []

        def keep_first(batch: Batch, _: Tensor, prediction: Tensor) -> None:
            if not first:
                first.append((batch, prediction.cpu()))

        # Batch norms that each process kept its own statistics in must be those of the network that is saved.
        share_from_main(self.network.buffers())
        result = evaluate(
            self.network,
            self.validation_batches,
            self.runtime,
            self.config.data.num_classes,
            settings=self.config.val,
            criterion=self.objective.validation_loss,
            on_batch=keep_first,
        )
        if result.loss is None or not math.isfinite(result.loss):
            raise FloatingPointError(f"validation loss {result.loss} after iteration {self.iteration}{_DIVERGED}")
        scores = result.confusion.scores(self.config.data.names)
        miou = scores["miou"] or 0.0
        self.schedule.after_validation(miou)
        monitor.validation(self.iteration, scores, result.loss)
        for batch, predictions in first:
            monitor.overlays(self.iteration, batch["frame"], predictions, batch["name"])
        better_miou, better_loss = miou > self.best["miou"], result.loss < self.best["loss"]
        self.best = {"miou": max(miou, self.best["miou"]), "loss": min(result.loss, self.best["loss"])}
        if better_miou:
            self._save("max_performance")
        if better_loss:
            self._save("min_loss")

    def _save(self, kind: str) -> None:
        if not all(torch.isfinite(value).all() for value in self.network.state_dict().values()):
            raise FloatingPointError(f"weights not finite after iteration {self.iteration}{_DIVERGED}")
        if self.runtime.world.is_main:
            training = {
                "iteration": self.iteration,
                "best": self.best,
                "objective": self.objective.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "opponents_optimizer": self.opponents_optimizer and self.opponents_optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "scaler": self.scaler.state_dict(),
            }
            self.checkpoints.save(kind, self.network, training)

    def _restore(self, training: dict[str, Any]) -> None:
        """Go on where ``training`` was saved; network, iteration and best scores are restored already."""
        path = self.config.network.resume
        try:
            self.objective.load_state_dict(training["objective"])
            self.optimizer.load_state_dict(training["optimizer"])
            if self.opponents_optimizer:
                self.opponents_optimizer.load_state_dict(training["opponents_optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{path}: its run had another objective or optimiser than this config ({error}); resume with the "
                f"config beside the checkpoint, or leave --resume_continue out to start a new run from its weights"
            ) from error
        self.schedule.load_state_dict(training["schedule"])
        if training["scaler"] and self.scaler.is_enabled():
            self.scaler.load_state_dict(training["scaler"])
        logger.info("resuming %s after iteration %d", path, self.iteration)
