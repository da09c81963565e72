#!/usr/bin/env bash
# SegFix on HRNet2x-W20, trained on the validation pictures as well.
CONFIG=cityscapes/H_SEGFIX MODEL=segfix_hrnet BACKBONE=hrnet2x20
SETTINGS=(--max_iters 120000 --include_val y)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
