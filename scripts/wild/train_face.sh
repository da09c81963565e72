#!/usr/bin/env bash
# Makes the network of lib/models/pretrained from nothing.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

USAGE="usage: bash scripts/wild/train_face.sh SCRATCH_ROOT [--gpu N ...] [any main.py arguments]
  Draws synthetic faces from near and 8000 frames of people in the wild, trains the network of configs/wild on the
  near ones, on crops and on people, and writes SCRATCH_ROOT/face.pth. Some four hours on two cores. Run again, it
  goes on after an interruption.
  What predict.sh uses is replaced by copying face.pth and face.yaml to lib/models/pretrained."

for argument in "$@"; do
    [[ "$argument" != -h && "$argument" != --help ]] || { printf '%s\n' "$USAGE" && exit 0; }
done
[[ $# -ge 1 && "$1" != -* ]] || fail_usage "expected SCRATCH_ROOT, got '$*'"
scratch="$(absolute "$1")"
shift
choose_python
cd "$REPO"

# train NAME DATA [main.py arguments]: the stage of configs/wild/NAME.yaml, from its latest checkpoint if there is one;
# what an interrupted run left before its first checkpoint may go.
train() {
    local name="$1" data="$2" start=(--overwrite y "${@:3}")
    if [[ -f "$scratch/checkpoints/${name}_latest.pth" ]]; then
        start=(--resume "$scratch/checkpoints/${name}_latest.pth" --resume_continue y)
    fi
    "$PYTHON" main.py --configs "configs/wild/$name.yaml" --phase train --data_dir "$data" \
        --checkpoints_root "$scratch" --log_file "$scratch/logs/$name.log" "${start[@]}" \
        ${further[@]+"${further[@]}"} checkpoints.checkpoints_dir=checkpoints
}

further=("$@")
bash scripts/thermalFaceDB/synthesize_data.sh "$scratch/near/raw" --subjects 40 --frames 8 --height 384 --width 512
bash scripts/thermalFaceDB/prepare_data.sh "$scratch/near/raw" "$scratch/near/Processed" \
    --crop_res 256 320 --target_res 80 100 \
    --val_subjects sub007 sub009 sub011 sub012 sub013 sub017 sub021 sub023
"$PYTHON" scripts/wild/synthesize_wild.py "$scratch/data" --train 8000 --val 150
train face_close "$scratch/near/Processed"
train face_crops "$scratch/data" --resume "$scratch/checkpoints/face_close_latest.pth"
train face "$scratch/data" --resume "$scratch/checkpoints/face_crops_latest.pth"
train face_people "$scratch/data" --resume "$scratch/checkpoints/face_latest.pth"
"$PYTHON" scripts/wild/publish_weights.py "$scratch/checkpoints/face_people_latest.pth" "$scratch/face.pth" --input_size 320 256
