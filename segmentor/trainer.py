"""The one training loop; learning strategies differ in the objective that is optimised."""

import logging
import math
from contextlib import nullcontext
from signal import Signals
from typing import Any

import torch
from torch import Tensor, nn

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.datasets.loading.loader import ends_of_workers_told
from lib.models.build import build_network_with_weights
from lib.models.inplace_abn import synchronise_inplace_abn
from lib.utils.config import Config
from lib.utils.device import pin_memory
from lib.utils.distributed import join_over_processes, share_from_main
from lib.utils.errors import CheckpointError, Interrupted
from lib.utils.runtime import Runtime
from segmentor.checking.data import check_before_training
from segmentor.evaluation.evaluator import Batch, evaluate
from segmentor.evaluation.inference import build_inference
from segmentor.objectives import build_objective
from segmentor.training.compilation import compile_training
from segmentor.training.monitor import Monitor
from segmentor.training.nonfinite import REMEDY, LossRecord, NonFinitePolicy
from segmentor.training.run_checkpoints import RunCheckpoints
from segmentor.training.step import TrainingModel, TrainingStep
from segmentor.training.stopping import StopSignals

logger = logging.getLogger("samcl")

_DIVERGED = f"; the run has diverged: {REMEDY} (the checkpoints from before are kept)"


def synchronises_batch_norm(bn_type: str, runtime: Runtime) -> bool:
    """Whether batch norms share their statistics over processes: asked for, and there are several, on CUDA devices."""
    return bn_type == "torchsyncbn" and runtime.world.size > 1 and runtime.device.type == "cuda"


class Trainer:
    """Trains a network as a config says; resumes an interrupted run with ``network.resume_continue``.

    Faults of the data, of the weights and of an existing run of the same name are raised here, before the first step.

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
        self._lock = self.checkpoints.lock() if runtime.world.is_main else None
        try:
            with ends_of_workers_told():
                self._set_up()
        except BaseException:
            # A run that is refused leaves nothing behind.
            if self._lock:
                self._lock.withdraw()
            raise

    def _set_up(self) -> None:
        config, runtime = self.config, self.runtime
        self.checkpoints.refuse_existing_run()
        checkpoint = self.checkpoints.resumed()
        resumed = checkpoint and checkpoint["training"]
        self.iteration = resumed["iteration"] if resumed else 0
        # Files of the main process: where several machines see different ones, all must decide alike.
        self.best = join_over_processes([self.checkpoints.best_scores(resumed)])[0]

        world, pinned = runtime.world, pin_memory(runtime.device)
        self.batches = build_train_loader(config, self.iteration, world.rank, world.size, pinned)
        uncached_gb = config.data.cache_gb - self.batches.cache_gb
        self.validation_batches = build_eval_loader(
            *(config, world.rank, world.size),
            pin_memory=pinned,
            cache_gb=uncached_gb,
            shared_bytes=self.batches.shared_bytes,
        )
        check_before_training(config)
        self.batches.begin()  # the first ones are read while the network is made

        model = TrainingModel(build_network_with_weights(config, checkpoint), build_objective(config))
        model.to(runtime.device)
        model.network.to(memory_format=torch.channels_last)
        if synchronises_batch_norm(config.network.bn_type, runtime):
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        if config.network.bn_type == "inplace_abn" and world.size > 1:
            synchronise_inplace_abn(model.network)
        self.network, self.objective = model.network, model.objective
        if config.solver.compile:
            compile_training(self.network, self.objective)
        self.step = TrainingStep(model, config, runtime)
        self.record = LossRecord()
        self.nonfinite = NonFinitePolicy(config, self.checkpoints, runtime.world.is_main)
        if resumed:
            self._restore(resumed)

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The optimiser of the network and of the objective's auxiliary parameters."""
        return self.step.optimizer

    def run(self) -> dict[str, float]:
        """Train to ``solver.max_iters``, with validations and checkpoints on the way; returns :attr:`best`.

        Raises:
            Interrupted: a signal came, and the run was saved after the step.
            FloatingPointError: the run has diverged.
            OutputError: a checkpoint can't be written.
        """
        solver, end = self.config.solver, self.config.solver.max_iters
        if self.iteration >= end:
            logger.info("nothing to do: %d of %d iterations are done", self.iteration, end)
            return self.best
        self._announce()
        # Before the first pass: a process that is forked after it keeps the memory of its features, which is needed a
        # second time when they are written again.
        self.validation_batches.begin()
        self.network.train()
        begins = self.runtime.world.is_main
        history = self.checkpoints.sibling_path("history.csv")
        with (
            self._lock or nullcontext(),
            StopSignals(self.runtime.world) as signals,
            Monitor(self.config, self.runtime.world, self.iteration, history) as monitor,
        ):
            for batch in self.batches:
                result = self.step(batch, self.iteration)
                if begins:  # not before, as a run that fails at its first step must not cost the one that it overwrites
                    self.checkpoints.remove_existing_run()
                    begins = False
                self.record.add(self.iteration, result.losses, result.nonfinite)
                self.iteration += 1
                monitor.iteration(batch)
                signum = signals.requested()
                last = self.iteration >= end
                if last or self.iteration % solver.display_iter == 0:
                    self._handle_nonfinite()
                    monitor.display(self.iteration, self.record.means(), self.step.learning_rates())
                elif self.record.is_full:
                    self._handle_nonfinite()
                if last or self.iteration % solver.test_interval == 0:
                    self._validate(monitor)
                if last or signum or self.iteration % self.config.checkpoints.save_iters == 0:
                    self._save("latest")
                if last:
                    break
                if signum:
                    raise Interrupted(self._resume_hint(signum), signum)
        logger.info("done: best mIoU %.2f %%, %s", 100 * self.best["miou"], self.checkpoints.path("max_performance"))
        return self.best

    def _handle_nonfinite(self) -> None:
        """Read the losses since the last call, the one wait for the device in the loop, and handle masked steps."""
        self.nonfinite.handle(self.record.read())

    def _resume_hint(self, signum: int) -> str:
        return (
            f"stopped by {Signals(signum).name} after iteration {self.iteration}; go on with "
            f"--resume {self.checkpoints.path('latest')} --resume_continue y"
        )

    def _announce(self) -> None:
        world, dtype = self.runtime.world, self.runtime.autocast_dtype
        logger.info(
            "training %s on %s, %d process%s, %s: %d frames, validating on %d, iterations %d to %d, writing %s",
            *(self.config.network.model_name, self.runtime.device, world.size, "es" if world.size > 1 else ""),
            str(dtype or torch.float32).removeprefix("torch."),
            *(self.batches.num_samples, self.validation_batches.num_samples),
            *(self.iteration + 1, self.config.solver.max_iters, self.checkpoints.path("latest")),
        )

    def _validate(self, monitor: Monitor) -> None:
        """Evaluate on the validation set, and save a checkpoint where mIoU or loss are the best so far."""
        first: list[tuple[Batch, Tensor]] = []

        def keep_first(batch: Batch, _: Tensor, prediction: Tensor) -> None:
            if not first:
                first.append((batch, prediction.cpu()))

        # Batch norms that each process kept its own statistics in must be those of the network that is saved.
        share_from_main([*self.network.buffers(), *self.objective.buffers()])
        result = evaluate(
            build_inference(
                self.config, self.config.val, self.network, self.runtime, eval_size=self.config.data.eval_size
            ),
            self.validation_batches,
            self.config.scored.num_classes,
            criterion=self.objective.validation_loss,
            on_batch=keep_first,
        )
        if result.loss is None or not math.isfinite(result.loss):
            raise FloatingPointError(f"validation loss {result.loss} after iteration {self.iteration}{_DIVERGED}")
        scores = result.confusion.scores(self.config.scored.names)
        miou = scores["miou"] or 0.0
        self.step.schedule.after_validation(miou)
        monitor.validation(self.iteration, scores, result.loss)
        for batch, predictions in first:
            monitor.overlays(self.iteration, batch, predictions)
        better_miou, better_loss = miou > self.best["miou"], result.loss < self.best["loss"]
        self.best = {"miou": max(miou, self.best["miou"]), "loss": min(result.loss, self.best["loss"])}
        if better_miou:
            self._save("max_performance")
        if better_loss:
            self._save("min_loss")

    def _save(self, kind: str) -> None:
        self._handle_nonfinite()
        if not all(torch.isfinite(value).all() for value in self.network.state_dict().values()):
            raise FloatingPointError(f"weights not finite after iteration {self.iteration}{_DIVERGED}")
        if self.runtime.world.is_main:
            training = {
                "iteration": self.iteration,
                "best": self.best,
                "nonfinite": self.nonfinite.count,
                "undisplayed": self.record.undisplayed(),
                "objective": self.objective.state_dict(),
                **self.step.state_dict(),
            }
            self.checkpoints.save(kind, self.network, training)

    def _restore(self, training: dict[str, Any]) -> None:
        """Restore the rest of a checkpoint's state; network, iteration and best scores are restored already."""
        path = self.config.network.resume
        try:
            self.objective.load_state_dict(training["objective"])
            self.step.load_state_dict(training)
            self.record.restore(training["undisplayed"])
            self.nonfinite.count = training["nonfinite"]
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"{path}: its run had another objective or optimiser than this config ({error}); resume with the "
                f"config beside the checkpoint, or leave --resume_continue out to start a new run from its weights"
            ) from error
        logger.info("resuming %s after iteration %d", path, self.iteration)
