#!/usr/bin/env bash
# Attention-UNET with RMI loss.
CONFIG=configs/thermalFaceDB/AU_Base.json MODEL=attention_unet BACKBONE=none
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
