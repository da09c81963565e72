#!/usr/bin/env bash
# SegFix on HRNet2x-W20.
CONFIG=cityscapes/H_SEGFIX MODEL=segfix_hrnet BACKBONE=hrnet2x20
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
