#!/usr/bin/env bash
# Interlaced sparse self-attention on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=isanet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
