#!/usr/bin/env bash
# Attention-UNET with RMI loss and SAM-CL.
CONFIG=configs/thermalFaceDB/AU_GCL_RMI.json MODEL=attention_unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
