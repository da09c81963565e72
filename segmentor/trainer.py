"""The one training loop. What varies between learning strategies is the objective that is passed in."""

import logging
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.models.build import build_network
from lib.models.weights import load_weights
from lib.utils.checkpoint import KINDS, checkpoint_path, load_checkpoint, save_checkpoint
from lib.utils.config import Config
from lib.utils.errors import CheckpointError
from lib.utils.seed import seed_iteration
from segmentor.evaluator import Batch, evaluate
from segmentor.monitor import Monitor
from segmentor.objectives import Objective, build_objective
from segmentor.optim import Schedule, build_optimizer
from segmentor.runtime import Runtime

logger = logging.getLogger("samcl")


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
        return self.objective(self.network(images), labels, iteration)


class Trainer:
    """Trains a network as a config says; goes on with an interrupted run where that is asked for.

    Everything that can be wrong (data, weights, an existing run of the same name) is found here, before the first step.

    Args:
        config: of the run.
        runtime: device and processes.

    Raises:
        ConfigError, DataError, CheckpointError: what is missing or doesn't fit.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        self.config = config
        self.runtime = runtime
        self.iteration = 0
        self.best: dict[str, float] = {"miou": -math.inf, "loss": math.inf}
        self._refuse_existing_run()
        checkpoint = load_checkpoint(config.network.resume) if config.network.resume else None
        network = build_network(config)
        if checkpoint is not None:
            load_weights(network, checkpoint, strict=config.network.resume_strict)
        model = TrainingModel(network, build_objective(config)).to(runtime.device, memory_format=torch.channels_last)
        if runtime.world.size > 1 and runtime.device.type == "cuda" and config.network.bn_type == "torchsyncbn":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        self.network, self.objective = model.network, model.objective
        self.optimizer = build_optimizer(self.network, self.objective, config)
        self.scaler = torch.amp.GradScaler(
            runtime.device.type,
            enabled=runtime.autocast_dtype is torch.float16 and runtime.device.type == "cuda",
        )
        self.validation_batches = build_eval_loader(config, runtime.world.rank, runtime.world.size)
        resumed = checkpoint.get("training") if config.network.resume_continue and checkpoint else None
        if resumed is not None:
            self.iteration = resumed["iteration"]
        self.batches = build_train_loader(config, self.iteration, runtime.world.rank, runtime.world.size)
        self.schedule = Schedule(self.optimizer, config)
        if config.network.resume_continue:
            self._restore(resumed)
        self.model = model
        if runtime.world.size > 1:
            self.model = DistributedDataParallel(
                model, device_ids=[runtime.device] if runtime.device.type == "cuda" else None
            )

    def train(self) -> dict[str, float]:
        """Run to ``solver.max_iters``, validating and saving on the way; returns the best mIoU and validation loss."""
        solver, end = self.config.solver, self.config.solver.max_iters
        if self.iteration >= end:
            logger.info("nothing to do: %d of %d iterations are done", self.iteration, end)
            return self.best
        if self.config.checkpoints.overwrite and not self.config.network.resume_continue:
            self._remove_existing_run()
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
        return self.best

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        """One optimiser step; returns the detached losses without waiting for the device."""
        seed_iteration(self.config.seed, self.iteration, self.runtime.world.rank)
        images = self.runtime.to_device(batch["image"])
        labels = batch["label"].to(self.runtime.device, non_blocking=True)
        with self.runtime.autocast():
            losses = self.model(images, labels, self.iteration)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(sum(losses.values())).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.after_iteration()
        return {name: loss.detach() for name, loss in losses.items()}

    def _display(self, monitor: Monitor, sums: dict[str, Tensor], iterations: int) -> None:
        """The one place in the loop that waits for the device's numbers; a diverged run ends here."""
        losses = {name: float(value) / iterations for name, value in sums.items()}
        if not all(map(math.isfinite, losses.values())):
            terms = ", ".join(f"{name} {value}" for name, value in losses.items())
            raise FloatingPointError(
                f"loss not finite between iterations {self.iteration - iterations} and {self.iteration}: {terms}; "
                f"lower lr.base_lr, or compute in float32 with solver.precision fp32; the last checkpoints are kept"
            )
        rates = [group["lr"] for group in self.optimizer.param_groups]
        monitor.display(self.iteration, losses, rates, self.config.train.batch_size)

    def _validate(self, monitor: Monitor) -> None:
        """Score the validation set and keep the checkpoint if it is the best so far in mIoU or loss."""
        shown: list[tuple[Batch, Tensor]] = []

        def keep_first(batch: Batch, logits: Tensor) -> None:
            if not shown:
                shown.append((batch, logits.argmax(1).cpu()))

        result = evaluate(
            self.network,
            self.validation_batches,
            self.runtime,
            self.config.data.num_classes,
            criterion=self.objective.pixel_loss,
            on_batch=keep_first,
        )
        scores = result.confusion.scores(self.config.data.class_names)
        self.schedule.after_validation(scores["miou"])
        monitor.validation(self.iteration, scores, result.loss)
        for batch, predictions in shown:
            monitor.overlays(self.iteration, batch["frame"], predictions, batch["name"])
        if scores["miou"] is not None and scores["miou"] > self.best["miou"]:
            self.best["miou"] = scores["miou"]
            self._save("max_performance")
        if result.loss < self.best["loss"]:
            self.best["loss"] = result.loss
            self._save("min_loss")

    def _save(self, kind: str) -> None:
        if not self.runtime.world.is_main:
            return
        training = {
            "iteration": self.iteration,
            "best": dict(self.best),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        content = {
            "config_dict": self.config.model_dump(mode="json"),
            "state_dict": self.network.state_dict(),
            "training": training,
        }
        save_checkpoint(self._path(kind), content, self.config.to_yaml())

    def _restore(self, training: dict[str, Any] | None) -> None:
        """Go on with an interrupted run; the weights are loaded already."""
        path = self.config.network.resume
        if training is None:
            raise CheckpointError(
                f"{path}: --resume_continue needs a checkpoint with a run's state, and this one holds weights alone; "
                f"leave --resume_continue out to start a new run from its weights"
            )
        try:
            self.objective.load_state_dict(training["objective"])
            self.optimizer.load_state_dict(training["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{path}: its run had another objective or optimiser than this config ({error}); resume with the "
                f"config beside the checkpoint, or leave --resume_continue out to start a new run from its weights"
            ) from error
        self.schedule.load_state_dict(training["schedule"])
        self.scaler.load_state_dict(training["scaler"])
        self.best = dict(training["best"])
        logger.info("resuming %s at iteration %d", path, self.iteration)

    def _path(self, kind: str) -> Any:
        c = self.config.checkpoints
        return checkpoint_path(c.checkpoints_root, c.checkpoints_dir, c.checkpoints_name, kind)

    def _refuse_existing_run(self) -> None:
        existing = [str(self._path(kind)) for kind in KINDS if self._path(kind).exists()]
        if existing and not (self.config.checkpoints.overwrite or self.config.network.resume_continue):
            raise CheckpointError(
                f"{existing[0]} exists: a run of this name has been here; go on with it by `resume` "
                f"(--resume {self._path('latest')} --resume_continue y), choose another name, or start it over with "
                f"--overwrite y"
            )

    def _remove_existing_run(self) -> None:
        if self.runtime.world.is_main:
            for kind in KINDS:
                self._path(kind).unlink(missing_ok=True)
                self._path(kind).with_suffix(".yaml").unlink(missing_ok=True)
