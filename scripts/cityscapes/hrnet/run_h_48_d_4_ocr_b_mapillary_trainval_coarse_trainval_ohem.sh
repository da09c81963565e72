#!/usr/bin/env bash
# HRNetV2-W48 with OCR of half the channels, on Mapillary and coarse labels first.
REFUSED="Mapillary Vistas and coarse labels are not among the data that are prepared here" NEAREST=scripts/cityscapes/hrnet/run_h_48_d_4_ocr_b.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
