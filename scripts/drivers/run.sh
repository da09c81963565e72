# Trains, resumes, validates and tests on ThermalImagesDataset: picks the config, then goes the way of the other database.
USAGE="usage: bash $0 NETWORK STRATEGY train|resume|val|test NAME DATA_ROOT SCRATCH_ROOT [any main.py arguments]
  NETWORK   U, AU, R101, X or H: UNET, Attention-UNET, DeepLabv3 on ResNet-101 or Xception, HRNet-W48
  STRATEGY  Base, Occ (TiAug) or SAMCL_Occ (SAM-CL and TiAug)
  the config is configs/drivers/NETWORK_STRATEGY.json"
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

case "${1:-}" in
    U) MODEL=unet BACKBONE=none ;;
    AU) MODEL=attention_unet BACKBONE=none ;;
    R101) MODEL=deeplab_v3 BACKBONE=resnet101_dilated8 ;;
    X) MODEL=deeplab_v3 BACKBONE=xception_16 ;;
    H) MODEL=hrnet_w48 BACKBONE=none ;;
    -h | --help) printf '%s\n' "$USAGE" && exit 0 ;;
    *) fail_usage "expected U, AU, R101, X or H as NETWORK, got '${1:-}'" ;;
esac
case "${2:-}" in
    Base | Occ | SAMCL_Occ) ;;
    *) fail_usage "expected Base, Occ or SAMCL_Occ as STRATEGY, got '${2:-}'" ;;
esac
CONFIG="configs/drivers/$1_$2.json" call="$0 $1 $2"
BACKBONE="${BACKBONE}_$2" # a part of the run's name, so that strategies don't replace each other's checkpoints
shift 2
source "$(dirname "${BASH_SOURCE[0]}")/../thermalFaceDB/run.sh"
