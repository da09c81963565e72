#!/usr/bin/env bash
# OCR on ResNet-101, on further data.
REFUSED="Mapillary Vistas and coarse labels are not among the data that are prepared here" NEAREST=scripts/cityscapes/ocrnet/run_r_101_d_8_ocrnet_trainval.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
