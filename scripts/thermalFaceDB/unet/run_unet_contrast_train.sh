#!/usr/bin/env bash
# UNET with RMI loss and pixel contrast.
CONFIG=configs/thermalFaceDB/U_Contrast.json MODEL=unet_contrast BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
