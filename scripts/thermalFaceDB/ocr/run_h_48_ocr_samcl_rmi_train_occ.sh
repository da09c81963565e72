#!/usr/bin/env bash
# HRNetV2-W48 with OCR, RMI loss, TiAug and SAM-CL.
CONFIG=configs/thermalFaceDB/H_48_OCR_SAMCL_Occ.json MODEL=hrnet_w48_ocr BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
