#!/usr/bin/env bash
# HRNetV2-W48 with RMI loss.
CONFIG=configs/thermalFaceDB/H_48_D_8_RMI.json MODEL=hrnet_w48 BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
