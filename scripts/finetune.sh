#!/usr/bin/env bash
# Fine-tunes the network that comes with this repository on labelled frames; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/finetune.py" "$@"
