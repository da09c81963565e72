#!/usr/bin/env bash
# ContrastiveSeg's DeepLabV3 on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=deeplab_v3_contrastiveseg BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
