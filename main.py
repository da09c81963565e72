"""The command line: ``python main.py --configs FILE --phase PHASE [flags] [section.key value ...]``."""

import gc
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if __name__ == "__main__":
    gc.disable()  # until all is imported, none of which is garbage: looking for some takes a seventh of the start

# Python leaves it out where PYTHONSAFEPATH is set.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.utils.cli import parse_command_line
from lib.utils.config import Config, load_run_config
from lib.utils.config.reference import key_reference
from lib.utils.distributed import report_failure, run_under_torchrun, started_by_torchrun, world_from_environment
from lib.utils.errors import ConfigError, Interrupted
from lib.utils.log import log_to_file, log_to_terminal, open_standard_streams, show

if TYPE_CHECKING:
    from lib.utils.runtime import Runtime

logger = logging.getLogger("samcl")

DISTRIBUTED = ("train", "test", "test_offset")
"""The phases that run on several devices and keep a log file."""


class Phase(Protocol):
    """What does the work of a phase; made of a config and a runtime, when it finds what is wrong with them."""

    def run(self) -> object:
        """Do the work."""


def phase_of(name: str) -> Callable[[Config, "Runtime"], Phase]:
    """What makes the object that does the work of a phase."""
    # Imported here, because they import torch and more, which other phases and a fault in a config need not wait for.
    if name == "train":
        from segmentor.trainer import Trainer

        return Trainer
    if name == "test":
        from segmentor.tester import Tester

        return Tester
    if name == "test_offset":
        from segmentor.evaluation.offsets import OffsetTester

        return OffsetTester
    if name == "check":
        from segmentor.checking.data import Checker

        return Checker
    if name == "predict":
        from segmentor.prediction.predictor import Predictor

        return Predictor
    if name == "export":
        from segmentor.export.exporter import Exporter

        return Exporter
    from segmentor.evaluation.comparison import Comparer

    return Comparer


def run(config: Config, notes: Sequence[str]) -> None:
    """Do what ``config.phase`` says."""
    from lib.utils.runtime import start_runtime

    log = config.logging
    is_main = world_from_environment().is_main
    log_to_terminal(log.stdout_level, log.log_format, is_main)
    for note in notes:
        logger.warning(note)
    with start_runtime(config) as runtime:
        phase = phase_of(config.phase)(config, runtime)
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        # Only now, as what was made has found nothing wrong: a refused run must not touch the log of the one before.
        if log.log_to_file and is_main and config.phase in DISTRIBUTED:
            rewrite = log.rewrite and config.phase == "train" and not config.network.resume_continue
            log_to_file(log.log_file, log.logfile_level, log.log_format, rewrite, log.max_mb)
        phase.run()


def processes_to_start(config: Config) -> int:
    """How many processes torchrun should start for this command; 1 where it started this one already."""
    if started_by_torchrun() or config.phase not in DISTRIBUTED:
        return 1
    if config.gpu is not None:
        return len(config.gpu)
    if not config.distributed:
        return 1
    from lib.utils.device import visible_gpus

    return visible_gpus()


def main(arguments: Sequence[str]) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 for an error; 2 for a config or flag that can't be used; 130 and 143 for a run that SIGINT
        (Ctrl-C) or SIGTERM stopped, in good order where it says how to go on.
    """
    open_standard_streams()
    debug = "--debug" in arguments
    try:
        command = parse_command_line(arguments)
        if command.text or command.print_keys:
            show(command.text or key_reference())
            return 0
        from segmentor.checking.names import check_names

        config, notes = load_run_config(command.configs, command.flags, command.pairs, [check_names])
        if command.print_config:
            for note in notes:
                print(f"note: {note}", file=sys.stderr)
            show(config.to_yaml())
        elif (processes := processes_to_start(config)) > 1:
            status, failure = run_under_torchrun([sys.argv[0], *arguments], processes)
            if failure:
                print(f"error: {failure}", file=sys.stderr)
            return status
        else:
            run(config, notes)
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 128 + stop.signum
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        known = isinstance(error, ValueError | OSError | FloatingPointError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        reported = report_failure(error, message)
        if debug:
            traceback.print_exc()
        elif not reported:
            print(f"error: {message}", file=sys.stderr)
            if not isinstance(error, ConfigError):
                print("(--debug shows where)", file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
