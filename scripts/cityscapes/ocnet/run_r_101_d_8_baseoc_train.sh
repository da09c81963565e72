#!/usr/bin/env bash
# Base-OC on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=base_ocnet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
