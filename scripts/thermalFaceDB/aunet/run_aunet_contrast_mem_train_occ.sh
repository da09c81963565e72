#!/usr/bin/env bash
# Attention-UNET with RMI loss, TiAug and pixel contrast with a memory.
CONFIG=configs/thermalFaceDB/AU_Contrast_Mem_Occ.json MODEL=attention_unet_contrast_mem BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
