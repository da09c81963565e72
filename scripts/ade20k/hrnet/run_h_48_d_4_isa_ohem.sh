#!/usr/bin/env bash
# HRNetV2-W48 with ISA.
REFUSED="network hrnet_w48_isa is not in the published code" NEAREST=scripts/ade20k/hrnet/run_h_48_d_4_ocr_ohem.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
