"""Running cells as processes of ``main.py``: each in a folder of its own, resumed, and skipped once done."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lib.utils.checkpoint import checkpoint_path
from lib.utils.config import Config, load_config
from lib.utils.config.read import parse_yaml
from lib.utils.errors import ConfigError
from lib.utils.files import atomic_write
from scripts.thermalFaceDB.tables.plan import CONFIGS, NETWORKS, STRATEGIES, Cell, cell_config
from segmentor.checking.names import check_names

MAIN = CONFIGS.parent / "main.py"


@dataclass(frozen=True)
class ValidationSet:
    """Frames that every cell is validated on.

    Attributes:
        title: how readers know them.
        folder: of a cell's results on them.
        arguments: of ``main.py --phase test``, which choose them.
    """

    title: str
    folder: str
    arguments: tuple[str, ...]


def validation_sets(unconstrained: Path | None) -> list[ValidationSet]:
    """The validation split as it is; and ``unconstrained/{image,label}``, or with None the split under TiAug."""
    plain = ValidationSet("validation", "val", ("--val_aug", "none"))
    if unconstrained is None:
        return [plain, ValidationSet("unconstrained validation", "val_tiaug", ("--val_aug", "tiaug"))]
    return [plain, ValidationSet("unconstrained", "unconstrained", ("--test_dir", str(unconstrained)))]


_UNIMPORTANT = ("checkpoints.", "logging.", "test.", "gpu", "phase", "data.workers", "val.batch_size", "network.resume")
"""Beginnings of config keys that change no score, or follow from the cell."""


_PACE = re.compile(r"(\d+\.\d+) s/it")
_VALIDATION = re.compile(r"validation at (\d+): mIoU (\d+\.\d+)")


class RunFailedError(RuntimeError):
    """A process of a cell ended badly; the message is its last error."""


class Runs:
    """The runs of a scratch folder: ``root/runs/<cell>/`` and ``root/logs/<cell>.log``.

    A cell's folder holds ``config.json``, ``resolved.yaml``, its checkpoints, a folder with ``metrics.json`` for each
    validation set, and what each of its processes printed in ``train.out`` and ``<set>.out``.

    Args:
        root: the tables' folder.
        data_dir: with ``{train,val}/{image,label}``.
        sets: to validate on.
        further: arguments of ``main.py`` for all cells.
        flags, pairs: the same, parsed.
        kind: of checkpoint to validate; None leaves it to the cell.
    """

    def __init__(
        self,
        root: Path,
        data_dir: Path,
        sets: Sequence[ValidationSet],
        further: Sequence[str],
        flags: Mapping[str, Any],
        pairs: Sequence[str],
        kind: str | None = None,
    ) -> None:
        self.root = root
        self.sets = sets
        self._data_dir = data_dir
        self._further = list(further)
        self._flags = flags
        self._pairs = list(pairs)
        self._kind = kind
        self._running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def folder(self, cell: Cell) -> Path:
        """Of everything but the log."""
        return self.root / "runs" / cell.name

    def prepare(self, cell: Cell) -> None:
        """Check a cell's config and write it.

        Raises:
            ConfigError: the config is wrong, or the cell was run before with another.
        """
        folder = self.folder(cell)
        plain = load_config(CONFIGS / f"thermalFaceDB/{NETWORKS[cell.network].config}.json", self._flags, self._pairs)[
            0
        ]
        tree = cell_config(cell, plain.solver.max_iters)
        tree["data"] = {"data_dir": str(self._data_dir)}
        tree["checkpoints"] = {
            "checkpoints_root": str(folder),
            "checkpoints_dir": ".",
            "checkpoints_name": cell.name,
        }
        tree["logging"] = {"log_file": str(self._log(cell))}
        with atomic_write(folder / "config.json", "w") as file:
            json.dump(tree, file, indent=4)
        pairs = [*self._pairs, *self._pairs_of(cell)]
        config = load_config(folder / "config.json", self._flags, pairs, checks=[check_names])[0]
        self._claim(folder / "resolved.yaml", config)

    def _claim(self, path: Path, config: Config) -> None:
        """Keep the resolved config, or check that it is the one that is there."""
        if path.exists():
            before, now = (_flat(parse_yaml(text)) for text in (path.read_text(), config.to_yaml()))
            differing = [
                f"{key} was {before[key]}, now {now[key]}"
                for key in now
                if key in before and before[key] != now[key] and not key.startswith(_UNIMPORTANT)
            ]
            if differing:
                raise ConfigError(
                    f"{path.parent} was begun with another config ({'; '.join(differing)}); give the same arguments, "
                    f"choose another SCRATCH_ROOT, or delete {path.parent}"
                )
            return
        with atomic_write(path, "w") as file:
            file.write(config.to_yaml())

    def _pairs_of(self, cell: Cell) -> list[str]:
        """What wins over the user's arguments."""
        return [] if cell.fork_iters is None else [f"solver.max_iters={cell.fork_iters}"]

    def is_done(self, cell: Cell) -> bool:
        """Whether it is trained and validated."""
        return all(self._metrics(cell, one).is_file() for one in self.sets)

    def scores(self, cell: Cell, validation_set: ValidationSet) -> dict[str, float] | None:
        """IoU in percent, by class and of all (``mIoU``), without classes that no frame holds; None before it is known.

        Args:
            cell: of the table.
            validation_set: one of :attr:`sets`.
        """
        path = self._metrics(cell, validation_set)
        if not path.is_file():
            return None
        metrics = json.loads(path.read_text())
        found = {"mIoU": metrics["miou"]} | {one["name"]: one["iou"] for one in metrics.get("classes", [])}
        return {name: 100 * score for name, score in found.items() if score is not None}

    def seconds_per_iteration(self, cell: Cell) -> float | None:
        """Of training, the median of what was logged; None where nothing was."""
        path = self.folder(cell) / "train.out"
        logged = _PACE.findall(path.read_text(errors="replace")) if path.is_file() else []
        return median(map(float, logged)) if logged else None

    def curve(self, cell: Cell) -> list[tuple[int, float]]:
        """Iterations and the validation mIoU in percent that training logged there, also before interruptions."""
        path = self._log(cell)
        logged = _VALIDATION.findall(path.read_text(errors="replace")) if path.is_file() else []
        return sorted({int(iteration): float(miou) for iteration, miou in logged}.items())

    def _log(self, cell: Cell) -> Path:
        return self.root / "logs" / f"{cell.name}.log"

    def _metrics(self, cell: Cell, validation_set: ValidationSet) -> Path:
        return self.folder(cell) / validation_set.folder / "metrics.json"

    def _checkpoint(self, cell: Cell, kind: str) -> Path:
        return checkpoint_path(self.folder(cell), ".", cell.name, kind)

    def train(self, cell: Cell, gpu: int | None = None) -> None:
        """Train what of a cell is not trained yet.

        A fork starts from the weights of its baseline's latest checkpoint, and like every new run with a fresh
        optimiser and the full learning rate: objectives differ, and so would the meaning of a shared momentum.

        Args:
            cell: prepared; its baseline is trained.
            gpu: to use; None leaves the choice to ``main.py``.

        Raises:
            RunFailedError: the process failed.
        """
        trained, latest = self.folder(cell) / "trained", self._checkpoint(cell, "latest")
        if trained.exists():
            return
        if latest.exists():
            start = ["--resume", str(latest), "--resume_continue", "y"]
        else:
            start = ["--overwrite", "y"]  # what an interrupted run left before its first checkpoint may go
            if cell.baseline is not None:
                start += ["--resume", str(self._checkpoint(cell.baseline, "latest"))]
                # The baseline has no projection head, which contrast adds; all others take every weight.
                start += ["--resume_strict", "n" if STRATEGIES[cell.strategy].contrast else "y"]
        self._run(cell, "train", ["--phase", "train", *start], gpu)
        with atomic_write(trained):
            pass

    def validate(self, cell: Cell, gpu: int | None = None) -> None:
        """Validate a trained cell on the sets where it isn't yet; arguments and errors as of :meth:`train`."""
        for one in self.sets:
            if not self._metrics(cell, one).is_file():
                checkpoint, out_dir = self._checkpoint(cell, self._kind or cell.kind), self.folder(cell) / one.folder
                arguments = ["--phase", "test", "--resume", str(checkpoint), "--out_dir", str(out_dir)]
                self._run(cell, one.folder, [*arguments, *one.arguments], gpu)

    def _run(self, cell: Cell, step: str, arguments: list[str], gpu: int | None) -> None:
        folder = self.folder(cell)
        pairs = [*self._pairs_of(cell), *([] if gpu is None else [f"gpu=[{gpu}]"])]
        command = [sys.executable, str(MAIN), "--configs", str(folder / "config.json"), *self._further]
        output = folder / f"{step}.out"
        with open(output, "wb") as file:
            with self._lock:
                if self._stopped:
                    raise RunFailedError("stopped")
                process = subprocess.Popen([*command, *arguments, *pairs], stdout=file, stderr=subprocess.STDOUT)
                self._running.add(process)
            status = process.wait()
        self._running.discard(process)
        if status:
            raise RunFailedError(f"{step}: {_last_error(output, status)}")

    def stop(self) -> None:
        """End all processes and start no more; what they have saved is resumed next time."""
        with self._lock:
            self._stopped = True
            for process in list(self._running):
                process.terminate()


def _last_error(output: Path, status: int) -> str:
    """The last error that a process printed, on one line."""
    lines = [line.strip() for line in output.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("(--debug")]
    starts = [index for index, line in enumerate(lines) if line.startswith("error:")]
    if starts:
        return " ".join(lines[starts[-1] :]).removeprefix("error:").strip()
    if status < 0:
        return f"ended by signal {-status} ({signal.strsignal(-status)})"
    return lines[-1] if lines else f"ended with status {status} and said nothing"


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
