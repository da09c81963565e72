"""One training step: forward, backward, and the update of all optimisers, without waiting for the device."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lib.utils.config import Config
from lib.utils.distributed import data_parallel
from lib.utils.runtime import Runtime
from lib.utils.seed import seed_iteration
from segmentor.evaluation.evaluator import Batch
from segmentor.objectives import Objective
from segmentor.training.nonfinite import Buffers
from segmentor.training.optim import Schedule, build_critic_optimizer, build_optimizer


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


@dataclass(frozen=True)
class StepResult:
    """What a step leaves on the device.

    Attributes:
        losses: by name, detached scalars.
        nonfinite: scalar bool: the loss or a gradient wasn't finite, and the step changed nothing.
    """

    losses: dict[str, Tensor]
    nonfinite: Tensor


class TrainingStep:
    """Optimisers, learning rates and what they do in a step.

    A step whose loss or gradient isn't finite changes no weight, optimiser state or buffer (batch statistics, the
    memory of contrast): the device finds that out by itself and masks the update. A loss that isn't finite makes all
    gradients so, and gradients are summed over processes before they are looked at, so that all agree.

    Args:
        model: on its device.
        config: of the run.
        runtime: device and processes.

    Attributes:
        optimizer: of the network and what learns with it.
        critic_optimizer: of what learns against it, or None.
        schedule: of the former's learning rates.
    """

    def __init__(self, model: TrainingModel, config: Config, runtime: Runtime) -> None:
        self._runtime = runtime
        self._seed = config.seed
        self.optimizer = build_optimizer(model.network, model.objective.auxiliary_parameters(), config)
        self.critic_optimizer = build_critic_optimizer(model.objective.critic_parameters())
        self.schedule = Schedule(self.optimizer, config)
        # float16 gradients underflow without scaling, on whatever device.
        self._scaler = torch.amp.GradScaler(runtime.device.type, enabled=runtime.autocast_dtype is torch.float16)
        self._buffers = Buffers(model)
        self._model = data_parallel(model, runtime.device) if runtime.world.size > 1 else model

    def __call__(self, batch: Batch, iteration: int) -> StepResult:
        """Train on a batch; ``iteration`` steps were done before."""
        seed_iteration(self._seed, iteration, self._runtime.world.rank)
        images = self._runtime.to_device(batch["image"])
        labels = batch["label"].to(self._runtime.device, non_blocking=True)
        # Before the forward pass, so that gradients and activations are never held together.
        self._model.zero_grad(set_to_none=True)
        before = self._buffers.copy()
        with self._runtime.autocast():
            losses = self._model(images, labels, iteration)
        total = sum(losses.values())
        finite = total.detach().isfinite()
        self._scaler.scale(total * torch.where(finite, 1.0, math.nan)).backward()
        masked = self._update()
        self._buffers.put_back(before, masked)
        self.schedule.after_iteration()
        # Scaled gradients overflow now and then, which the scaler answers by a smaller scale.
        nonfinite = ~finite if self._scaler.is_enabled() else masked
        return StepResult({name: loss.detach() for name, loss in losses.items()}, nonfinite)

    def _update(self) -> Tensor:
        """Step the optimisers where all gradients are finite; returns whether they weren't, a scalar bool."""
        gradients = [p.grad for p in self._model.parameters() if p.grad is not None]
        masked = ~torch.nn.utils.get_total_norm(gradients).isfinite()
        for optimizer in filter(None, (self.optimizer, self.critic_optimizer)):
            # The fused optimisers' own switch; with scaling the scaler sets it.
            if not self._scaler.is_enabled():
                optimizer.found_inf = masked.float()  # type: ignore[attr-defined]  # not declared in PyTorch's stubs
            self._scaler.step(optimizer)
        self._scaler.update()
        return masked

    def learning_rates(self) -> list[float]:
        """Of the groups of :attr:`optimizer`."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs: tensors and plain numbers."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer and self.critic_optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError, KeyError: it is of other optimisers.
        """
        self.optimizer.load_state_dict(state["optimizer"])
        if self.critic_optimizer:
            # Its name in checkpoints of earlier versions.
            key = "opponents_optimizer" if "opponents_optimizer" in state else "critic_optimizer"
            self.critic_optimizer.load_state_dict(state[key])
        self.schedule.load_state_dict(state["schedule"])
        if state["scaler"] and self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])
