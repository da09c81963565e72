"""From a config to the objective of a run."""

from torch import nn

from lib.loss import SAMCLLoss
from lib.loss.build import build_pixel_loss, rmi_options
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from lib.utils.config import Config
from segmentor.objectives.base import Objective
from segmentor.objectives.sam_cl import SAMCLObjective


def build_objective(config: Config) -> Objective:
    """The objective that ``loss.loss_type`` and the optional section ``gcl`` (SAM-CL) describe."""
    pixel_loss = build_pixel_loss(config)
    return Objective(pixel_loss) if config.gcl is None else _build_sam_cl(config, pixel_loss)


def _build_sam_cl(config: Config, pixel_loss: nn.Module) -> SAMCLObjective:
    gcl, num_classes = config.gcl, config.data.num_classes
    two_scales = config.critic.model_name == "samcl_auxiliary_2" or config.loss.critic_loss_type == "samcl_loss_2"
    return SAMCLObjective(
        pixel_loss,
        SAMCLLoss(
            num_classes,
            mode=gcl.mode,
            negative=gcl.negative,
            margin=gcl.margin,
            confusable=gcl.confusable,
            rmi=rmi_options(config),
        ),
        SAMCLAuxiliary(
            num_classes,
            num_scales=2 if two_scales else 4,
            reflect_padding=gcl.mode == "published",
            spectral_norm=gcl.apply_spectral_norm,
        ),
        weight=gcl.loss_weight,
        warmup_iters=gcl.warmup_iters,
        seed=config.seed,
    )
