# The one way to train, resume, validate and test. The scripts in the folders beside this file, and those of other
# databases, set CONFIG (from the repository), MODEL and BACKBONE (for names of files), and source it; call is what stands
# before the mode in the usage.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

DATASET="${CONFIG%/*}"
DATASET="${DATASET##*/}" # the config's folder names the folders of checkpoints and results
[[ "$DATASET" != configs ]] || DATASET=thermalFaceDB # whose layout the quickstart's frames have
USAGE="usage: bash ${call:-$0} train|resume|val|test NAME DATA_ROOT SCRATCH_ROOT [--dry_run] [any main.py arguments]
  train   trains $CONFIG on DATA_ROOT/Processed/train
  resume  continues from the latest checkpoint of NAME
  val     evaluates the best checkpoint of NAME on DATA_ROOT/Processed/val
  test    the same on DATA_ROOT/Processed/test, or on the folder given as --test_dir DIR
  checkpoints: SCRATCH_ROOT/Processed/checkpoints/$DATASET/${MODEL}_${BACKBONE}_NAME_*.pth
  results:     SCRATCH_ROOT/seg_results/$DATASET/${MODEL}_${BACKBONE}_NAME_{val,test}/
  logs:        SCRATCH_ROOT/logs/
  --dry_run prints the command and runs nothing"

for argument in "$@"; do
    [[ "$argument" != -h && "$argument" != --help ]] || { printf '%s\n' "$USAGE" && exit 0; }
done
[[ $# -ge 4 ]] || fail_usage "expected at least 4 arguments, got $#: $*"
mode="$1"
name="${MODEL}_${BACKBONE}_$2"
[[ "$2" =~ ^[A-Za-z0-9_.][A-Za-z0-9_.-]*$ ]] ||
    fail_usage "NAME becomes part of file names; expected letters, digits and . _ -, got '$2'"
[[ "$3" != -* && "$4" != -* ]] || fail_usage "expected DATA_ROOT and SCRATCH_ROOT, got '$3' '$4'"
data="$(absolute "$3")/Processed"
scratch="$(absolute "$4")"
shift 4

dry_run=n gpu=n test_dir=n
further=()
for argument in "$@"; do
    case "$argument" in
        --dry_run) dry_run=y && continue ;;
        --gpu | --gpu=*) gpu=y ;;
        --test_dir | --test_dir=*) test_dir=y ;;
    esac
    further+=("$argument")
done

checkpoint="$scratch/Processed/checkpoints/$DATASET/$name"
results="$scratch/seg_results/$DATASET/$name"
command=("$REPO/main.py" --configs "$REPO/$CONFIG" --data_dir "$data" --checkpoints_root "$scratch/Processed"
    --checkpoints_name "$name" --log_file "$scratch/logs/${name}_${mode/resume/train}.log")
case "$mode" in
    train) command+=(--phase train) ;;
    resume) command+=(--phase train --resume "${checkpoint}_latest.pth" --resume_continue y) ;;
    val) command+=(--phase test --resume "${checkpoint}_max_performance.pth" --out_dir "${results}_val") ;;
    test)
        command+=(--phase test --resume "${checkpoint}_max_performance.pth" --out_dir "${results}_test")
        if [[ $test_dir == n && -d "$data/test" ]]; then
            command+=(--test_dir "$data/test")
        elif [[ $test_dir == n ]]; then
            say "note: there is no $data/test; testing on $data/val (--test_dir DIR names another folder)"
        fi
        ;;
    *) fail_usage "expected train, resume, val or test, got '$mode'" ;;
esac

source "$REPO/scripts/launch.sh"
