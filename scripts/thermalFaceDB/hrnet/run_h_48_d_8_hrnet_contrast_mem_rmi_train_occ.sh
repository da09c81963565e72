#!/usr/bin/env bash
# HRNetV2-W48 with RMI loss, TiAug and pixel contrast with a memory.
CONFIG=configs/thermalFaceDB/H_48_D_8_MEM_RMI_Occ.json MODEL=hrnet_w48_mem BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
