#!/usr/bin/env bash
# Labels of annotation tools to data to train on, and labels to those of tools; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/convert.py" "$@"
