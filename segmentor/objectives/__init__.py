"""What the trainer optimises: each objective turns a network's output and the labels into losses by name."""

from segmentor.objectives.base import Objective
from segmentor.objectives.build import build_objective

__all__ = ["Objective", "build_objective"]
