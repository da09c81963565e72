#!/usr/bin/env bash
# Writes a synthetic Thermal Face Database in the raw layout; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/thermalFaceDB/synthesize_data.py" "$@"
