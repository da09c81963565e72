#!/usr/bin/env bash
# Runs the test suite: bash scripts/run_tests.sh [pytest arguments]. Makes .venv unless an environment is active,
# and installs what the tests need. Paths among the arguments are relative to the repository.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_python requirements.txt requirements-dev.txt
cd "$REPO"
exec "$PYTHON" -m pytest "$@"
