#!/usr/bin/env bash
# Prepares a clone of ThermalImagesDataset for training; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/drivers/prepare_data.py" "$@"
