"""Losses: each a function that says its maths and a thin module around it."""

from lib.loss.build import LOSSES, build_pixel_loss
from lib.loss.contrast import PixelContrastLoss
from lib.loss.memory import EmbeddingMemory
from lib.loss.rmi import RMILoss
from lib.loss.sam_cl import SAMCLLoss

__all__ = ["LOSSES", "EmbeddingMemory", "PixelContrastLoss", "RMILoss", "SAMCLLoss", "build_pixel_loss"]
