#!/usr/bin/env bash
# DeepLabV3 on ResNet-101 with pixel contrast.
CONFIG=configs/thermalFaceDB/R101_8_CL.json MODEL=deeplab_v3_contrast BACKBONE=resnet101_dilated8
source "$(dirname "${BASH_SOURCE[0]}")/../run.sh"
