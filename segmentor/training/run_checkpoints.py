"""The checkpoints of a training run: their paths, their content, and what may not be overwritten."""

import errno
import logging
import math
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from lib.utils.checkpoint import KINDS, checkpoint_path, load_training_checkpoint, save_checkpoint
from lib.utils.config import Config, current_spelling
from lib.utils.errors import CheckpointError
from lib.utils.files import output_error, remove_stale_temporaries
from lib.utils.lock import RunLock
from lib.utils.versions import previous_paths

logger = logging.getLogger("samcl")


class RunCheckpoints:
    """Reads and writes ``<name>_{latest,max_performance,min_loss}.pth`` of one run, and the files beside them.

    A checkpoint holds ``config_dict``; ``state_dict``, the network alone; and ``training``, what a resumed run needs.
    The versions of ``_latest`` before it are kept as ``_previous``, ``_previous_2``, ... (``checkpoints.keep``).

    Args:
        config: of the run.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._resumes = config.network.resume_continue
        self._latest_is_intact = False

    @cached_property
    def _yaml(self) -> str:
        return self._config.to_yaml()

    def path(self, kind: str) -> Path:
        """The path of the checkpoint of a kind, one of :data:`~lib.utils.checkpoint.KINDS`."""
        names = self._config.checkpoints
        return checkpoint_path(names.checkpoints_root, names.checkpoints_dir, names.checkpoints_name, kind)

    def sibling_path(self, ending: str) -> Path:
        """The path of another file of the run, ``<name>_<ending>`` beside its checkpoints."""
        return self.path("latest").with_name(f"{self._config.checkpoints.checkpoints_name}_{ending}")

    def lock(self) -> RunLock:
        """A lock that keeps other commands from this run; removes what killed ones left half written.

        Raises:
            CheckpointError: another command has locked it.
            OutputError: the folder can't be written to.
        """
        name, folder = self._config.checkpoints.checkpoints_name, self.path("latest").parent
        lock = RunLock(folder / f".{name}.lock", f"the run {name} in {folder}")
        kinds = "|".join((*KINDS, r"previous(_\d+)?", r"nonfinite_\d+", "history"))
        remove_stale_temporaries(folder, rf"{re.escape(name)}_({kinds})\.(pth|yaml|npz|csv)")
        return lock

    def refuse_existing_run(self) -> None:
        """Check that a new run would not overwrite another.

        Raises:
            CheckpointError: a run of this name exists, and it is neither the one resumed nor to be overwritten.
        """
        resume = self._config.network.resume
        resumed = Path(resume).resolve() if self._resumes and resume else None
        existing = [path for path in self._all_paths() if path.exists()]
        if existing and not self._config.checkpoints.overwrite and resumed not in [p.resolve() for p in existing]:
            raise CheckpointError(
                f"{existing[0]} exists: there is a run of this name; go on with it by `resume` (--resume "
                f"{self.path('latest')} --resume_continue y), choose another name, or start over with --overwrite y"
            )

    def remove_existing_run(self) -> None:
        """Delete the files of a run that is overwritten: its best checkpoints must not be taken for the new run's."""
        if self._resumes:
            return
        for path in self._all_paths():
            path.unlink(missing_ok=True)
            path.with_suffix(".yaml").unlink(missing_ok=True)
        batches = re.compile(re.escape(self.sibling_path("nonfinite_").name) + r"\d+\.npz")
        for path in self.path("latest").parent.iterdir():
            if batches.fullmatch(path.name):
                path.unlink()

    def resumed(self) -> dict[str, Any] | None:
        """The content of the checkpoint that the run goes on from; None where a new run starts.

        Raises:
            CheckpointError: the checkpoint can't be read, holds weights alone, or is of a run with other settings of
                ``lr`` or ``optim``, which an optimiser in mid-run can't take on.
        """
        if not self._resumes:
            return None
        path = self._config.network.resume
        if not path:
            raise CheckpointError("--resume_continue y needs the checkpoint to go on from: name it with --resume FILE")
        checkpoint = load_training_checkpoint(path)
        current, saved = self._config.model_dump(mode="json"), current_spelling(checkpoint["config_dict"])
        for section in ("lr", "optim"):
            if current[section] != saved[section]:
                raise CheckpointError(
                    f"{path}: its run had other settings in section {section}; resume with the config beside it "
                    f"({Path(path).with_suffix('.yaml')}), or leave --resume_continue out to start a new run"
                )
        # Where a run is resumed from another checkpoint, ``_latest`` may be damaged, and must not become ``_previous``.
        self._latest_is_intact = Path(path).resolve() == self.path("latest").resolve()
        return checkpoint

    def best_scores(self, resumed: Mapping[str, Any] | None) -> dict[str, float]:
        """Best mIoU and smallest loss so far: of a resumed run those whose checkpoints it has.

        Args:
            resumed: the part ``training`` of the checkpoint that the run goes on from; None where a new one starts.
        """
        best = {"miou": -math.inf, "loss": math.inf}
        if resumed is None:
            return best
        path = Path(self._config.network.resume or "")
        is_same_run = path.resolve() in [own.resolve() for own in self._all_paths()]
        for score, kind in (("miou", "max_performance"), ("loss", "min_loss")):
            if is_same_run and self.path(kind).exists():
                best[score] = resumed["best"][score]
            elif math.isfinite(resumed["best"][score]):
                logger.info("%s: the best so far is not of this run, or its file is gone; anew", self.path(kind))
        return best

    def save(self, kind: str, network: nn.Module, training: dict[str, Any]) -> None:
        """Write a checkpoint and, beside it, the resolved config.

        Raises:
            OutputError: the folder has vanished, or the disk is full or read-only; all earlier ones are untouched.
        """
        path = self.path(kind)
        if not path.parent.is_dir():
            # Not made again: a disk that is gone would be replaced by its mount point.
            raise output_error(path, OSError(errno.ENOENT, f"its folder {path.parent} has vanished"))
        content = {
            "config_dict": self._config.model_dump(mode="json"),
            "state_dict": network.state_dict(),
            "training": training,
        }
        shift = kind == "latest" and (self._latest_is_intact or not path.exists())
        save_checkpoint(path, content, self._yaml, self._config.checkpoints.keep if shift else None)
        self._latest_is_intact |= kind == "latest"

    def _all_paths(self) -> list[Path]:
        return [*map(self.path, KINDS), *previous_paths(self.path("latest"))]
