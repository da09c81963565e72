"""Optimisers with the published learning-rate groups, and the published learning-rate policies."""

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from lib.utils.config import Config

TENFOLD_PREFIXES = ("aux_layer", "upsample_proj")
"""Names of parts that learn ten times as fast in the published code. None of its networks for thermal faces has such a
part, nor has any here: BaseOCNet's auxiliary classifier has another name there too, and learns as the other heads do. A
network of your own may."""

AnyOptimizer = TypeVar("AnyOptimizer", bound=Optimizer)


def build_optimizer(network: nn.Module, auxiliary: Iterable[nn.Parameter], config: Config) -> Optimizer:
    """The optimiser of a network and of what learns with it.

    Learning rates as published: parameters under ``backbone`` at ``lr.base_lr``, those of parts with a name of
    :data:`TENFOLD_PREFIXES` at ten times that, all others, auxiliary classifiers among them, at ``lr.nbb_mult`` times.

    The optimisers are PyTorch's fused ones: one pass over the weights, and an attribute ``found_inf`` (a float tensor
    on the weights' device) that masks the whole step where it is 1.

    Args:
        network: of any kind.
        auxiliary: the objective's parameters that learn with it (an auxiliary network); they count among the others.
        config: sections ``lr`` and ``optim``.
    """
    rates: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rates.setdefault(config.lr.base_lr * _rate_factor(name, config.lr.nbb_mult), []).append(parameter)
    rates.setdefault(config.lr.base_lr * config.lr.nbb_mult, []).extend(auxiliary)
    groups = [{"params": parameters, "lr": rate} for rate, parameters in rates.items() if parameters]

    method = config.optim.optim_method
    if method == "sgd":
        sgd = config.optim.sgd
        optimizer = _without_compiler(SGD)(
            groups,
            lr=config.lr.base_lr,
            momentum=sgd.momentum,
            nesterov=sgd.nesterov,
            weight_decay=sgd.weight_decay,
            fused=True,
        )
        if sgd.momentum:
            # PyTorch makes them in the first step, and leaves them without values where that is masked.
            for parameter in (parameter for parameters in rates.values() for parameter in parameters):
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer
    adam = config.optim.adam if method == "adam" else config.optim.adamw
    first, second = adam.betas
    return _without_compiler(Adam if method == "adam" else AdamW)(
        groups,
        lr=config.lr.base_lr,
        betas=(first, second),
        eps=adam.eps,
        weight_decay=adam.weight_decay,
        fused=True,
    )


def build_critic_optimizer(critic: Iterable[nn.Parameter]) -> Optimizer | None:
    """The optimiser of the parameters that learn against the network; None where there are none.

    Adam at a constant learning rate of 2e-4 with betas (0.5, 0.999), as is usual for discriminators (Radford, Metz,
    Chintala: DCGAN, ICLR 2016).
    """
    parameters = list(critic)
    return _without_compiler(Adam)(parameters, lr=2e-4, betas=(0.5, 0.999), fused=True) if parameters else None


def _without_compiler(kind: type[AnyOptimizer]) -> type[AnyOptimizer]:
    """``kind`` with methods that don't call on PyTorch's compiler.

    PyTorch wraps them to keep the compiler out of them, and imports it to do so, which takes longer than all else until
    the first step.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    plain = {name: inspect.unwrap(getattr(kind, name)) for name in names}
    return type(kind.__name__, (kind,), {**plain, "step": torch.no_grad()(inspect.unwrap(kind.step))})


def _rate_factor(name: str, others: float) -> float:
    if name.startswith("backbone."):
        return 1.0
    return 10.0 if name.startswith(TENFOLD_PREFIXES) else others


def learning_rate_factor(config: Config) -> Callable[[int], float]:
    """The policy ``lr.lr_policy`` as a function from the iteration t to the factor on every group's learning rate.

    - ``lambda_poly``: ``(1 - t / max_iters) ** power``;
    - ``lambda_cosine``: half a cosine from 1 down to ``final_ratio``;
    - ``step``: ``gamma ** (t // step_size)``;
    - ``multistep``: ``gamma`` to the number of ``stepvalue`` that t has reached;
    - with ``lr.is_warm``, ``((t + 1) / warm_iters) ** power`` in the first ``warm_iters`` iterations instead.

    Args:
        config: sections ``lr`` and ``solver``.
    """
    lr, length = config.lr, config.solver.max_iters

    def factor(t: int) -> float:
        if lr.is_warm and t < lr.warm.warm_iters:
            return ((t + 1) / lr.warm.warm_iters) ** lr.warm.power
        done = min(t / length, 1.0)
        if lr.lr_policy == "lambda_poly":
            return (1 - done) ** lr.lambda_poly.power
        if lr.lr_policy == "lambda_cosine":
            final = lr.lambda_cosine.final_ratio
            return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2
        if lr.lr_policy == "step":
            return lr.step.gamma ** (t // lr.step.step_size)
        return lr.multistep.gamma ** sum(t >= value for value in lr.multistep.stepvalue)

    return factor


class Schedule:
    """Drives an optimiser's learning rates: the policies of :func:`learning_rate_factor`, or ``plateau``.

    Args:
        optimizer: from :func:`build_optimizer`.
        config: sections ``lr`` and ``solver``.
    """

    def __init__(self, optimizer: Optimizer, config: Config) -> None:
        self._scheduler: LambdaLR | ReduceLROnPlateau
        if config.lr.lr_policy == "plateau":
            self._scheduler = ReduceLROnPlateau(optimizer, mode="max", **config.lr.plateau.model_dump())
        else:
            self._scheduler = LambdaLR(optimizer, learning_rate_factor(config))

    def after_iteration(self) -> None:
        """To be called after every optimiser step."""
        if isinstance(self._scheduler, LambdaLR):
            self._scheduler.step()

    def after_validation(self, miou: float) -> None:
        """To be called with the mIoU of every validation; ``plateau`` lowers the rate when it has stopped rising."""
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(miou)

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, for a checkpoint."""
        return {key: value for key, value in self._scheduler.state_dict().items() if key != "lr_lambdas"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`."""
        on_plateau = isinstance(self._scheduler, ReduceLROnPlateau)
        policy = {} if on_plateau else {"lr_lambdas": self._scheduler.state_dict()["lr_lambdas"]}
        self._scheduler.load_state_dict({**state, **policy})
