#!/usr/bin/env bash
# OCR on ResNet-101.
CONFIG=coco_stuff/R_101_D_8 MODEL=spatial_ocrnet BACKBONE=deepbase_resnet101_dilated8
SETTINGS=(--max_iters 60000)
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
