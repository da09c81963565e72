#!/usr/bin/env bash
# HRNetV2-W48 with OCR of half the channels.
CONFIG=lip/H_48_D_4 MODEL=hrnet_w48_ocr_b
SETTINGS=(--loss_type fs_auxce_loss --max_iters 100000)
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
