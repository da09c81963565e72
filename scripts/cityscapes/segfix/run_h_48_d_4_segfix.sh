#!/usr/bin/env bash
# SegFix on HRNetV2-W48.
CONFIG=cityscapes/H_SEGFIX MODEL=segfix_hrnet BACKBONE=hrnet48
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
