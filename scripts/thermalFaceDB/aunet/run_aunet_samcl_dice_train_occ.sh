#!/usr/bin/env bash
# Attention-UNET with Dice loss, TiAug and SAM-CL.
CONFIG=configs/thermalFaceDB/AU_SAMCL_DICE_Occ.json MODEL=attention_unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
