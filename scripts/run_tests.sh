#!/usr/bin/env bash
# Runs the test suite: bash scripts/run_tests.sh [pytest arguments]. Makes .venv unless an environment is active,
# and installs what the tests need. Paths among the arguments are relative to the repository.
# A process per core works, up to eight; a single file's tests run in one, as all do with -n 0.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

ensure_python requirements.txt requirements-dev.txt
cd "$REPO"
# Neighbours of a file share its fixtures, so each process takes them in a row, and a part of another's rest at the end.
exec "$PYTHON" -m pytest -n auto --dist worksteal "$@"
