#!/usr/bin/env bash
# The benchmark on real faces: one fixed recipe, from a clone of ThermalImagesDataset to tables; --help is the recipe.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
choose_python
# Runs are narrow, so each computes with one thread.
OMP_NUM_THREADS=1 exec "$PYTHON" "$REPO/scripts/drivers/run_benchmark.py" "$@"
