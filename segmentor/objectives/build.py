"""From a config to the objective of a run."""

from lib.loss.build import build_pixel_loss, build_samcl_loss
from lib.models.build import build_auxiliary
from lib.utils.config import Config
from segmentor.objectives.base import Objective
from segmentor.objectives.sam_cl import SAMCLObjective


def build_objective(config: Config) -> Objective:
    """The objective that ``loss.loss_type`` and the optional section ``gcl`` (SAM-CL) describe."""
    pixel_loss = build_pixel_loss(config)
    if config.gcl is None:
        return Objective(pixel_loss)
    return SAMCLObjective(
        pixel_loss,
        build_samcl_loss(config),
        build_auxiliary(config),
        weight=config.gcl.loss_weight,
        warmup_iters=config.gcl.warmup_iters,
        seed=config.seed,
    )
