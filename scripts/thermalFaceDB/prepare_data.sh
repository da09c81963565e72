#!/usr/bin/env bash
# Prepares the raw Thermal Face Database for training; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/thermalFaceDB/prepare_data.py" "$@"
