"""Kill a training run at random moments, resume it each time, and compare it with one that ran straight through.

After every kill each checkpoint must be whole, at most ``checkpoints.save_iters`` steps may have to be repeated, and in
the end weights, optimiser, auxiliary network, best scores and the table of logged losses must be those of the
uninterrupted run, to the bit.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.metrics.history import read_history  # noqa: E402
from lib.utils.checkpoint import load_checkpoint  # noqa: E402  (the repository must be on the path first)
from scripts.small_run import prepare, start  # noqa: E402

ITERATIONS = 43
SAVE_ITERS = 5
SAM_CL = ("samcl.loss_weight=2",)
MOST_SECONDS = 120.0
"""A run that takes longer than this hangs."""


class Lost(Exception):
    """Something that an interruption must not cost was lost."""


class Run:
    """A run of the small config, started and killed at will.

    Args:
        folder: with the config.
        config: path.
        name: of the run.
        pairs: ``section.key=value`` over the config.
        iterations: length of the run.
    """

    def __init__(
        self, folder: Path, config: Path, name: str, pairs: Sequence[str] = (), iterations: int = ITERATIONS
    ) -> None:
        self._config = config
        self._pairs = [f"checkpoints.checkpoints_name={name}", f"solver.max_iters={iterations}", *pairs]
        self._output = folder / f"{name}.txt"
        self._checkpoints = folder / "checkpoints"
        self.latest = self._checkpoints / f"{name}_latest.pth"
        self.history = self._checkpoints / f"{name}_history.csv"

    def live(self, workers: int, dies: Callable[[], bool] = lambda: False) -> bool:
        """Start or resume the run; returns whether it came to its end.

        Args:
            workers: processes that read data.
            dies: asked all the time; once it says so, the run is killed.

        Raises:
            Lost: it was refused, failed or hangs.
        """
        resume = [f"network.resume={self.latest}", "network.resume_continue=y"] if self.latest.exists() else []
        process = start(self._config, [*self._pairs, f"data.workers={workers}", *resume], self._output)
        end = time.monotonic() + MOST_SECONDS
        killed = False
        while process.exitcode is None and not killed:
            process.join(0.002)
            killed = dies() or time.monotonic() > end
        process.kill()
        process.join()
        if time.monotonic() > end:
            raise Lost(f"the run did not end within {MOST_SECONDS:.0f} s; see {self._output}")
        if not killed and process.exitcode:
            raise Lost(f"the run ended with status {process.exitcode}: {self._output.read_text()[-2000:]}")
        return not killed

    def saved_and_lost(self) -> tuple[int, int]:
        """How many steps are saved, and how many a resumed run has to repeat.

        Raises:
            Lost: more than between two checkpoints, or a checkpoint isn't whole.
        """
        for path in self._checkpoints.glob(f"{self.latest.stem.removesuffix('_latest')}_*.pth"):
            load_checkpoint(path)
        saved = load_checkpoint(self.latest)["training"]["iteration"] if self.latest.exists() else 0
        done = self.steps_done()
        if done - saved > SAVE_ITERS:
            raise Lost(f"{done} steps were done and {saved} are saved, {SAVE_ITERS} apart")
        return saved, max(done - saved, 0)

    def steps_done(self) -> int:
        """The number of the last step that was logged."""
        return max((row[0] for row in read_history(self.history)), default=0) if self.history.exists() else 0

    def compare(self, other: "Run") -> None:
        """Check that two runs ended alike.

        Raises:
            Lost: the first thing that differs.
        """
        mine, others = (load_checkpoint(run.latest) for run in (self, other))
        for part in ("state_dict", "training"):
            _compare(mine[part], others[part], part)
        if self.history.read_text() != other.history.read_text():
            raise Lost(f"{self.history} and {other.history} differ")


def _compare(mine: Any, others: Any, where: str) -> None:
    if isinstance(mine, dict) and isinstance(others, dict) and mine.keys() == others.keys():
        for key in mine:
            _compare(mine[key], others[key], f"{where}.{key}")
    elif isinstance(mine, torch.Tensor) and isinstance(others, torch.Tensor):
        if not torch.equal(mine, others):
            raise Lost(f"{where} differs from the uninterrupted run's")
    elif mine != others:
        raise Lost(f"{where}: expected {others!r}, got {mine!r}")


def kill_and_resume(folder: Path, kills: int, seed: int, pairs: Sequence[str] = SAM_CL, speak=print) -> None:
    """Interrupt runs ``kills`` times; a run that comes to its end is compared, and another one begun.

    Args:
        folder: for data, checkpoints and output.
        kills: at random moments: while starting, between steps, in steps, while saving or validating.
        seed: of the moments.
        pairs: ``section.key=value`` over the config.
        speak: gets a line after every kill.

    Raises:
        Lost: what an interruption cost.
    """
    rng = np.random.default_rng(seed)
    config = prepare(folder)
    # The first process imports everything, and would be no measure of the moments to come.
    Run(folder, config, "first", pairs, iterations=1).live(workers=0)
    straight = Run(folder, config, "straight", pairs)
    began = time.monotonic()
    straight.live(workers=0)
    seconds = time.monotonic() - began
    done, number = 0, 0
    while done < kills:
        run = Run(folder, config, f"killed{number}", pairs)
        number += 1
        ended = False
        while not ended:
            death = time.monotonic() + (rng.uniform(0, seconds / 3) if done < kills else MOST_SECONDS)
            ended = run.live(2 * int(rng.integers(2)), lambda death=death: time.monotonic() > death)
            if not ended:
                done += 1
                saved, repeats = run.saved_and_lost()
                speak(f"kill {done} of {kills}: {run.latest.stem} of iteration {saved}, {repeats} steps to repeat")
        run.compare(straight)
        speak(f"{run.latest.stem} is what it would have been without interruption")


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25, help="how many (default: 25)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("pairs", nargs="*", default=SAM_CL, metavar="section.key=value", help="default: SAM-CL")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        try:
            kill_and_resume(Path(folder), options.kills, options.seed, options.pairs)
        except Lost as loss:
            print(f"lost: {loss}", file=sys.stderr)
            return 1
    print(f"{options.kills} kills, nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
