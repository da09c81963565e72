#!/usr/bin/env bash
# HRNetV2-W48 with OCR and pixel contrast.
CONFIG=cityscapes/H_48_D_4_CONTRAST MODEL=hrnet_w48_ocr_contrast CONFIG_TEST=cityscapes/H_48_D_4_TEST
SETTINGS=(--loss_type fs_auxce_loss)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
