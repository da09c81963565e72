#!/usr/bin/env bash
# Prepares the download of this benchmark for training; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/prepare_rgb.py" ade20k "$@"
