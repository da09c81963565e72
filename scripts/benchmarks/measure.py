"""Times of things side by side, and what they say about a goal."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Samples:
    """Repeated measurements of one number, in one unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the values."""
        return statistics.median(self.values)

    def times(self, factor: float) -> "Samples":
        """The same in another unit."""
        return Samples(tuple(factor * value for value in self.values))

    def __str__(self) -> str:
        """The median, and the least and the greatest of several."""
        if len(self.values) == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(min(self.values))} - {number(max(self.values))})"


def number(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Goal:
    """What a ratio should be: at least ``limit`` times as fast, or at most ``limit`` times as much."""

    limit: float
    at_least: bool

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"

    def ratio(self, ours: float, baseline: float) -> float:
        """baseline / ours where larger is better, else ours / baseline."""
        return baseline / ours if self.at_least else ours / baseline

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return ratio >= self.limit if self.at_least else ratio <= self.limit


def at_least(limit: float) -> Goal:
    """A speed-up of at least ``limit``."""
    return Goal(limit, True)


def at_most(limit: float) -> Goal:
    """A cost of at most ``limit`` times the baseline's."""
    return Goal(limit, False)


@dataclass(frozen=True)
class Row:
    """One line of the table of goals.

    Attributes:
        name: what is measured, and against what.
        ours, baseline: measured in ``unit``.
        goal: for the ratio of their medians.
        otherwise: what else was asked for and isn't so; empty where nothing is wrong.
    """

    name: str
    ours: Samples
    baseline: Samples
    unit: str
    goal: Goal
    otherwise: str = ""

    @property
    def ratio(self) -> float:
        """Of the medians, as :meth:`Goal.ratio` takes it."""
        return self.goal.ratio(self.ours.median, self.baseline.median)

    @property
    def met(self) -> bool:
        """Whether the goal is reached and nothing else is wrong."""
        return self.goal.is_met(self.ratio) and not self.otherwise

    def as_json(self) -> dict[str, Any]:
        """As it stands in ``benchmark.json``; medians alone."""
        return {
            "name": self.name,
            "ours": self.ours.median,
            "baseline": self.baseline.median,
            "unit": self.unit,
            "ratio": self.ratio,
            "goal": str(self.goal),
            "met": self.met,
        }


@dataclass
class Section:
    """What one part of the benchmark found: lines of the table of goals, and Markdown below them."""

    title: str
    rows: list[Row] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


def interleaved(cases: Mapping[str, Callable[[], object]], repeats: int, warmups: int = 1) -> dict[str, Samples]:
    """Seconds that each case takes, the cases taking turns, so that what disturbs the machine disturbs all alike.

    The order changes from repeat to repeat: no case always comes after the same other one.

    Args:
        cases: by name.
        repeats: of each, at least 1.
        warmups: of each, not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    for repeat in range(-warmups, repeats):
        for name in order:
            start = time.perf_counter()
            cases[name]()
            elapsed = time.perf_counter() - start
            if repeat >= 0:
                times[name].append(elapsed)
        order.append(order.pop(0))
    return {name: Samples(tuple(values)) for name, values in times.items()}


def table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *lines])
