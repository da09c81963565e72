#!/usr/bin/env bash
# Attention-UNET with RMI loss and pixel contrast.
CONFIG=configs/thermalFaceDB/AU_Contrast.json MODEL=attention_unet_contrast BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
