#!/usr/bin/env bash
# HRNetV2-W48.
CONFIG=cityscapes/H_48_D_4 MODEL=hrnet_w48
SETTINGS=(--max_iters 80000)
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
