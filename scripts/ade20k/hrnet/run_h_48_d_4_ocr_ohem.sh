#!/usr/bin/env bash
# HRNetV2-W48 with OCR, hard examples.
CONFIG=ade20k/H_48_D_4 MODEL=hrnet_w48_ocr
SETTINGS=(--loss_type fs_auxohemce_loss)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
