#!/usr/bin/env bash
# UNET with RMI loss and pixel contrast with a memory.
CONFIG=configs/thermalFaceDB/U_Contrast_Mem.json MODEL=unet_contrast_mem BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
