"""Key names of weights that others published, and what they are called here: one table for each network.

A table is a sequence of (pattern, replacement) for :func:`re.sub`, anchored at the key's start; the first
pattern that matches applies. Keys that match none keep their name.
"""

import re
from collections.abc import Callable, Iterable

from torch import nn

from lib.models.attention_unet import AttentionUNet
from lib.models.backbones.hrnet import HRNet
from lib.models.backbones.resnet import DilatedResNet
from lib.models.deeplab_v3 import DeepLabV3
from lib.models.hrnet import HRNetV2
from lib.models.ocnet import BaseOCNet
from lib.models.unet import UNet

Table = tuple[tuple[str, str | Callable[[re.Match], str]], ...]

# Convolution, then batch norm and ReLU as one module; here all three are steps of one sequence.
_PROJECTION: Table = (
    (r"proj_head\.proj\.1\.0\.", "projection.layers.1."),
    (r"proj_head\.proj\.0\.", "projection.layers.0."),
    (r"proj_head\.proj\.2\.", "projection.layers.3."),
)
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
        (r"backbone\.resinit\.", "backbone.stem."),
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
        (r"backbone\.resinit\.", "backbone.stem."),
        (r"oc_module_pre\.1\.0\.", "reduce.1."),
        (r"oc_module_pre\.0\.", "reduce.0."),
        # Convolutions 0 and 2 with batch norm and ReLU after each: here steps 0, 1, (2,) 3, 4.
        (r"oc_module\.stages\.0\.f_(key|query)\.0\.", r"context.\1.0."),
        (r"oc_module\.stages\.0\.f_(key|query)\.1\.0\.", r"context.\1.1."),
        (r"oc_module\.stages\.0\.f_(key|query)\.2\.", r"context.\1.3."),
        (r"oc_module\.stages\.0\.f_(key|query)\.3\.0\.", r"context.\1.4."),
        (r"oc_module\.stages\.0\.f_value\.", "context.value."),
        (r"oc_module\.stages\.0\.W\.", "context.out."),
        (r"oc_module\.conv_bn_dropout\.0\.", "merge.0."),
        (r"oc_module\.conv_bn_dropout\.1\.0\.", "merge.1."),
        (r"cls\.", "classifier."),
        (r"dsn\.0\.", "auxiliary.0."),
        (r"dsn\.1\.0\.", "auxiliary.1."),
        (r"dsn\.2\.", "auxiliary.3."),
    ),
    HRNetV2: (),
}
"""Keys of the published SAM-CL checkpoints. Of a true HRNetV2 there is none."""

IMAGENET: dict[type[nn.Module], Table] = {
    DilatedResNet: (
        (r"fc\.", ""),
        (r"(conv|bn)(\d)\.", r"backbone.stem.\1\2."),
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
}
"""Keys of ImageNet classifiers, by backbone: torchvision's ResNet and the official HRNetV2.

An empty replacement marks the classifier's head, which has no place in a segmentation network.
"""


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
