#!/usr/bin/env bash
# UNET with RMI loss, TiAug and pixel contrast.
CONFIG=configs/thermalFaceDB/U_Contrast_Occ.json MODEL=unet_contrast BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
