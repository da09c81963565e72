#!/usr/bin/env bash
# OCR on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=spatial_ocrnet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
