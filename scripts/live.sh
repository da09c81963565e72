#!/usr/bin/env bash
# A page that shows a camera, a video or a growing folder as it comes, with masks; run with --help for its options.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
choose_python
exec "$PYTHON" "$REPO/scripts/live.py" "$@"
