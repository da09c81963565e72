#!/usr/bin/env bash
# UNET with RMI loss and SAM-CL.
CONFIG=configs/thermalFaceDB/U_GCL.json MODEL=unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
