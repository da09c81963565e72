#!/usr/bin/env bash
# HRNetV2-W48.
CONFIG=pascal_context/H_48_D_4 MODEL=hrnet_w48
SETTINGS=(--max_iters 60000)
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
