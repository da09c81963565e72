"""From a config to the objective of a run."""

from torch import nn

from lib.loss import LOSSES, EmbeddingMemory, PixelContrastLoss, SAMCLLoss
from lib.loss.adversarial import discriminator_loss, feature_distance, generator_loss
from lib.loss.dice import SoftDiceLoss
from lib.loss.segfix import BoundaryLoss, DirectionLoss
from lib.models.critics import PatchDiscriminator, SegANCritic
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from lib.utils.config import Config
from lib.utils.config.model_sections import PixelContrast, SamCl
from lib.utils.registry import Registry
from segmentor.objectives.adversarial import AdversarialTerm
from segmentor.objectives.base import Objective
from segmentor.objectives.contrast import ContrastTerm
from segmentor.objectives.sam_cl import SAMCLTerm
from segmentor.objectives.segfix import DirectionTerm

OBJECTIVES = Registry("objective")
"""By ``loss.loss_type``, beside the pixel losses of :data:`lib.loss.LOSSES`: builders from a config to an
:class:`Objective`. Facts: ``needs``, what the network's output must hold beside the logits."""

SEGAN_WEIGHT = 1.0
"""Of SegAN's feature distance beside soft Dice, as in its authors' code."""

SEGGAN_WEIGHT = 0.1
"""Of the logistic loss beside cross-entropy: a tenth keeps the pixels' loss in charge while both are about 1."""


def loss_types() -> dict[str, tuple[str, ...]]:
    """Every ``loss.loss_type``, with what the network's output must hold for it."""
    return {
        name: registry.facts(name).get("needs", ()) for registry in (LOSSES, OBJECTIVES) for name in registry.names()
    }


def build_objective(config: Config) -> Objective:
    """The objective that ``loss.loss_type`` describes; pixel contrast and SAM-CL on top where their sections are."""
    name = config.loss.loss_type
    objective = OBJECTIVES.get(name)(config) if name in OBJECTIVES.names() else _of_pixel_loss(config, name)
    if config.pixel_contrast is not None and config.pixel_contrast.loss_weight > 0:
        objective.terms["contrast"] = _pixel_contrast(config.pixel_contrast, config.data.num_classes)
    if config.samcl is not None:
        objective.terms["samcl"] = _sam_cl(config.samcl, config)
    return objective


def _of_pixel_loss(config: Config, name: str) -> Objective:
    return Objective(LOSSES.get(name)(config), takes_aux="aux" in LOSSES.facts(name).get("needs", ()))


def _pixel_contrast(contrast: PixelContrast, num_classes: int) -> nn.Module:
    memory = None
    if contrast.memory_size is not None:
        memory = EmbeddingMemory(num_classes, contrast.memory_size, contrast.proj_dim, contrast.pixel_update_freq)
    loss = PixelContrastLoss(
        num_classes,
        temperature=contrast.temperature,
        base_temperature=contrast.base_temperature,
        max_samples=contrast.max_samples,
        max_views=contrast.max_views,
        odd_view=contrast.odd_view,
    )
    return ContrastTerm(loss, weight=contrast.loss_weight, warmup_iters=contrast.warmup_iters, memory=memory)


def _sam_cl(samcl: SamCl, config: Config) -> nn.Module:
    num_classes = config.data.num_classes
    return SAMCLTerm(
        SAMCLLoss(
            num_classes,
            mode=samcl.mode,
            negative=samcl.negative,
            margin=samcl.margin,
            confusable=samcl.confusable,
            rmi=LOSSES.get("rmi_loss")(config),
        ),
        SAMCLAuxiliary(
            num_classes,
            num_scales=samcl.scales,
            reflect_padding=samcl.mode == "published",
            spectral_norm=samcl.apply_spectral_norm,
        ),
        weight=samcl.loss_weight,
        warmup_iters=samcl.warmup_iters,
        seed=config.seed,
    )


@OBJECTIVES.register("segfix_loss", needs=("direction",))
def build_segfix(config: Config) -> Objective:
    """Where boundaries are, and which way the interior lies (Yuan et al., ECCV 2020); both weigh the same."""
    return Objective(BoundaryLoss(), {"direction": DirectionTerm(DirectionLoss(config.segfix.threshold))})


@OBJECTIVES.register("segan_loss", needs=())
def build_segan(config: Config) -> Objective:
    """Soft Dice, and the multi-scale distance of a critic's features (Xue et al., Neuroinformatics 2018)."""
    critic = SegANCritic(config.data.num_channels, config.data.num_classes, config.network.base_channels)
    term = AdversarialTerm(
        critic, feature_distance, lambda predicted, true: -feature_distance(predicted, true), weight=SEGAN_WEIGHT
    )
    return Objective(SoftDiceLoss(), {"adversarial": term})


@OBJECTIVES.register("seggan_loss", "gan_loss", needs=())
def build_seggan(config: Config) -> Objective:
    """Cross-entropy, and the non-saturating logistic loss of a discriminator of masks given the image.

    Luc, Couprie, Chintala, Verbeek: Semantic Segmentation using Adversarial Networks, 2016.
    """
    critic = PatchDiscriminator(config.data.num_channels, config.data.num_classes, config.network.base_channels)
    term = AdversarialTerm(
        critic,
        lambda predicted, true: generator_loss(*predicted),
        lambda predicted, true: discriminator_loss(*true, *predicted),
        weight=SEGGAN_WEIGHT,
    )
    objective = _of_pixel_loss(config, "fs_ce_loss")
    objective.terms["adversarial"] = term
    return objective
