#!/usr/bin/env bash
# Write a synthetic Thermal Face Database in the raw layout.
# Usage: bash scripts/thermalFaceDB/synthesize_data.sh OUT_RAW_DIR [--subjects N --frames N --height H --width W
#        --seed S --unconstrained y --workers N]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/../common.sh"
choose_python
exec "$PYTHON" "$here/synthesize_data.py" "$@"
