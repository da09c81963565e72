"""Generated cases for what reads files and command lines: how many run, and that as many did.

The ordinary suite runs the same cases every time; ``pytest --fuzz N`` runs N times as many, others in every run.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from hypothesis import HealthCheck, settings

LONGEST = timedelta(seconds=60)
"""A case takes milliseconds, on a busy machine seconds; one that takes this long hangs."""

DECLARED: dict[str, int] = {}
"""Cases of the ordinary suite by test."""

factor = 1
"""What ``--fuzz`` says."""


def cases(number: int) -> Callable[[Callable], Callable]:
    """Run a ``@given`` test on ``number`` cases, times ``--fuzz``; the test fails if fewer were run."""

    def decorate(test: Callable) -> Callable:
        DECLARED[f"{test.__module__}.{test.__name__}"] = number
        expected, ran = number * factor, 0
        inner = test.hypothesis.inner_test

        @wraps(inner)
        def counted(*arguments, **named):
            nonlocal ran
            ran += 1
            return inner(*arguments, **named)

        test.hypothesis.inner_test = counted
        chosen = settings(
            max_examples=expected,
            derandomize=factor == 1,
            deadline=LONGEST,
            # A fixture's folder is shared by all cases, which overwrite one file in it.
            suppress_health_check=[
                HealthCheck.function_scoped_fixture,
                HealthCheck.too_slow,
                HealthCheck.large_base_example,
                HealthCheck.data_too_large,
            ],
        )(test)

        @wraps(chosen)
        def run(*arguments, **named):
            before = ran
            chosen(*arguments, **named)
            assert ran - before >= expected

        return run

    return decorate
