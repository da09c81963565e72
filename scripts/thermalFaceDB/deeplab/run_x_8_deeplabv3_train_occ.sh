#!/usr/bin/env bash
# DeepLabV3 on Xception (output stride 8) with RMI loss and TiAug.
CONFIG=configs/thermalFaceDB/X_8_Occ.json MODEL=deeplab_v3 BACKBONE=xception_8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
