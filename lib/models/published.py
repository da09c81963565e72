"""Key names of weights that others published, and what they are called here: one table for each network.

A table is a sequence of (pattern, replacement) for :func:`re.sub`, anchored at the key's start; the first
pattern that matches applies. Keys that match none keep their name.
"""

import re
from collections.abc import Callable, Iterable

from torch import nn

from lib.models.asp_ocnet import ASPOCNet
from lib.models.asp_ocrnet import ASPOCRNet
from lib.models.attention_unet import AttentionUNet
from lib.models.backbones.hrnet import HRNet, HRNet2x
from lib.models.backbones.resnet import DilatedResNet
from lib.models.deeplab_v3 import DeepLabV3
from lib.models.deeplab_v3_contrastiveseg import PlainDeepLabV3
from lib.models.fcnet import FCNet
from lib.models.hrnet import HRNetV2
from lib.models.isanet import ISANet
from lib.models.ocnet import BaseOCNet
from lib.models.ocrnet import OCRNet
from lib.models.segfix import SegFix
from lib.models.unet import UNet

Table = tuple[tuple[str, str | Callable[[re.Match], str]], ...]

_PLACES = (0, 1, 3, 4)
"""Of each step of a published sequence, its place here, where a ReLU is a step."""


def _steps(theirs: str, ours: str) -> Table:
    """The table for a sequence: convolution, batch norm with its ReLU, and a convolution or dropout, then the fourth.

    Here batch norm and ReLU are two steps. The norm has index 0 in the published module, but for InPlace-ABN, which is
    one module with its activation.

    Args:
        theirs: pattern of the sequence's name.
        ours: its name here.
    """
    return ((rf"{theirs}\.(\d)\.(?:0\.)?", lambda m: f"{m.expand(ours)}.{_PLACES[int(m[m.re.groups])]}."),)


_PROJECTION: Table = _steps(r"proj_head\.proj", "projection.layers")
_SEPARABLE = {"conv1": 0, "bn": 1, "pointwise": 2}
_XCEPTION: Table = (
    (r"backbone\.conv([12])\.", lambda m: f"backbone.stem.{int(m[1]) - 1}.0."),
    (r"backbone\.bn([12])\.", lambda m: f"backbone.stem.{int(m[1]) - 1}.1."),
    (r"backbone\.block(\d+)\.skip\.", lambda m: f"backbone.blocks.{int(m[1]) - 1}.skip.0."),
    (r"backbone\.block(\d+)\.skipbn\.", lambda m: f"backbone.blocks.{int(m[1]) - 1}.skip.1."),
    (
        r"backbone\.block(\d+)\.rep\.(\d)\.(conv1|bn|pointwise)\.",
        lambda m: f"backbone.blocks.{int(m[1]) - 1}.units.{int(m[2]) // 3}.{_SEPARABLE[m[3]]}.",
    ),
    (
        r"backbone\.block(\d+)\.rep\.(\d)\.",
        lambda m: f"backbone.blocks.{int(m[1]) - 1}.units.{int(m[2]) // 3}.3.",
    ),
    (
        r"backbone\.conv([345])\.(conv1|bn|pointwise)\.",
        lambda m: f"backbone.exit.{int(m[1]) - 3}.{_SEPARABLE[m[2]]}.",
    ),
    (r"backbone\.bn([345])\.", lambda m: f"backbone.exit.{int(m[1]) - 3}.3."),
)

_MEMORY: Table = ((r"(segment|pixel)_queue(_ptr)?$", ""),)
"""The memory of embeddings, which teaches the network and is no part of it."""


def _object_context(theirs: str) -> Table:
    """The table for :class:`ObjectContextualRepresentation`, ``context`` here."""
    parts = {"f_pixel": "query", "f_object": "key", "f_down": "value", "f_up": "out"}
    return tuple(row for name, ours in parts.items() for row in _steps(rf"{theirs}\.{name}", f"context.{ours}"))


def _pyramid(theirs: str) -> Table:
    """The table for ``branches``, which are numbered from 2."""
    return tuple(row for i in range(4) for row in _steps(f"{theirs}{i + 2}", f"branches.{i}"))


PUBLISHED: dict[type[nn.Module], Table] = {
    UNet: (
        (r"inc\.double_conv\.", "encoder.0."),
        (r"down(\d)\.maxpool_conv\.1\.double_conv\.", r"encoder.\1."),
        (r"up(\d)\.up\.", lambda m: f"decoder.{int(m[1]) - 1}.up."),
        (r"up(\d)\.conv\.double_conv\.", lambda m: f"decoder.{int(m[1]) - 1}.conv."),
        (r"outc\.conv\.", "classifier."),
        *_PROJECTION,
    ),
    AttentionUNet: (
        (r"Conv(\d)\.conv\.", lambda m: f"encoder.{int(m[1]) - 1}."),
        (r"Up(\d)\.up\.(\d)\.", lambda m: f"decoder.{5 - int(m[1])}.up.{int(m[2]) - 1}."),
        (r"Att(\d)\.W_g\.", lambda m: f"decoder.{5 - int(m[1])}.gate.gating."),
        (r"Att(\d)\.W_x\.", lambda m: f"decoder.{5 - int(m[1])}.gate.skip."),
        (r"Att(\d)\.psi\.", lambda m: f"decoder.{5 - int(m[1])}.gate.score."),
        (r"Up_conv(\d)\.conv\.", lambda m: f"decoder.{5 - int(m[1])}.conv."),
        (r"Conv_1x1\.", "classifier."),
        *_PROJECTION,
    ),
    DeepLabV3: (
        *_XCEPTION,
        (r"aspp\.aspp(\d)\.atrous_conv\.", lambda m: f"aspp.branches.{int(m[1]) - 1}.0."),
        (r"aspp\.aspp(\d)\.bn\.0\.", lambda m: f"aspp.branches.{int(m[1]) - 1}.1."),
        (r"aspp\.global_avg_pool\.1\.", "aspp.branches.4.conv."),
        (r"aspp\.global_avg_pool\.2\.0\.", "aspp.branches.4.bn."),
        (r"aspp\.conv1\.", "aspp.merge.0."),
        (r"aspp\.bn1\.0\.", "aspp.merge.1."),
        (r"decoder\.conv1\.", "low_level.0."),
        (r"decoder\.bn1\.0\.", "low_level.1."),
        (r"decoder\.last_conv\.1\.0\.", "decoder.0.1."),
        (r"decoder\.last_conv\.0\.", "decoder.0.0."),
        (r"decoder\.last_conv\.3\.", "decoder.2.0."),
        (r"decoder\.last_conv\.4\.0\.", "decoder.2.1."),
        (r"decoder\.last_conv\.6\.", "classifier."),
    ),
    BaseOCNet: (
        *_steps("oc_module_pre", "reduce"),
        *_steps(r"oc_module\.stages\.0\.f_(key|query)", r"context.\1"),
        (r"oc_module\.stages\.0\.f_value\.", "context.value."),
        (r"oc_module\.stages\.0\.W\.", "context.out."),
        *_steps(r"oc_module\.conv_bn_dropout", "merge"),
        (r"cls\.", "classifier."),
        *_steps("dsn", "auxiliary"),
    ),
    HRNetV2: (
        *_MEMORY,
        (r"cls_head\.3\.", "classifier."),
        *_steps("cls_head", "head"),
        *_PROJECTION,
    ),
    OCRNet: (
        *_steps("conv_?3x3", "reduce"),
        *_object_context(r"(?:ocr_distri_head|spatial_ocr_head)\.object_context_block"),
        *_steps(r"(?:ocr_distri_head|spatial_ocr_head)\.conv_bn_dropout", "merge"),
        (r"(?:cls_)?head\.", "classifier."),
        *_steps("aux_head", "auxiliary"),
        *_steps("dsn_head", "auxiliary"),
        *_PROJECTION,
    ),
    ASPOCRNet: (
        *_object_context(r"asp_ocr_head\.context\.2\.object_context_block"),
        *_steps(r"asp_ocr_head\.context", "reduce"),
        *_pyramid(r"asp_ocr_head\.conv"),
        *_steps(r"asp_ocr_head\.conv_bn_dropout", "merge"),
        (r"(?:cls_)?head\.", "classifier."),
        *_steps("aux_head", "auxiliary"),
        *_steps("dsn_head", "auxiliary"),
    ),
    ASPOCNet: (
        *_steps(r"context\.2\.context\.2\.stages\.0\.f_(key|query)", r"context.context.\1"),
        (r"context\.2\.context\.2\.stages\.0\.f_value\.", "context.context.value."),
        (r"context\.2\.context\.2\.stages\.0\.W\.", "context.context.out."),
        *_steps(r"context\.2\.context\.2\.conv_bn_dropout", "context.rectify"),
        *_steps(r"context\.2\.context", "context.reduce"),
        *_pyramid(r"context\.2\.conv"),
        *_steps(r"context\.2\.conv_bn_dropout", "merge"),
        *_steps("context", "reduce"),
        (r"cls\.", "classifier."),
        *_steps("dsn", "auxiliary"),
    ),
    ISANet: (
        *_steps(r"isa_head\.2\.stages\.(\d)\.(long|short)_range_sa\.f_(key|query)", r"contexts.\1.\2_range.\3"),
        *_steps(r"isa_head\.2\.stages\.(\d)\.(long|short)_range_sa\.W", r"contexts.\1.\2_range.out"),
        (r"isa_head\.2\.stages\.(\d)\.(long|short)_range_sa\.f_value\.", r"contexts.\1.\2_range.value."),
        *_steps(r"isa_head\.2\.up_conv", "widen"),
        *_steps(r"isa_head\.2\.conv_bn", "merge"),
        *_steps("isa_head", "reduce"),
        (r"cls_head\.", "classifier."),
        *_steps("dsn_head", "auxiliary"),
    ),
    FCNet: (*_steps("cls_head", "head"), *_steps("dsn_head", "auxiliary")),
    SegFix: (*_steps("mask_head", "boundary"), *_steps("dir_head", "direction")),
    PlainDeepLabV3: (
        *_steps(r"decoder\.layer_aspp\.b([0-3])", r"branches.\1"),
        (r"decoder\.layer_aspp\.b4\.1\.", "branches.4.conv."),
        (r"decoder\.layer_aspp\.b4\.2\.(?:0\.)?", "branches.4.bn."),
        *_steps(r"decoder\.layer_aspp\.project", "merge"),
        (r"decoder\.refine\.2\.", "classifier."),
        (r"decoder\.refine\.", "refine."),
        *_steps(r"decoder\.layer_dsn", "auxiliary"),
        *_PROJECTION,
    ),
}
"""Keys of the published checkpoints of SAM-CL, openseg.pytorch and ContrastiveSeg, without those of a backbone."""

_PAIRED = re.compile(r"\.\d+\.0\.running_mean$")
"""A batch norm that is one of two modules in a pair with its ReLU: in checkpoints without InPlace-ABN."""

IMAGENET: dict[type[nn.Module], Table] = {
    DilatedResNet: (
        (r"fc\.", ""),
        (r"(?:resinit\.)?(conv|bn)(\d)\.", r"backbone.stem.\1\2."),
        (r"layer", "backbone.layer"),
    ),
    HRNet: (
        (r"(incre_modules|downsamp_modules|final_layer|classifier)\.", ""),
        (r"conv([12])\.", lambda m: f"backbone.stem.{int(m[1]) - 1}.0."),
        (r"bn([12])\.", lambda m: f"backbone.stem.{int(m[1]) - 1}.1."),
        (r"layer1\.", "backbone.layer1."),
        (r"transition(\d)\.", lambda m: f"backbone.transitions.{int(m[1]) - 1}."),
        (r"stage(\d)\.", lambda m: f"backbone.stages.{int(m[1]) - 2}."),
    ),
    HRNet2x: (
        (r"(incre_modules|downsamp_modules|final_layer|classifier|fc)\.", ""),
        (r"conv1\.", "backbone.stem.0."),
        (r"bn1\.", "backbone.stem.1."),
        (r"transition(\d)\.", r"backbone.transitions.\1."),
        (r"stage(\d)\.", lambda m: f"backbone.stages.{int(m[1]) - 1}."),
    ),
}
"""Keys of ImageNet classifiers, by backbone: torchvision's and openseg's ResNet, the official HRNetV2, and HRNet2x.

An empty replacement marks the classifier's head, which has no place in a segmentation network.
"""


def published_table(network: nn.Module) -> Table:
    """The names of a network's published weights; those of its backbone are the ImageNet classifier's, prefixed."""
    backbone = getattr(network, "backbone", None)
    body = IMAGENET.get(type(backbone), ()) if isinstance(backbone, nn.Module) else ()
    prefixed = ((rf"backbone\.{pattern}", replacement) for pattern, replacement in body if replacement)
    return (*PUBLISHED.get(type(network), ()), *prefixed)


def needs_inplace_abn(network: nn.Module, keys: Iterable[str]) -> bool | None:
    """Whether published weights are of a network with InPlace-ABN; None where the keys don't tell.

    Args:
        network: that they are for.
        keys: their published names.
    """
    if type(network) in (UNet, AttentionUNet, DeepLabV3):
        return None
    return not any(_PAIRED.search(key) for key in keys)


def rename(keys: Iterable[str], table: Table) -> dict[str, str]:
    """Each key's name here; ``""`` for those that the table drops.

    >>> rename(["fc.weight", "layer1.0.weight"], IMAGENET[DilatedResNet])
    {'fc.weight': '', 'layer1.0.weight': 'backbone.layer1.0.weight'}
    """
    names = {}
    for key in keys:
        names[key] = key
        for pattern, replacement in table:
            if re.match(pattern, key):
                names[key] = re.sub(f"^{pattern}", replacement, key) if replacement else ""
                break
    return names
