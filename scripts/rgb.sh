# The one way to train, resume, validate and test on the benchmarks of colour pictures. The scripts in their folders set
#   CONFIG    of configs/, as in cityscapes/H_48_D_4
#   MODEL     name of the network, which begins the names of files
#   BACKBONE  only of networks that have a choice of it
#   SETTINGS  further arguments of main.py
#   CONFIG_TEST  the config of test at several scales, where it is not that of CONFIG with _TEST
#   REFUSED   why there is no such script, and NEAREST, the one to take instead
# and source it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ -z "${REFUSED:-}" ]] || fail "$0: $REFUSED. The nearest is $NEAREST."
dataset="${CONFIG%/*}"
case "$dataset" in # names of its folder in DATA_ROOT, of ContrastiveSeg, openseg.pytorch and the benchmark
    cityscapes) folders=(Cityscapes cityscapes) ;;
    ade20k) folders=(ade20k ADE20K) ;;
    lip) folders=(lip LIP) ;;
    pascal_context) folders=(pascal_context pascalcontext) ;;
    coco_stuff) folders=(coco_stuff_10k cocostuff coco_stuff) ;;
esac
begin="$MODEL${BACKBONE:+_$BACKBONE}"
[[ "$MODEL" == segfix_hrnet ]] &&
    modes="train|resume|segfix_pred_val|segfix_pred_test|segfix_simple_pred_val|segfix_simple_pred_test" ||
    modes="train|resume|val|test|segfix"
USAGE="usage: bash $0 $modes NAME DATA_ROOT SCRATCH_ROOT [ss] [--dry_run] [any main.py arguments]
  train    trains configs/$CONFIG.json on DATA_ROOT/${folders[0]}/train, from ImageNet weights in DATA_ROOT or
           ./pretrained_model if they are there
  resume   continues from the latest checkpoint of NAME"
if [[ "$MODEL" == segfix_hrnet ]]; then
    USAGE+="
  segfix_pred_val, segfix_pred_test   predict offsets by windows; with simple, in one look"
else
    USAGE+="
  val      evaluates the best checkpoint of NAME on DATA_ROOT/${folders[0]}/val, at single scale
  test     writes results for DATA_ROOT/${folders[0]}/test at multiple scales with mirror images; with ss at single scale
  segfix   mends the masks of val (of test after 'test'): ... segfix NAME DATA_ROOT SCRATCH_ROOT [test] [--offsets DIR]"
fi
USAGE+="
  checkpoints: SCRATCH_ROOT/${folders[0]}/checkpoints/$dataset/${begin}_NAME_*.pth
  results:     SCRATCH_ROOT/seg_results/$dataset/
  logs:        SCRATCH_ROOT/logs/
  --dry_run prints the command and runs nothing"

dry_run=n gpu=n test_dir=n which=""
given=() further=()
for argument in "$@"; do
    case "$argument" in
        -h | --help) printf '%s\n' "$USAGE" && exit 0 ;;
        --dry_run) dry_run=y && continue ;;
        --gpu | --gpu=*) gpu=y ;;
        --test_dir | --test_dir=*) test_dir=y ;;
    esac
    if [[ ${#given[@]} -lt 5 && ${#further[@]} -eq 0 && "$argument" != -* && "$argument" != *=* ]]; then
        # openseg's scripts have it third, ContrastiveSeg's fifth.
        if [[ ${#given[@]} =~ ^[24]$ && -z "$which" && "$argument" =~ ^(ss|val|test)$ ]]; then
            which="$argument" && continue
        elif [[ ${#given[@]} -lt 4 ]]; then
            given+=("$argument") && continue
        fi
    fi
    further+=("$argument")
done
[[ ${#given[@]} -eq 4 ]] || fail_usage "expected 4 arguments before options, got ${#given[@]}: ${given[*]-}" \
    "(there is no config.profile: name DATA_ROOT and SCRATCH_ROOT)"
mode="${given[0]}"
[[ "${given[1]}" =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]*$ ]] ||
    fail_usage "NAME becomes part of file names; expected letters, digits and . _ -, got '${given[1]}'"
[[ "|$modes|" == *"|$mode|"* ]] || fail_usage "expected ${modes//|/, }, got '$mode'"
[[ -z "$which" || "$mode $which" =~ ^(test ss|segfix val|segfix test)$ ]] || fail_usage "'$which' does not go with $mode"
name="${begin}_${given[1]}"
data_root="$(absolute "${given[2]}")" scratch="$(absolute "${given[3]}")"
data="$data_root/${folders[0]}"
for folder in "${folders[@]}"; do
    [[ ! -d "$data" && -d "$data_root/$folder" ]] && data="$data_root/$folder"
done
root="$scratch/${folders[0]}"
checkpoint="$root/checkpoints/$dataset/$name"
results="$scratch/seg_results/$dataset/$name"

# pretrained: adds the ImageNet weights of the backbone, if they are there.
pretrained() {
    local file folder
    case "$MODEL ${BACKBONE:-}" in
        *hrnet2x20) file=hr_rnet_bt_w20_imagenet_pretrained.pth ;;
        hrnet_w* | *hrnet48) file=hrnetv2_w48_imagenet_pretrained.pth ;;
        *) file=resnet101-imagenet.pth ;;
    esac
    for folder in "$data_root" "$PWD/pretrained_model"; do
        [[ ! -f "$folder/$file" ]] || { command+=(--pretrained "$folder/$file") && return; }
    done
    say "note: no $file in $data_root or $PWD/pretrained_model: training begins without ImageNet weights"
}

# on_test: reads DATA/test instead of DATA/val, if there is one.
on_test() {
    if [[ $test_dir == n && -d "$data/test" ]]; then
        command+=(--test_dir "$data/test")
    elif [[ $test_dir == n ]]; then
        say "note: there is no $data/test; testing on $data/val (--test_dir DIR names another folder)"
    fi
}

config="$REPO/configs/$CONFIG.json"
[[ "$mode $which" != "test " ]] || config="$REPO/configs/${CONFIG_TEST:-${CONFIG}_TEST}.json"
command=("$REPO/main.py" --configs "$config" --data_dir "$data" --model_name "$MODEL" ${BACKBONE:+--backbone "$BACKBONE"}
    --checkpoints_root "$root" --checkpoints_name "$name" --log_file "$scratch/logs/${name}_${mode/resume/train}.log"
    ${SETTINGS[@]+"${SETTINGS[@]}"})
case "$mode" in
    train) command+=(--phase train) && pretrained ;;
    resume) command+=(--phase train --resume "${checkpoint}_latest.pth" --resume_continue y) ;;
    val) command+=(--phase test --resume "${checkpoint}_max_performance.pth" --out_dir "${results}_val") ;;
    test) command+=(--phase test --resume "${checkpoint}_max_performance.pth" --out_dir "${results}_test_${which:-ms}") && on_test ;;
    segfix)
        masks="${results}_val/label" split=val
        [[ "$which" != test ]] || masks="${results}_test_ss/label" split=test
        command=("$REPO/scripts/segfix.py" --input "$masks" --out "${masks}_w_segfix"
            --offsets "$scratch/seg_results/$dataset/segfix_hrnet_hrnet48_${given[1]}_offset_$split")
        [[ $split == test ]] || command+=(--truth "$data/val/label" --configs "$config")
        gpu=y # it needs none
        ;;
    segfix_*)
        command+=(--phase test_offset --resume "${checkpoint}_latest.pth" --out_dir "${results}_offset_${mode##*_}")
        [[ "$mode" != *simple* ]] || command+=(test.mode=ss_test)
        [[ "$mode" != *_test ]] || on_test
        ;;
esac
source "$REPO/scripts/launch.sh"
