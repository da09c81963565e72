#!/usr/bin/env bash
# HRNetV2-W48 with OCR, RMI loss and TiAug.
CONFIG=configs/thermalFaceDB/H_48_OCR_RMI_Occ.json MODEL=hrnet_w48_ocr BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
