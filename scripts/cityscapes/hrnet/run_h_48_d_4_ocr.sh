#!/usr/bin/env bash
# HRNetV2-W48 with OCR.
CONFIG=cityscapes/H_48_D_4 MODEL=hrnet_w48_ocr
SETTINGS=(--loss_type fs_auxce_loss --max_iters 80000)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
