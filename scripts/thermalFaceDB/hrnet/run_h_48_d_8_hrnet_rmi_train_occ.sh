#!/usr/bin/env bash
# HRNetV2-W48 with RMI loss and TiAug.
CONFIG=configs/thermalFaceDB/H_48_D_8_RMI_Occ.json MODEL=hrnet_w48 BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
