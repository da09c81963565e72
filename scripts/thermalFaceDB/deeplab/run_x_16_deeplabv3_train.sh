#!/usr/bin/env bash
# DeepLabV3 on Xception (output stride 16) with RMI loss.
CONFIG=configs/thermalFaceDB/X_16_Base.json MODEL=deeplab_v3 BACKBONE=xception_16
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
