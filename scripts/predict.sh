#!/usr/bin/env bash
# Masks, pictures, a video and the temperatures of facial regions for frames of any camera.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

WEIGHTS=lib/models/pretrained/face.pth
USAGE="usage: bash scripts/predict.sh [--resume CKPT] INPUT OUT [--dry_run] [any main.py arguments]
  --resume CKPT  the trained network, a .pth file; its config comes out of it (--configs FILE says the rest);
                 without it $WEIGHTS, trained on synthetic people (MODEL_CARD.md beside it says its limits)
  INPUT          a file, a folder of files, a video, or - for file names on standard input;
                 .npy .npz .bin .png .tif .csv, FLIR's radiometric .jpg .fff .seq, 8-bit pictures, .mp4 ...
  OUT            gets label/, labelmap.txt, vis/, regions.csv, and of several frames overlay.mp4, regions.png and, where the frame
                 rate is known, breathing.csv, breathing.json and breathing.png
  --fps N        frames per second of a sequence that doesn't say
  --temp_preset NAME | --temp_scale A --temp_offset B
                 what the integers of a file mean; --raw_size W H: size of headerless .bin frames
  --axes LETTERS what the axes of arrays and tables mean, e.g. HWT (height, width, frames) or TN (a frame a line)
  --polarity P   of grey pictures: white_hot, black_hot or auto, as faces are found
  --erode N      keeps N pixels off the edges of regions out of the temperatures
  --save_vis n   leaves out vis/ and the video
  --correct_in T writes outlines to correct in labelme, coco or cvat to OUT/T, beside pictures that it can show
  --save_prob y  writes the class probabilities to OUT/prob
  --dry_run      prints the command and runs nothing"

further=()
resume="" dry_run=n input="" out=""
while [[ $# -gt 0 ]]; do
    case "$1" in
        -h | --help) printf '%s\n' "$USAGE" && exit 0 ;;
        --dry_run) dry_run=y ;;
        --resume)
            [[ $# -ge 2 ]] || fail_usage "--resume needs the checkpoint's path"
            resume="$2"
            shift
            ;;
        --resume=*) resume="${1#--resume=}" ;;
        *)
            # INPUT and OUT come before other arguments, whose values could be taken for them.
            if [[ -z "$input" && ("$1" != -* || "$1" == -) ]]; then
                input="$1"
            elif [[ -n "$input" && -z "$out" && "$1" != -* ]]; then
                out="$1"
            elif [[ -n "$out" ]]; then
                further+=("$1")
            else
                fail_usage "expected INPUT and OUT before other arguments, got '$1'"
            fi
            ;;
    esac
    shift
done
[[ -n "$out" ]] || fail_usage "expected INPUT and OUT"

choose_python
command=("$PYTHON" "$REPO/main.py" --phase predict --resume "${resume:-$REPO/$WEIGHTS}" --input "$input" --out_dir "$out"
    ${further[@]+"${further[@]}"})
if [[ $dry_run == y ]]; then
    printf '%q ' "${command[@]}"
    printf '\n'
else
    exec "${command[@]}"
fi
