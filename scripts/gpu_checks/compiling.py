"""``torch.compile`` of network and losses: the same numbers, and what it is worth."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from scripts.gpu_checks.findings import Finding
from scripts.gpu_checks.speed import LOSSES, cases, full_step, words
from scripts.gpu_checks.subject import Subject, relative_error
from scripts.gpu_checks.training import Training
from segmentor.training.compilation import compile_training

COMPILED_ERROR = 1e-3
"""Relative difference that compiled losses may have."""


def compiling(subject: Subject) -> Iterator[Finding]:
    """Compiled, network and losses say the same."""
    with _compiler(subject), _warnings_of_the_project() as said:
        plain, compiled = (Training(subject, prepare=prepare).run(0, 2) for prepare in (None, compile_training))
    name = "compiled: difference of the losses of two steps"
    yield Finding(name, relative_error(compiled, plain), COMPILED_ERROR)
    # A machine without a compiler of C++ can't; training then goes on without, and says so.
    yield Finding("what can't be compiled", remark=" ".join(said) or "nothing: network and losses are compiled")


def compiled_steps(subject: Subject) -> Iterator[Finding]:
    """Full steps, compiled, over those that aren't; the compiler takes minutes for large networks."""
    with _compiler(subject):
        for name, shape in cases(subject)[: subject.pick(3, 1)]:
            config = subject.config(name, **LOSSES)
            plain, compiled = (
                subject.seconds(full_step(subject, config, shape, compiled=compiled), 3, warmups=3)
                for compiled in (False, True)
            )
            remark = f"{1000 * compiled:.1f} ms, eager {1000 * plain:.1f} ms"
            yield Finding(f"{name}, {words(shape)}: compiled step over the eager one", compiled / plain, remark=remark)
            subject.tidy()


@contextmanager
def _compiler(subject: Subject) -> Iterator[None]:
    """The compiler, which takes minutes on a CPU: there it stands aside."""
    torch.compiler.set_stance("default" if subject.is_gpu else "force_eager")
    try:
        yield
    finally:
        torch.compiler.set_stance("default")


@contextmanager
def _warnings_of_the_project() -> Iterator[list[str]]:
    """What the project warns of inside."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("samcl")
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
