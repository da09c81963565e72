#!/usr/bin/env bash
# A fully convolutional head on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=fcnet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
