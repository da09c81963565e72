"""The checkpoints of a training run: where they are, which may not be touched, what is in them."""

from pathlib import Path
from typing import Any

from torch import nn

from lib.utils.checkpoint import KINDS, checkpoint_path, load_checkpoint, save_checkpoint
from lib.utils.config import Config
from lib.utils.errors import CheckpointError


class RunCheckpoints:
    """Reads and writes ``<name>_{latest,max_performance,min_loss}.pth`` of one run.

    A checkpoint holds ``config_dict``; ``state_dict``, the network alone; and ``training``, what a resumed run needs.

    Args:
        config: of the run.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._resumes = config.network.resume_continue

    def path(self, kind: str) -> Path:
        """Of the checkpoint of this kind, one of :data:`~lib.utils.checkpoint.KINDS`."""
        names = self._config.checkpoints
        return checkpoint_path(names.checkpoints_root, names.checkpoints_dir, names.checkpoints_name, kind)

    def refuse_existing_run(self) -> None:
        """Check that a new run would not overwrite another.

        Raises:
            CheckpointError: a run of this name exists, and it is neither the one resumed nor to be overwritten.
        """
        paths = [self.path(kind) for kind in KINDS]
        resumed = self._config.network.resume if self._resumes else None
        if self._config.checkpoints.overwrite or (resumed and Path(resumed).resolve() in [p.resolve() for p in paths]):
            return
        for existing in filter(Path.exists, paths):
            raise CheckpointError(
                f"{existing} exists: there is a run of this name; go on with it by `resume` (--resume "
                f"{self.path('latest')} --resume_continue y), choose another name, or start over with --overwrite y"
            )

    def remove_existing_run(self) -> None:
        """Delete what a run that is to be overwritten left, lest its best checkpoints be taken for the new run's."""
        if not self._resumes:
            for path in map(self.path, KINDS):
                path.unlink(missing_ok=True)
                path.with_suffix(".yaml").unlink(missing_ok=True)

    def training_state(self) -> dict[str, Any] | None:
        """What the run to be resumed left under ``training``; None where a new run starts.

        Raises:
            CheckpointError: the checkpoint can't be read, holds weights alone, or is of a run with other settings of
                ``lr`` or ``optim``, which an optimiser in mid-run can't take on.
        """
        if not self._resumes:
            return None
        path = self._config.network.resume
        if not path:
            raise CheckpointError("--resume_continue y needs the checkpoint to go on from: name it with --resume FILE")
        checkpoint = load_checkpoint(path)
        training = checkpoint.get("training")
        if training is None:
            raise CheckpointError(
                f"{path}: --resume_continue needs a checkpoint with a run's state, and this one holds weights alone; "
                f"leave --resume_continue out to start a new run from its weights"
            )
        current = self._config.model_dump(mode="json")
        for section in ("lr", "optim"):
            if current[section] != checkpoint["config_dict"][section]:
                raise CheckpointError(
                    f"{path}: its run had other settings in section {section}; resume with the config beside it "
                    f"({Path(path).with_suffix('.yaml')}), or leave --resume_continue out to start a new run"
                )
        return training

    def save(self, kind: str, network: nn.Module, training: dict[str, Any]) -> None:
        """Write a checkpoint and, beside it, the resolved config."""
        content = {
            "config_dict": self._config.model_dump(mode="json"),
            "state_dict": network.state_dict(),
            "training": training,
        }
        save_checkpoint(self.path(kind), content, self._config.to_yaml())
