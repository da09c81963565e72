"""Sections about what is trained: the network, its losses, SAM-CL and contrast."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lib.utils.config.base import (
    AboveZero,
    Natural,
    NonNegative,
    Path,
    Positive,
    Probability,
    Section,
    StepsFromZero,
    Switch,
    Text,
    Unit,
    Whole,
    Wholes,
)

Block = Annotated[list[Annotated[Whole, Field(ge=1, le=256)]], Field(min_length=2, max_length=2)]


class LossWeights(Section):
    """Weights of a network's outputs in losses that use more than one."""

    seg_loss: NonNegative = 1.0
    """Weight of the main output."""
    aux_loss: NonNegative = 0.4
    """Weight of the auxiliary output."""


class Network(Section):
    """The segmentation network and the weights it starts from."""

    model_name: Text = "unet"
    """The network."""
    backbone: Text = "none"
    """The backbone of networks that have a choice of it."""
    base_channels: Annotated[Whole, Field(ge=1, le=1024), Unit("channels")] = 64
    """Channels of the first stage; the others are multiples of it."""
    bn_type: Literal["torchsyncbn", "torchbn", "inplace_abn"] = "torchsyncbn"
    """Batch norm, over all processes (where that exists) or each process for itself; or over all with the arithmetic
    of InPlace-ABN (scales of |weight| + 1e-5, leaky ReLU 0.01 in the heads), as checkpoints of openseg need it."""
    factors: Annotated[list[Block], Field(min_length=1, max_length=8)] = [[8, 8]]
    """ISANet: rows and columns of a block of neighbours, of each attention beside the others."""
    multi_grid: Annotated[Wholes, Field(min_length=1, max_length=64)] = [1, 1, 1]
    """Factors of the dilations in a dilated backbone's last stage."""
    loss_weights: LossWeights = LossWeights()
    pretrained: Path | None = None
    """A file of weights to start from."""
    resume: Path | None = None
    """A checkpoint to read."""
    resume_strict: Switch = True
    """Weights that don't fit the network are an error, not a warning."""
    resume_continue: Switch = False
    """Go on with the run of the checkpoint rather than start a new one from its weights."""


def _reduction(value: Any) -> Any:
    return "mean" if value == "elementwise_mean" else value


class LossParams(Section):
    """Parameters of the pixel losses; those of other losses than ``loss_type`` are kept and unused."""

    num_classes: Positive | None = None
    """Must equal ``data.num_classes``; null = that."""
    rmi_radius: Annotated[Whole, Field(ge=1, le=10), Unit("pixels")] = 3
    """RMI: side of the square of neighbours that describes a pixel."""
    rmi_pool_way: Literal[0, 1, 2] = 0
    """RMI: reduce by max pooling (0), mean pooling (1) or interpolation (2)."""
    rmi_pool_size: Annotated[Whole, Field(ge=1, le=64), Unit("pixels")] = 3
    """RMI: side of the pooling window."""
    rmi_pool_stride: Annotated[Whole, Field(ge=1, le=64), Unit("pixels")] = 3
    """RMI: step of the pooling window."""
    loss_weight_lambda: Probability = 0.5
    """RMI: share of the pixel-wise term."""
    loss_weight: NonNegative = 1.0
    """Weight of the whole loss."""
    lambda_way: Literal[0, 1] = 1
    """RMI: the terms are pixel + lambda RMI (0) or lambda pixel + (1 - lambda) RMI (1)."""
    ce_weight: Literal["auto"] | list[NonNegative] | None = None
    """Cross-entropy: one weight per class, ``auto`` = inverse frequency, null = all 1."""
    ce_reduction: Annotated[Literal["mean", "sum"], BeforeValidator(_reduction)] = "mean"
    """Cross-entropy: over labelled pixels."""
    ohem_thresh: Probability = 0.9
    """Hard examples: pixels whose true class is less probable than this."""
    ohem_minkeep: Annotated[Natural, Unit("pixels")] = 100000
    """Hard examples: at least so many pixels of a batch."""
    mode: Literal["binary", "multiclass", "multilabel"] = "multiclass"
    """Dice: what a label is."""
    classes: list[Natural] | None = None
    """Dice: classes that count; null = all."""
    log_loss: Switch = False
    """Dice: -log(dice) rather than 1 - dice."""
    from_logits: Switch = True
    """Dice: the input is logits."""
    smooth: NonNegative = 0.0
    """Dice: added to numerator and denominator."""
    eps: AboveZero = 1e-7
    """Dice: smallest denominator."""


class Loss(Section):
    """The loss of the pixels."""

    loss_type: Text = "rmi_loss"
    """The pixel loss or objective."""
    params: LossParams = LossParams()


class SamCl(Section):
    """SAM-CL on top of the pixel loss; on where this section is, off where it is null."""

    loss_weight: NonNegative = 0.5
    """Weight of SAM-CL; the pixel loss has 1."""
    scales: Literal[2, 4] = 4
    """Scales at which the auxiliary network compares masks."""
    apply_spectral_norm: Switch = False
    """Spectral norm on the auxiliary network's convolutions."""
    mode: Literal["overlap", "paper", "published"] = "overlap"
    """Distances and anchor: overlap's, the paper's, or the published code's (no gradient to the network)."""
    negative: Literal["derangement", "confusable"] = "derangement"
    """Swapped classes: a permutation without fixed point, or random neighbours in ``confusable``."""
    confusable: list[list[Natural]] | None = None
    """For each class the classes that it is mistaken for; null = those of the six face classes."""
    margin: NonNegative = 1.0
    """Margin of the triplets."""
    warmup_iters: StepsFromZero = 0
    """Steps over which the weight rises linearly from 0."""


class SegFix(Section):
    """What ``segfix_loss`` teaches network ``segfix_hrnet``, and the offsets that this one then predicts."""

    max_distance: Annotated[NonNegative, Unit("pixels")] = 5.0
    """Pixels at most so far from another class are the boundary."""
    min_pixels: Annotated[Natural, Unit("pixels")] = 100
    """A class with fewer pixels in a frame is all boundary and has no direction, as published for large pictures; take
    1 where parts are small, such as eyes in thermal frames."""
    threshold: Probability = 0.5
    """Probability above which a pixel is taken for a boundary: it learns its direction, and gets an offset."""


class PixelContrast(Section):
    """Contrast of pixel embeddings (ContrastiveSeg) on top of the pixel loss; on where this section is, off where it is
    null. The network gets a projection head, which returns an embedding of every pixel."""

    loss_weight: NonNegative = 1.0
    """Weight of the contrast; the pixel loss has 1. With 0 the network has its embedding, and no contrast."""
    proj_dim: Annotated[Whole, Field(ge=1, le=4096)] = 64
    """Length of an embedding."""
    temperature: AboveZero = 0.07
    """Divisor of the similarities."""
    base_temperature: AboveZero = 0.07
    """The loss is scaled by temperature / base_temperature."""
    max_samples: Positive = 1024
    """Anchors of a batch, at most."""
    max_views: Positive = 1
    """Anchors of a class and image, at most; a class with fewer pixels takes no part."""
    odd_view: Literal["hard", "easy"] = "hard"
    """Half of the anchors are wrongly predicted pixels (hard); whether the odd one of ``max_views`` is hard, or easy as
    in the published code, which with ``max_views`` 1 takes hard pixels only of classes that have no easy one."""
    warmup_iters: StepsFromZero = 5000
    """Steps without contrast."""
    memory_size: Positive | None = None
    """Earlier embeddings of a class to contrast with as well; null = those of the batch alone."""
    pixel_update_freq: Positive = 10
    """Pixel embeddings of a class that an image writes to the memory, at most."""
