"""Command line of the benchmark on real faces; run it through run_benchmark.sh."""

import argparse
import csv
import fcntl
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.utils.cli import parse_command_line  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from scripts.arguments import positive  # noqa: E402
from scripts.drivers import prepare_data  # noqa: E402
from scripts.drivers.run_benchmark_plan import (  # noqa: E402
    CLONE,
    FOLDS,
    FURTHER,
    RECIPE,
    SEEDS,
    TABLES,
    Run,
    planned_runs,
)
from scripts.thermalFaceDB.tables.plan import Table  # noqa: E402
from scripts.thermalFaceDB.tables.render import MIOU, Results, write_table  # noqa: E402
from scripts.thermalFaceDB.tables.runs import RunFailedError, Runs, ValidationSet  # noqa: E402

CURVE_COLUMNS = ("trained_on", "network", "strategy", "seed", "iteration", "percent")
"""Of ``curves.csv``: mIoU on the controlled set in the course of the runs."""


class Benchmark:
    """Runs of the recipe below a scratch folder, by any number of workers and processes side by side.

    Args:
        data_root: with ``trained_on_<fold>/Processed`` of each fold.
        scratch_root: gets ``tables``.
        gpu: argument ``--gpu`` of ``main.py``.
    """

    def __init__(self, data_root: Path, scratch_root: Path, gpu: int) -> None:
        self.tables = scratch_root / "tables"
        further = [*FURTHER, "--gpu", str(gpu)]
        command = parse_command_line(["--configs", "a cell's", *further])
        self.runs: dict[str, Runs] = {}
        for fold in FOLDS:
            data = data_root / f"trained_on_{fold}/Processed"
            sets = [
                ValidationSet("controlled", "val", ("--val_aug", "none")),
                ValidationSet("controlled, occluded", "val_occlusion", ("--val_aug", "occlusion")),
                ValidationSet("unconstrained", "unconstrained", ("--test_dir", str(data / "unconstrained"))),
            ]
            root = self.tables / f"trained_on_{fold}"
            self.runs[fold] = Runs(root, data, sets, further, command.flags, command.pairs, kind="latest")
        self.plan = planned_runs()
        self.failures: dict[str, str] = {}
        self._lock = threading.Lock()

    def run(self, jobs: int) -> None:
        """Train and validate what neither is done nor worked at by another process; failures are kept.

        Args:
            jobs: runs at a time.
        """
        todo: queue.SimpleQueue[Run] = queue.SimpleQueue()
        for run in self.plan:
            todo.put(run)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for worker in [pool.submit(self._work, todo) for _ in range(jobs)]:
                    worker.result()
            except BaseException:
                for runs in self.runs.values():
                    runs.stop()
                raise

    def _work(self, todo: queue.SimpleQueue[Run]) -> None:
        while True:
            try:
                run = todo.get_nowait()
            except queue.Empty:
                return
            runs, start = self.runs[run.fold], time.monotonic()
            with _claimed(runs.folder(run.cell)) as mine:
                if not mine or runs.is_done(run.cell):
                    continue
                try:
                    runs.train(run.cell)
                    runs.validate(run.cell)
                except (RunFailedError, OSError) as error:
                    self.failures[f"{run.fold}/{run.cell.name}"] = str(error)
            self._tell(run, time.monotonic() - start)

    def _tell(self, run: Run, seconds: float) -> None:
        runs, name = self.runs[run.fold], f"{run.fold}/{run.cell.name}"
        scores = " / ".join(f"{(runs.scores(run.cell, one) or {}).get(MIOU, 0):.2f}" for one in runs.sets)
        with self._lock:
            print(f"{name}: {self.failures.get(name) or f'mIoU {scores} %, {seconds:.0f} s'}", flush=True)
            self.write()

    def check(self) -> None:
        """Check and write the configs of all runs, before the first one starts.

        Raises:
            ConfigError: as of :meth:`Runs.prepare`.
        """
        for run in self.plan:
            self.runs[run.fold].prepare(run.cell)

    def write(self, draw: bool = False) -> None:
        """Write the tables as far as their scores are known; drawing takes seconds."""
        for name, table in TABLES.items():
            seeds = SEEDS if name == "ablation" else {"U": SEEDS["U"]}
            write_table(self.tables / name, self._results(table, seeds), draw)
        with atomic_write(self.tables / "curves.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(CURVE_COLUMNS)
            for run in self.plan:
                about = (run.fold, run.cell.network, run.cell.strategy, run.cell.seed)
                writer.writerows((*about, *point) for point in self.runs[run.fold].curve(run.cell))

    def _results(self, table: Table, seeds: dict[str, tuple[int, ...]]) -> Results:
        first = next(iter(self.runs.values()))
        scores: dict = {one.title: {} for one in first.sets}
        paces: dict = {}
        plan = [run for run in self.plan if run.cell.network in seeds]
        for run in plan:
            runs, about = self.runs[run.fold], (run.cell.network, run.cell.strategy)
            for one in runs.sets:
                for score, percent in (runs.scores(run.cell, one) or {}).items():
                    scores[one.title].setdefault(about, {}).setdefault(score, {})[run.pair] = percent
            pace = runs.seconds_per_iteration(run.cell)
            if pace is not None:
                paces.setdefault(about, {})[run.pair] = pace
        begun = {network for of_set in scores.values() for network, _ in of_set} & set(seeds) or set(seeds)
        pairs = {one: [f"{fold}:{seed}" for seed in seeds[one] for fold in FOLDS] for one in seeds if one in begun}
        remarks = (
            "A pair is a fold and a seed: `1:0` was trained on persons 1 with seed 0, and validated on persons 2.",
        )
        missing = sum(not self.runs[run.fold].is_done(run.cell) for run in plan)
        if missing:
            remarks += (f"{missing} of the {len(plan)} planned runs of these networks are missing.",)
        return Results(table, pairs, scores, paces, remarks, self.failures, repeats="folds and seeds")


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Whether a run's folder is ours until the end of the block; the claim of a process that dies ends with it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "claim", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; returns the exit status: 0 done, 1 a run failed, 2 wrong arguments, 130 interrupted."""
    args = _parser().parse_args(arguments)
    try:
        prepare_folds(args.data_root, args.every)
        benchmark = Benchmark(args.data_root, args.scratch_root, args.gpu)
        benchmark.check()
    except (ValueError, OSError) as error:
        print(f"run_benchmark.sh: error: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if not args.only_tables:
            benchmark.run(args.jobs)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    benchmark.write(draw=True)
    print(*(benchmark.tables / name / "table.md" for name in TABLES), sep="\n")
    return 1 if benchmark.failures else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_benchmark.sh",
        usage="bash scripts/drivers/run_benchmark.sh DATA_ROOT SCRATCH_ROOT [options]",
        description="Trains and validates learning strategies on real faces and writes their tables to "
        "SCRATCH_ROOT/tables/{ablation,strategies}/{table.{md,csv,png},cells.csv} and tables/curves.csv. The same "
        "command goes on after an interruption, retries what failed, and may run several times side by side.",
        epilog=f"{RECIPE}\nExit status: 0 done; 1 a run failed (the tables say which); 2 wrong arguments or data.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("data_root", metavar="DATA_ROOT", type=_path, help=f"holds {CLONE}; gets the prepared folds")
    parser.add_argument("scratch_root", metavar="SCRATCH_ROOT", type=_path)
    parser.add_argument(
        "--every",
        type=positive,
        metavar="N",
        default=5,
        help="1 where the clone has only each fifth frame; default 5",
    )
    parser.add_argument("--jobs", type=positive, metavar="N", default=1, help="runs at a time, a core each; default 1")
    parser.add_argument("--only_tables", action="store_true", help="write the tables of what is done; run nothing")
    parser.add_argument("--gpu", type=int, metavar="N", default=-1, help="device; default -1, the CPU")
    return parser


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A block that other processes wait for; unlike a claim its lock isn't inherited by the processes that prepare."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "claim", "w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"waiting for another command that prepares {folder}", flush=True)
            fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def prepare_folds(data_root: Path, every: int) -> None:
    """Prepare the frames of each fold; of several commands side by side one after the other does, and finds them done.

    Args:
        data_root: holds the clone, and gets ``trained_on_<fold>/Processed``.
        every: takes each such frame of a sequence.

    Raises:
        DataError: no clone is there, or its frames can't be prepared.
    """
    clone = data_root / CLONE
    if not clone.is_dir():
        raise DataError(
            f"{clone}: expected a clone of the data set, found none; "
            f"run: git clone --depth 1 https://github.com/mat02/{CLONE} '{clone}'"
        )
    for fold, others in FOLDS.items():
        folder = data_root / f"trained_on_{fold}"
        out = str(folder / "Processed")
        options = [
            "--val_subjects",
            *others,
            "--unconstrained",
            "glasses",
            "--target_res",
            "120",
            "160",
            "--every",
            str(every),
        ]
        with _alone(folder):
            if prepare_data.main([str(clone), out, *options, "--skip_bad", "y"]):
                raise DataError(f"{clone} could not be prepared into {out}; see above")


if __name__ == "__main__":
    sys.exit(main())
