#!/usr/bin/env bash
# HRNetV2-W48 with pixel contrast.
CONFIG=cityscapes/H_48_D_4_CONTRAST MODEL=hrnet_w48_contrast CONFIG_TEST=cityscapes/H_48_D_4_TEST
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
