#!/usr/bin/env bash
# ASP-OCR on ResNet-101.
CONFIG=cityscapes/R_101_D_8 MODEL=spatial_asp_ocrnet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
