#!/usr/bin/env bash
# HRNetV2-W48 with pixel contrast against a memory.
CONFIG=cityscapes/H_48_D_4_MEM MODEL=hrnet_w48_mem CONFIG_TEST=cityscapes/H_48_D_4_TEST
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
