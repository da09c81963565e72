#!/usr/bin/env bash
# Trains and validates every cell of a table of learning strategies and networks; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/thermalFaceDB/run_table.py" "$@"
