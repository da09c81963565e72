#!/usr/bin/env bash
# The benchmark on synthetic faces: one fixed recipe, from drawing the frames to the tables of scores.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

USAGE="usage: bash scripts/thermalFaceDB/run_benchmark.sh DATA_ROOT SCRATCH_ROOT [--jobs N] [--gpu N ...]
  Draws and prepares synthetic faces below DATA_ROOT, then trains and validates the ablation of UNET, Attention-UNET,
  DeepLabV3 with Xception (stride 16) and with ResNet-101, and HRNetV2, and the learning strategies of the first two: the tables
  SCRATCH_ROOT/tables/{ablation,strategies}_fork$((FORK = 60))/. The same command goes on after an interruption.
  --jobs N   networks trained at a time, a core each (2)
  --gpu N    devices; -1, the CPU, unless said otherwise

  Data: 40 people in controlled surroundings, 8 frames each, 100x80 pixels about the face: 256 frames of 32 people to
  train on, 64 of the 8 published validation subjects to validate on; and 64 unconstrained frames of 8 other people, of
  the same scale, 150x120. Networks: a quarter of the published width. Protocol: per network and seed one baseline
  (RMI + TiAug; for the row without TiAug another without it) of 700 iterations of 8 frames, from which every cell goes on
  for $FORK on the same stream of batches; UNET with 6 seeds, the others with 3."

for argument in "$@"; do
    [[ "$argument" != -h && "$argument" != --help ]] || { printf '%s\n' "$USAGE" && exit 0; }
done
[[ $# -ge 2 && "$1" != -* && "$2" != -* ]] || fail_usage "expected DATA_ROOT and SCRATCH_ROOT, got '$*'"
data="$(absolute "$1")"
scratch="$(absolute "$2")"
shift 2
jobs=2 devices=(--gpu -1)
while [[ $# -gt 0 ]]; do
    case "$1" in
        --jobs) jobs="${2-}" && shift 2 ;;
        --gpu)
            devices=(--gpu) && shift
            while [[ $# -gt 0 && "$1" != --* ]]; do devices+=("$1") && shift; done
            ;;
        *) fail_usage "the recipe is fixed: expected --jobs or --gpu, got '$1'" ;;
    esac
done

cd "$REPO"
here=scripts/thermalFaceDB

# faces FOLDER CROP SIZE VALIDATION_SUBJECTS OPTIONS...: draws people and prepares their frames in FOLDER.
faces() {
    local folder="$1" crop="$2" size="$3" subjects="$4"
    shift 4
    bash $here/synthesize_data.sh "$folder/raw" --height 384 --width 512 --frames 8 "$@"
    # shellcheck disable=SC2086 # several words each
    bash $here/prepare_data.sh "$folder/raw" "$folder/Processed" --crop_res $crop --target_res $size \
        --val_subjects $subjects
}

# table KIND NETWORKS: the cells are narrow, so each computes with one thread.
table() {
    OMP_NUM_THREADS=1 bash $here/run_table.sh "$1" "$data" "$scratch" --networks "$2" --seeds 0,1,2,3,4,5 \
        --protocol fork --fork_iters $FORK --unconstrained "$data/unconstrained/Processed/val" --jobs "$jobs" \
        "${devices[@]}" --workers 0 --max_iters 700 --train_batch_size 8 solver.precision=bf16 \
        network.base_channels=16 solver.test_interval=700 checkpoints.save_iters=700 val.batch_size=8 test.batch_size=8 \
        train.data_transformer.input_size=[100,80] train_trans.random_crop.crop_size=[100,80] \
        train_trans.random_vflip.ratio=0 train_trans.random_resize.scale_range=[0.8,1.25] \
        train_trans.random_rotate.low_limit_angle=-20 train_trans.random_rotate.high_limit_angle=20 \
        optim.optim_method=adamw lr.base_lr=0.004 lr.lr_policy=lambda_cosine lr.is_warm=true lr.warm.warm_iters=20
}

faces "$data" "256 320" "80 100" "sub007 sub009 sub011 sub012 sub013 sub017 sub021 sub023" --subjects 40
faces "$data/unconstrained" "384 480" "120 150" "sub001 sub002 sub003 sub004 sub005 sub006 sub007 sub008" \
    --subjects 8 --seed 1 --unconstrained y
table ablation U,AU:3,X_16:3,R101_8:3,H_48:3
table strategies U,AU:3
