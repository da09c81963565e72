# Sourced by every script: where the repository is, which Python to use, and how to complain.
# Works with bash 3.2 (macOS) and newer; needs no root, no GPU, no network beyond the package index.
set -euo pipefail

unset CDPATH # with it, cd may print where it went, or go elsewhere
REPO="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Programs import from the repository, which Python leaves out where PYTHONSAFEPATH is set.
export PYTHONPATH="$REPO${PYTHONPATH:+:$PYTHONPATH}"

say() { printf '%s\n' "$*" >&2; }

# How long torchrun lets processes finish their step and save before it kills them, in seconds; its usual 30 are too few.
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT="${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-100}"

# fail MESSAGE: what went wrong and what to do about it; exit status 1.
fail() {
    say "error: $*"
    exit 1
}

# fail_usage MESSAGE: prints $USAGE of the calling script and what is wrong with its arguments; exit status 2.
fail_usage() {
    say "$USAGE"
    say ""
    say "error: $*"
    exit 2
}

# absolute PATH: the path from the root, with a leading ~ expanded; it need not exist.
absolute() {
    case "$1" in
        # Unlike $HOME, an unquoted tilde is known where that variable isn't set.
        "~") printf '%s\n' ~ ;;
        "~/"*) printf '%s\n' ~/"${1#"~/"}" ;;
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$PWD/${1#./}" ;;
    esac
}

# choose_python: sets PYTHON to the active virtual environment's, else to that of .venv in the repository.
choose_python() {
    if [[ -n "${VIRTUAL_ENV:-}" ]]; then
        PYTHON="$VIRTUAL_ENV/bin/python"
        [[ -x "$PYTHON" ]] || fail "the active virtual environment has no $PYTHON; run 'deactivate', then try again."
    else
        PYTHON="$REPO/.venv/bin/python"
        [[ -x "$PYTHON" ]] || fail "no virtual environment is active and there is no $REPO/.venv." \
            "Make it with 'bash scripts/quickstart.sh', or by hand:" \
            "python3 -m venv '$REPO/.venv' && '$REPO/.venv/bin/pip' install -r '$REPO/requirements.txt'"
    fi
}

# ensure_python REQUIREMENTS...: as choose_python, but makes .venv if none is active and there is none that works,
# and installs those requirements files (named from the repository) that have changed since they were last installed.
ensure_python() {
    if [[ -z "${VIRTUAL_ENV:-}" ]] && ! "$REPO/.venv/bin/python" -c 'import pip' 2>/dev/null; then
        make_venv
    fi
    choose_python
    install_requirements "$@"
}

# make_venv: creates .venv in the repository, anew if one is there (it is called when that one doesn't work).
make_venv() {
    local python candidate too_old="" no_venv="" check
    python=""
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        check="$("$candidate" -c 'import sys
print("%d.%d" % sys.version_info[:2] if sys.version_info < (3, 10) else "new")
import venv, ensurepip
print("whole")' 2>/dev/null)" || true
        case "$check" in
            new*whole) python="$candidate" && break ;;
            new*) no_venv="${no_venv:-$candidate}" ;;
            3.* | 2.*) too_old="$candidate is Python ${check%%[^0-9.]*}" ;;
        esac
    done
    if [[ -z "$python" ]]; then
        [[ -z "$no_venv" ]] || fail "$no_venv lacks the modules venv and ensurepip, which make virtual environments." \
            "Install them (Debian, Ubuntu: sudo apt install $(venv_package "$no_venv")), or activate an environment."
        [[ -z "$too_old" ]] || fail "Python 3.10 or newer is needed, and $too_old. Install a newer one" \
            "(python3.11 on PATH is enough), or activate an environment that has one."
        fail "no Python found: install Python 3.10 or newer, so that python3 is on PATH."
    fi
    say "Making $REPO/.venv with $("$python" --version)"
    "$python" -m venv --clear "$REPO/.venv" || fail "could not make $REPO/.venv; see the message above."
}

# venv_package PYTHON: the Debian package that holds its venv module.
venv_package() {
    "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

# install_requirements FILE...: installs into $PYTHON's environment unless each file's checksum is stamped there.
install_requirements() {
    local environment file stamp changed=() quiet=()
    environment="$("$PYTHON" -c 'import sys; print(sys.prefix)')"
    for file in "$@"; do
        stamp="$environment/.installed-$file"
        [[ "$(cat "$stamp" 2>/dev/null)" == "$(cksum <"$REPO/$file")" ]] || changed+=(-r "$REPO/$file")
    done
    [[ ${#changed[@]} -gt 0 ]] || return 0
    say "Installing $* into $environment"
    if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
        need_disk "$environment" 8
        need_disk "${TMPDIR:-/tmp}" 4
        say "(PyTorch among them: some gigabytes to download, a few minutes)"
    fi
    [[ -t 1 ]] || quiet=(--quiet) # a terminal shows the progress of the downloads, a log needs none of it
    "$PYTHON" -m pip install --disable-pip-version-check ${quiet[@]+"${quiet[@]}"} "${changed[@]}" ||
        fail "pip could not install $*; see its message above. The package index must be reachable" \
            "(a mirror can be named in pip's configuration)."
    for file in "$@"; do
        cksum <"$REPO/$file" >"$environment/.installed-$file"
    done
}

# need_disk FOLDER GIGABYTES: refuses when the folder's file system has less space left; PyTorch's wheels are large.
need_disk() {
    local free
    free="$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1048576) }')"
    [[ "$free" -ge "$2" ]] || fail "$1 has $free GB of disk space left and installing PyTorch takes about $2 GB there." \
        "Free some (TMPDIR=... moves pip's temporary files), or activate an environment that has torch already."
}
