#!/usr/bin/env bash
# HRNetV2-W48 with ISA.
REFUSED="network hrnet_w48_isa is not in the published code" NEAREST=scripts/lip/run_h_48_d_4_ocr_train.sh
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
