#!/usr/bin/env bash
# SegFix on HRNetV2-W48 for instances.
REFUSED="labels of instances are not read here" NEAREST=scripts/cityscapes/segfix/run_h_48_d_4_segfix.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
