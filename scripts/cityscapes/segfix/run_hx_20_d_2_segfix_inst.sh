#!/usr/bin/env bash
# SegFix on HRNet2x-W20 for instances.
REFUSED="labels of instances are not read here" NEAREST=scripts/cityscapes/segfix/run_hx_20_d_2_segfix.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
