#!/usr/bin/env bash
# ISANet on ResNet-101 with RMI loss, TiAug and SAM-CL.
CONFIG=configs/thermalFaceDB/ISA_SAMCL_Occ.json MODEL=isanet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
