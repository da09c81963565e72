"""Train thousands of small steps with validation, checkpoints and TensorBoard, and watch what the process holds.

Processes, memory, open files and threads of its last third must be those of the third before.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.metrics.history import read_history  # noqa: E402
from scripts.kill_and_resume import SAM_CL  # noqa: E402  (the repository must be on the path first)
from scripts.small_run import prepare, start  # noqa: E402

STEPS = 2000
MOST_GROWTH = 0.05
"""Of memory, as a share."""
SECONDS_BETWEEN = 0.05


@dataclass(frozen=True)
class Sample:
    """What a run held at one moment, its workers included.

    Attributes:
        memory: resident, in MB (1e6 bytes).
        files: open descriptors.
        threads: of all processes.
        processes: the run and its workers.
    """

    memory: float
    files: int
    threads: int
    processes: int


class Leak(Exception):
    """Something grew."""


def sample(pid: int) -> Sample:
    """Look at a process and its children.

    Raises:
        OSError: one of them has just ended.
    """
    root = Path(f"/proc/{pid}")
    children = (root / f"task/{pid}/children").read_text().split()
    folders = [root, *(Path(f"/proc/{child}") for child in children)]
    status = [dict(line.split(":", 1) for line in (f / "status").read_text().splitlines()) for f in folders]
    return Sample(
        memory=sum(int(fields.get("VmRSS", "0 kB").split()[0]) for fields in status) * 1024 / 1e6,
        files=sum(len(list((folder / "fd").iterdir())) for folder in folders),
        threads=sum(int(fields["Threads"]) for fields in status),
        processes=len(folders),
    )


def soak(folder: Path, steps: int, pairs: Sequence[str] = SAM_CL) -> list[Sample]:
    """Train ``steps`` steps; returns samples from the first to the last.

    Args:
        folder: for data, checkpoints and logs.
        steps: of training; a validation after every 40 and a checkpoint after every 20.
        pairs: ``section.key=value`` over the small config.

    Raises:
        Leak: the run fails.
    """
    config = prepare(folder)
    rhythm = ["solver.display_iter=5", "solver.test_interval=40", "checkpoints.save_iters=20", "data.workers=2"]
    output = folder / "soak.txt"
    process = start(config, [f"solver.max_iters={steps}", *rhythm, "logging.log_to_file=y", *pairs], output)
    samples = []
    while process.exitcode is None:
        process.join(SECONDS_BETWEEN)
        try:
            samples.append(sample(process.pid))
        except OSError:
            continue  # a worker has ended between two looks
    if process.exitcode:
        raise Leak(f"the run ended with status {process.exitcode}: {output.read_text()[-2000:]}")
    done = max(row[0] for row in read_history(folder / "checkpoints" / "model_history.csv"))
    if done != steps:
        raise Leak(f"{done} of {steps} steps were done")
    return samples


def judge(samples: Sequence[Sample]) -> str:
    """Compare the middle third of a run with the last; returns a table.

    Raises:
        Leak: something grew.
    """
    counts = [one.processes for one in samples]
    full = max(counts)
    if (start := counts.index(full)) > len(counts) * 2 // 3:
        raise Leak(f"processes grew until the last third of the run, from {max(counts[:start], default=0)} to {full}")
    # While all workers are there: not while they start, and not while they end.
    whole = [one for one in samples if one.processes == full]
    third = len(whole) // 3
    middle, last = whole[third : 2 * third], whole[2 * third :]
    lines, grown = [], []
    # Medians: a file that is being written is open at some looks and not at others.
    for name, most_growth in (("memory", MOST_GROWTH), ("files", 0.0), ("threads", 0.0)):
        before, after = (median(getattr(one, name) for one in part) for part in (middle, last))
        lines.append(f"{name:8} {before:8.0f} -> {after:8.0f}{' MB' if name == 'memory' else ''}")
        if after > before * (1 + most_growth):
            grown.append(name)
    table = "\n".join(lines)
    if grown:
        raise Leak(f"{' and '.join(grown)} grew from the middle third of the run to the last:\n{table}")
    return table


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of training (default: {STEPS})")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        began = time.monotonic()
        try:
            samples = soak(Path(folder), options.steps)
            table = judge(samples)
        except Leak as leak:
            print(leak, file=sys.stderr)
            return 1
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and "data" not in path.parts)
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{options.steps} steps in {time.monotonic() - began:.0f} s, {len(samples)} looks, workers included:")
    print(f"{table}\n{len(files)} files of {size:.1f} MB left; nothing grew")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
