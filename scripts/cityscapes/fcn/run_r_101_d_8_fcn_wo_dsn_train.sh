#!/usr/bin/env bash
# A fully convolutional head without auxiliary loss.
REFUSED="network fcnet_wo_dsn was never registered in the published code" NEAREST=scripts/cityscapes/fcn/run_r_101_d_8_fcn_train.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
