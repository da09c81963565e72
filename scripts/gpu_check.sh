#!/usr/bin/env bash
# Checks that a GPU computes what it should, and measures how fast.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

USAGE="usage: bash scripts/gpu_check.sh [--quick] [--minutes N] [--out DIR]
  Compares networks, losses and training steps on the GPU with the CPU, measures steps, loader and memory, and writes
  gpu_check.md and gpu_check.json to DIR (runs/gpu_check). Without a CUDA device it runs the same code on the CPU, at
  tiny size, and says that no GPU was measured. The exit status is 1 where something is computed wrongly.
  --quick      three networks at one size
  --minutes    after which it begins nothing new (7); what was left out is listed
  --out        folder of the results"

for argument in "$@"; do
    [[ "$argument" != -h && "$argument" != --help ]] || { printf '%s\n' "$USAGE" && exit 0; }
done
if [[ -n "${VIRTUAL_ENV:-}" || -x "$REPO/.venv/bin/python" ]]; then
    choose_python
else
    # A rented machine has PyTorch outside any environment.
    PYTHON="$(command -v python3 || command -v python)" || fail "no Python found; activate an environment."
fi
cd "$REPO"
# What cuBLAS needs to compute the same twice; it is read when CUDA starts.
export CUBLAS_WORKSPACE_CONFIG=:4096:8
exec "$PYTHON" scripts/gpu_check.py "$@"
