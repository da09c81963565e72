#!/usr/bin/env bash
# DeepLabV3 on ResNet-101 with RMI loss.
CONFIG=configs/thermalFaceDB/R101_8_Base.json MODEL=deeplab_v3 BACKBONE=resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
