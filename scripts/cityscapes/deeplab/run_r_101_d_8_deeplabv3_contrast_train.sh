#!/usr/bin/env bash
# ContrastiveSeg's DeepLabV3 on ResNet-101 with pixel contrast.
CONFIG=cityscapes/R_101_D_8_CONTRAST MODEL=deeplab_v3_contrastiveseg_contrast BACKBONE=deepbase_resnet101_dilated8 CONFIG_TEST=cityscapes/R_101_D_8_TEST
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
