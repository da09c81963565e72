#!/usr/bin/env bash
# Measures how fast augmentation, losses, training, validation, preparation and predictions are, beside baselines.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

USAGE="usage: bash scripts/benchmark.sh [--quick] [--only PART[,PART...]] [--out DIR] [--threads N]
  Measures this project beside the published operations and bare networks, and writes benchmark.md, benchmark.json and
  a plot to DIR (runs/benchmark). On two idle cores about 35 minutes, --quick about 5; the first run also makes its
  data (synthetic thermal faces), four minutes more.
  --quick     fewer repeats and smaller cases
  --only      these parts alone: tiaug rmi samcl step networks val start memory prepare check predict live costs
  --out       folder of results and data
  --threads   that PyTorch and OpenCV compute with (as many as there are cores)"

for argument in "$@"; do
    [[ "$argument" != -h && "$argument" != --help ]] || { printf '%s\n' "$USAGE" && exit 0; }
done
choose_python
cd "$REPO"
exec "$PYTHON" scripts/benchmark.py "$@"
