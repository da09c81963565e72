#!/usr/bin/env bash
# HRNetV2-W48 with ASP-OCR.
REFUSED="network hrnet48_spatial_asp_ocr_c is not in the published code" NEAREST=scripts/ade20k/hrnet/run_h_48_d_4_ocr_ohem.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
