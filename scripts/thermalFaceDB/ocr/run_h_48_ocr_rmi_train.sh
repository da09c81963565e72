#!/usr/bin/env bash
# HRNetV2-W48 with OCR and RMI loss.
CONFIG=configs/thermalFaceDB/H_48_OCR_RMI.json MODEL=hrnet_w48_ocr BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
