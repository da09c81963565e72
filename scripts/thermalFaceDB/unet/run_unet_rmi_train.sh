#!/usr/bin/env bash
# UNET with RMI loss.
CONFIG=configs/thermalFaceDB/U_Base.json MODEL=unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
