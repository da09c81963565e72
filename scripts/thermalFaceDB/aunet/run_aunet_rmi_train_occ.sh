#!/usr/bin/env bash
# Attention-UNET with RMI loss and TiAug.
CONFIG=configs/thermalFaceDB/AU_Occ.json MODEL=attention_unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
