#!/usr/bin/env bash
# OCR with true regions.
REFUSED="networks with the true regions measure a bound and segment nothing" NEAREST=scripts/coco_stuff/run_r_101_d_8_ocr_train.sh
source "$(dirname "${BASH_SOURCE[0]}")/../rgb.sh"
