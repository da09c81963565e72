#!/usr/bin/env bash
# UNET with RMI loss and TiAug.
CONFIG=configs/thermalFaceDB/U_Occ.json MODEL=unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
