"""Command line of the tables; run it through run_table.sh."""

import argparse
import queue
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.utils.cli import CommandLine, parse_command_line  # noqa: E402
from lib.utils.errors import ConfigError  # noqa: E402
from scripts.arguments import positive  # noqa: E402
from scripts.thermalFaceDB.tables.plan import NETWORKS, TABLES, Cell, table_cells  # noqa: E402
from scripts.thermalFaceDB.tables.render import MIOU, Results, write_table  # noqa: E402
from scripts.thermalFaceDB.tables.runs import RunFailedError, Runs, validation_sets  # noqa: E402

SET_BY_CELLS = [
    "seed",
    "phase",
    "data.data_dir",
    "checkpoints.checkpoints_root",
    "checkpoints.checkpoints_dir",
    "checkpoints.checkpoints_name",
    "checkpoints.overwrite",
    "network.model_name",
    "network.backbone",
    "network.resume",
    "network.resume_strict",
    "network.resume_continue",
    "loss.loss_type",
    "loss.critic_loss_type",
    "critic",
    "gcl",
    "samcl",
    "contrast",
    "pixel_contrast",
    "train_trans.trans_seq",
    "test.out_dir",
    "test.test_dir",
    "test.val_aug",
    "logging.log_file",
]
"""Config keys that ``main.py`` arguments can't set here."""


def main(arguments: list[str] | None = None) -> int:
    """Make a table; returns the exit status: 0 done, 1 a cell failed, 2 wrong arguments, 130 interrupted."""
    parser = _parser()
    args, further = parser.parse_known_args(arguments)
    if (args.protocol == "fork") != (args.fork_iters is not None):
        parser.error("--protocol fork and --fork_iters N belong together")
    try:
        table = Maker(args, further)
        table.check()
    except (ValueError, OSError) as error:
        print(f"run_table.sh: error: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        table.run()
    except KeyboardInterrupt:
        table.runs.stop()
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    print(table.folder / "table.md")
    return 1 if table.failures else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_table.sh",
        usage="bash scripts/thermalFaceDB/run_table.sh ablation|strategies DATA_ROOT SCRATCH_ROOT "
        "[options] [any main.py arguments]",
        description="Trains and validates learning strategies on networks over several seeds, and tabulates their mIoU "
        "on DATA_ROOT/Processed/val as it is and unconstrained (under TiAug, or other frames). Run again, it resumes "
        "what was interrupted, skips what is done and retries what failed.",
        epilog="Writes SCRATCH_ROOT/tables/KIND[_forkN]/{table.{md,csv,png},cells.csv,configs/}; the runs are in "
        "SCRATCH_ROOT/tables/runs. Exit status: 0 done; 1 something failed (table.md says what); 2 wrong arguments.",
        allow_abbrev=False,
    )
    parser.add_argument("kind", choices=sorted(TABLES))
    parser.add_argument("data_root", metavar="DATA_ROOT", type=_path)
    parser.add_argument("scratch_root", metavar="SCRATCH_ROOT", type=_path)
    parser.add_argument(
        "--networks",
        type=_networks,
        metavar="N[:K],N",
        default=dict.fromkeys(("U", "AU", "X_8", "R101_8", "H_48")),
        help=f"columns, of {', '.join(NETWORKS)}, on the first K of the seeds alone where that is said; "
        "default U,AU,X_8,R101_8,H_48",
    )
    parser.add_argument("--seeds", type=_seeds, metavar="N,N", default=[0, 1, 2], help="default 0,1,2")
    parser.add_argument(
        "--protocol",
        choices=("scratch", "fork"),
        default="scratch",
        help="train each cell from the start, or go on from a baseline (RMI, with the cell's transforms) per network "
        "and seed, which resolves smaller differences; default scratch",
    )
    parser.add_argument("--fork_iters", type=positive, metavar="N", help="iterations of each fork")
    parser.add_argument(
        "--unconstrained",
        type=_path,
        metavar="DIR",
        help="unconstrained frames, DIR/{image,label}, to validate on instead of those under TiAug",
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", default=1, help="cells at a time, in turn on the visible GPUs; default 1"
    )
    return parser


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _seeds(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.isdecimal() for word in words) or len({int(word) for word in words}) < len(words):
        raise argparse.ArgumentTypeError(f"expected different numbers with commas between them, got {text!r}")
    return [int(word) for word in words]


def _networks(text: str) -> dict[str, int | None]:
    """How many seeds each network has, None for all."""
    words = [word.partition(":") for word in text.split(",")]
    networks = {name: positive(count) if colon else None for name, colon, count in words}
    if not set(networks) <= set(NETWORKS) or len(networks) < len(words):
        raise argparse.ArgumentTypeError(f"expected different ones of {', '.join(NETWORKS)}, got {text!r}")
    return networks


class Maker:
    """Runs the cells of one table and writes it after each.

    Args:
        args: of :func:`_parser`.
        further: arguments of ``main.py``.

    Raises:
        ConfigError: arguments of ``main.py`` that are wrong, or that cells set themselves.
    """

    def __init__(self, args: argparse.Namespace, further: list[str]) -> None:
        command = parse_command_line(["--configs", "a cell's", *further])
        _refuse_what_cells_set(command)
        tables = args.scratch_root / "tables"
        self.args = args
        self.table = TABLES[args.kind]
        self.folder = tables / (args.kind if args.fork_iters is None else f"{args.kind}_fork{args.fork_iters}")
        self.data_root = args.data_root
        self.seeds = {network: args.seeds[:count] for network, count in args.networks.items()}
        self.cells = table_cells(self.table, self.seeds, args.fork_iters)
        sets = validation_sets(args.unconstrained)
        self.runs = Runs(tables, args.data_root / "Processed", sets, further, command.flags, command.pairs)
        self.failures: dict[str, str] = {}
        self._gpus: queue.Queue = queue.Queue()
        for gpu in _devices(args.jobs, command.flags.get("gpu")):
            self._gpus.put(gpu)

    def check(self) -> None:
        """Check and write the configs of all cells, before the first one starts.

        Raises:
            ConfigError: as of :meth:`Runs.prepare`.
        """
        for cell in (*self._baselines(self.cells), *self.cells):
            self.runs.prepare(cell)

    def run(self) -> None:
        """Run what is not done; failures are kept for the table."""
        todo = [cell for cell in self.cells if not self.runs.is_done(cell)]
        print(f"{len(self.cells)} cells, {len(self.cells) - len(todo)} done before")
        self.write()
        baselines = self._baselines(todo)
        for cell, seconds in self._each(baselines, self.runs.train):
            print(f"baseline {cell.name}: {self.failures.get(cell.name) or f'{seconds:.0f} s'}", flush=True)
        failed = {cell for cell in baselines if cell.name in self.failures}
        for cell in todo:
            if cell.baseline in failed:
                self.failures[cell.name] = "its baseline failed"
        todo = [cell for cell in todo if cell.baseline not in failed]
        for number, (cell, seconds) in enumerate(self._each(todo, self._train_and_validate), 1):
            found = [self.runs.scores(cell, one) or {MIOU: 0} for one in self.runs.sets]
            scores = " / ".join(f"{one[MIOU]:.2f}" for one in found)
            outcome = self.failures.get(cell.name) or f"mIoU {scores} %, {seconds:.0f} s"
            print(f"[{number}/{len(todo)}] {cell.name}: {outcome}", flush=True)
            self.write()
        self.write(draw=True)

    @staticmethod
    def _baselines(cells: Iterable[Cell]) -> list[Cell]:
        return list(dict.fromkeys(cell.baseline for cell in cells if cell.baseline is not None))

    def _train_and_validate(self, cell: Cell, gpu: int | None) -> None:
        self.runs.train(cell, gpu)
        self.runs.validate(cell, gpu)

    def _each(self, cells: list[Cell], work: Callable[[Cell, int | None], None]) -> Iterator[tuple[Cell, float]]:
        """Do ``work`` for each cell, ``--jobs`` at a time; yields cells as they end, with the seconds they took."""
        with ThreadPoolExecutor(self.args.jobs) as pool:
            futures = {pool.submit(self._on_a_gpu, cell, work): cell for cell in cells}
            try:
                for future in as_completed(futures):
                    try:
                        seconds = future.result()
                    except (RunFailedError, OSError) as error:
                        self.failures[futures[future].name], seconds = str(error), 0.0
                    yield futures[future], seconds
            except BaseException:
                self.runs.stop()
                pool.shutdown(cancel_futures=True)
                raise

    def _on_a_gpu(self, cell: Cell, work: Callable[[Cell, int | None], None]) -> float:
        start, gpu = time.monotonic(), self._gpus.get()
        try:
            work(cell, gpu)
        finally:
            self._gpus.put(gpu)
        return time.monotonic() - start

    def write(self, draw: bool = False) -> None:
        """Write the table as far as it is known, and the resolved configs of its cells; drawing takes seconds."""
        scores, paces = {one.title: {} for one in self.runs.sets}, {}
        for cell in self.cells:
            about = (cell.network, cell.strategy)
            for one in self.runs.sets:
                for name, score in (self.runs.scores(cell, one) or {}).items():
                    scores[one.title].setdefault(about, {}).setdefault(name, {})[cell.seed] = score
            pace = self.runs.seconds_per_iteration(cell)
            if pace is not None:
                paces.setdefault(about, {})[cell.seed] = pace
            (self.folder / "configs").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.runs.folder(cell) / "resolved.yaml", self.folder / "configs" / f"{cell.name}.yaml")
        write_table(
            self.folder,
            Results(
                *(self.table, self.seeds, scores, paces),
                remarks=self._remarks(),
                failures=self.failures,
                synthetic=_is_synthetic(self.data_root),
            ),
            draw,
        )

    def _remarks(self) -> tuple[str, ...]:
        if self.args.fork_iters is None:
            protocol = "Every cell is trained from the start, and validated at the checkpoint of its best mIoU on the "
            protocol += "validation set, as published."
        else:
            protocol = (
                "Per network and seed one baseline is trained with RMI and TiAug, and where a row is without TiAug "
                "another without it; every cell goes on from the weights of the one with its transforms for "
                f"{self.args.fork_iters} iterations, with a fresh optimiser, the learning rate's whole schedule "
                "and the same stream of batches, and is validated at the end of these. The rows with RMI alone are "
                "controls: they go on like all others."
            )
        return (
            protocol,
            "The unconstrained set is the validation set under TiAug, one fixed draw per frame."
            if self.args.unconstrained is None
            else "The unconstrained set is other frames, of people whom no network was trained on.",
            f"Resolved configs: `tables/{self.folder.name}/configs`, runs: `tables/runs`, both in SCRATCH_ROOT.",
        )


def _refuse_what_cells_set(command: CommandLine) -> None:
    keys = [*command.flags, *(pair.partition("=")[0] for pair in command.pairs)]
    refused = [key for key in keys if any(key == mine or key.startswith(f"{mine}.") for mine in SET_BY_CELLS)]
    if command.print_config or command.text:
        refused.append("--print_config" if command.print_config else "--help")
    if refused:
        raise ConfigError(
            f"{', '.join(refused)}: set by each cell of the table, so not for all of them; "
            "--seeds and --networks choose cells"
        )


def _devices(jobs: int, asked: list[int] | None) -> list[int | None]:
    """A GPU for each of the cells that run at a time; None leaves the choice to ``main.py``."""
    if jobs == 1 or asked == [-1]:
        return [None] * jobs
    import torch

    gpus = asked or list(range(torch.cuda.device_count()))
    return [gpus[job % len(gpus)] if gpus else None for job in range(jobs)]


def _is_synthetic(data_root: Path) -> bool:
    """Whether frames under a folder say that they are synthetic; prepared ones pass on what raw ones say."""
    return any(data_root.glob("synthetic.json")) or any(data_root.glob("*/synthetic.json"))


if __name__ == "__main__":
    sys.exit(main())
