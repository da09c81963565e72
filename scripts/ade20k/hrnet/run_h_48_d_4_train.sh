#!/usr/bin/env bash
# HRNetV2-W48.
CONFIG=ade20k/H_48_D_4 MODEL=hrnet_w48
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
