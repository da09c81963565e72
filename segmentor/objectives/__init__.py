"""What the trainer optimises: each objective turns a network's output and the labels into losses by name."""

from segmentor.objectives.base import CRITIC_LOSS, Objective
from segmentor.objectives.build import OBJECTIVES, build_objective, loss_types

__all__ = ["CRITIC_LOSS", "OBJECTIVES", "Objective", "build_objective", "loss_types"]
