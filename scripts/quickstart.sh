#!/usr/bin/env bash
# From nothing to a trained and validated network on synthetic thermal faces, in one command.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

USAGE="usage: bash scripts/quickstart.sh [--fresh] [any main.py arguments]
  Makes a virtual environment (.venv, unless one is active), writes a small synthetic Thermal Face Database in the
  layout of the real one, prepares it, trains a small UNET with RMI + TiAug + SAM-CL and validates it.
  Everything goes to runs/quickstart. A second run skips what is done and resumes a half-trained network;
  --fresh removes runs/quickstart first. Further arguments go to main.py, e.g. --max_iters 200
  (paths in them are relative to the repository)."

cd "$REPO"
RUN=runs/quickstart
NAME=unet_none_quickstart
CHECKPOINTS=$RUN/scratch/Processed/checkpoints/thermalFaceDB
RESULTS=$RUN/scratch/seg_results/thermalFaceDB/${NAME}_val

# stage NAME OUTPUT COMMAND...: runs the command, unless it was completed before and its output is still there.
stage() {
    local begun="$RUN/stages/$1.begun" completed="$RUN/stages/$1.completed" title="$1" output="$2" command
    shift 2
    command="$(printf '%q ' "$@")"
    if [[ -f "$begun" && "$(cat "$begun")" != "$command" ]]; then
        fail "$RUN was begun with other arguments ($title: $(cat "$begun"), now: $command)." \
            "Add --fresh to start over with these."
    fi
    if [[ -f "$completed" && -e "$output" ]]; then
        say "== $title: done before ($output)"
        return
    fi
    say "== $title"
    mkdir -p "$RUN/stages"
    printf '%s\n' "$command" >"$begun.tmp"
    mv "$begun.tmp" "$begun"
    "$@"
    touch "$completed"
}

# run MODE [main.py arguments]: the real run script, on the quickstart's config.
run() (
    mode="$1"
    shift
    set -- "$mode" quickstart "$RUN/data" "$RUN/scratch" "$@"
    CONFIG=configs/quickstart.yaml MODEL=unet BACKBONE=none
    source scripts/thermalFaceDB/run.sh
)

train() {
    if [[ -f "$CHECKPOINTS/${NAME}_latest.pth" ]]; then
        run resume "$@"
    else
        run train --overwrite y "$@" # what an interrupted run left before its first checkpoint may go
    fi
}

further=()
fresh=n
for argument in "$@"; do
    case "$argument" in
        -h | --help) printf '%s\n' "$USAGE" && exit 0 ;;
        --fresh) fresh=y ;;
        *) further+=("$argument") ;;
    esac
done

say "Quickstart: synthetic thermal faces -> prepare -> train UNET with RMI + TiAug + SAM-CL -> validate"
say "in ${VIRTUAL_ENV:-$REPO/.venv}, writing to $REPO/$RUN (about ten minutes on two CPU cores, after the installation)"
ensure_python requirements.txt
[[ $fresh == n ]] || rm -rf "$RUN"

SECONDS=0
stage synthesize "$RUN/data/raw" bash scripts/thermalFaceDB/synthesize_data.sh "$RUN/data/raw" \
    --subjects 24 --frames 16 --height 288 --width 384 --seed 304
stage prepare "$RUN/data/Processed" bash scripts/thermalFaceDB/prepare_data.sh "$RUN/data/raw" "$RUN/data/Processed" \
    --crop_res 224 280 --target_res 112 140 \
    --val_subjects sub007 sub009 sub011 sub012 sub013 sub017 sub021 sub023
stage train "$CHECKPOINTS/${NAME}_max_performance.pth" train ${further[@]+"${further[@]}"}
stage validate "$RESULTS/metrics.json" run val ${further[@]+"${further[@]}"}

printf '\nScores of the validation subjects, in percent (synthetic faces: not comparable with the paper):\n\n'
"$PYTHON" scripts/print_scores.py "$RESULTS/metrics.json"
printf '\nreport:       %s\nmetrics.json: %s\noverlays:     %s\ncheckpoint:   %s\ntook %d min %d s\n' \
    "$REPO/$RESULTS/report.html" "$REPO/$RESULTS/metrics.json" \
    "$REPO/$RESULTS/vis/" "$REPO/$CHECKPOINTS/${NAME}_max_performance.pth" $((SECONDS / 60)) $((SECONDS % 60))
