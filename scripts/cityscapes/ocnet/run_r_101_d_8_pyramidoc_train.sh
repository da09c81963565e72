#!/usr/bin/env bash
# Pyramid-OC.
REFUSED="network pyramid_ocnet is not in the published code" NEAREST=scripts/cityscapes/ocnet/run_r_101_d_8_aspoc_train.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../rgb.sh"
