#!/usr/bin/env bash
# BaseOCNet on a deep-stem ResNet-101 with RMI loss.
CONFIG=configs/thermalFaceDB/R_101_O_8_RMI.json MODEL=base_ocnet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
