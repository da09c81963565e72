#!/usr/bin/env bash
# CE2P with OCR.
REFUSED="networks and losses of CE2P are not in the published code" NEAREST=scripts/lip/run_h_48_d_4_ocr_train.sh
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
