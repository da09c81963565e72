#!/usr/bin/env bash
# SegFix on HRNetV2-W48, trained on the validation pictures as well.
CONFIG=cityscapes/H_SEGFIX MODEL=segfix_hrnet BACKBONE=hrnet48
SETTINGS=(--include_val y)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
