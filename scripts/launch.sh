# Sourced at the end of run scripts: runs ${command[@]}, main.py and its arguments, then ${further[@]}, on every visible GPU.
# With dry_run=y it prints the command instead; with gpu=y devices are named, or none is needed.

# visible_gpus: how many CUDA devices a process started here would see.
visible_gpus() {
    local visible="${CUDA_VISIBLE_DEVICES-all}"
    if [[ "$visible" == all ]]; then
        { nvidia-smi -L 2>/dev/null || true; } | grep -c '^GPU' || true
    else
        visible="${visible%%-1*}" # CUDA ignores -1 and what follows it
        tr ',' '\n' <<<"$visible" | grep -c . || true
    fi
}

choose_python
launch=("$PYTHON")
gpus="$(visible_gpus)"
# With --gpu, main.py itself starts as many processes as devices are named.
if [[ $gpu == n && $gpus -gt 1 ]]; then
    launch+=(-m torch.distributed.run --standalone --nproc_per_node "$gpus")
fi
command=("${launch[@]}" "${command[@]}" ${further[@]+"${further[@]}"})
if [[ $dry_run == y ]]; then
    printf '%q ' "${command[@]}"
    printf '\n'
else
    exec "${command[@]}"
fi
