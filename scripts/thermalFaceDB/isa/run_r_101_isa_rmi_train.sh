#!/usr/bin/env bash
# ISANet on ResNet-101 with RMI loss.
CONFIG=configs/thermalFaceDB/ISA_RMI.json MODEL=isanet BACKBONE=deepbase_resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
