"""Compiling what a training step computes, where that is possible."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from segmentor.objectives import Objective

logger = logging.getLogger("samcl")


def compile_training(network: nn.Module, objective: Objective) -> None:
    """Compile the network and the objective's losses in place, each for itself; names of weights stay as they are.

    Compilation happens in the first pass (minutes for large networks). What can't be compiled runs as it is, and a
    warning says so.
    """
    losses = {"the pixel loss": objective.pixel_loss}
    for name, term in objective.terms.items():
        losses |= {f"{name}'s {child}": module for child, module in term.named_children() if child.endswith("_loss")}
    for name, module in {"the network": network, **losses}.items():
        module.forward = _compiled_where_possible(module.forward, name)


def _compiled_where_possible(plain: Callable[..., Any], name: str) -> Callable[..., Any]:
    compiled = torch.compile(plain)

    def forward(*arguments: Any, **named: Any) -> Any:
        nonlocal compiled
        if compiled is not plain:
            try:
                return compiled(*arguments, **named)
            # A compiler of another language reports its faults in as many ways as it has parts.
            except Exception as error:
                reason = str(error).strip().partition("\n")[0]
                logger.warning(
                    "solver.compile: %s can't be compiled, and runs as it is (%s: %s)",
                    *(name, type(error).__name__, reason),
                )
                compiled = plain
        return plain(*arguments, **named)

    return forward
