"""What the GPU check finds, and the files that say so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.utils.files import atomic_write

if TYPE_CHECKING:
    from scripts.gpu_checks.subject import Subject

HEADINGS = {
    "arithmetic": "Right: networks and losses",
    "training": "Right: training",
    "speed": "Fast: steps",
    "loading": "Fast: data",
    "compiling": "Compiled",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked at.
        value: measured; None where there is nothing to measure.
        limit: that ``value`` must not exceed; None where there is no goal.
        unit: of both; empty for ratios and errors.
        remark: what else there is to say.
        passed: of a question that is answered by yes or no; None elsewhere.
    """

    name: str
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    remark: str = ""
    passed: bool | None = None

    @staticmethod
    def verdict(name: str, passed: bool, remark: str = "") -> "Finding":
        """The answer to a question."""
        return Finding(name, remark=remark, passed=passed)

    @property
    def met(self) -> bool | None:
        """Whether all is as it should be; None where nothing was asked."""
        if self.passed is not None or self.value is None or self.limit is None:
            return self.passed
        return self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        """As it stands in ``gpu_check.json``."""
        return {
            **{"name": self.name, "value": self.value, "limit": self.limit, "unit": self.unit},
            **{"remark": self.remark, "met": self.met},
        }


def table(findings: Sequence[Finding]) -> str:
    """A Markdown table."""
    lines = ["| what | measured | at most | as it should be | remark |", "|---|---:|---:|---|---|"]
    for finding in findings:
        value = "" if finding.value is None else f"{finding.value:.3g} {finding.unit}".strip()
        limit = "" if finding.limit is None else f"{finding.limit:.3g}"
        met = {None: "", True: "yes", False: "**no**"}[finding.met]
        lines.append(f"| {finding.name} | {value} | {limit} | {met} | {finding.remark.replace('|', '/')} |")
    return "\n".join(lines)


def write_report(subject: "Subject", found: Mapping[str, Sequence[Finding]], left_out: Sequence[str]) -> None:
    """Write ``gpu_check.md`` and ``gpu_check.json`` into the subject's folder, each whole or not at all.

    Args:
        subject: what was checked.
        found: by module of the check.
        left_out: what there was no time for.
    """
    parts = ["# GPU check", subject.machine()]
    for module, findings in found.items():
        parts += [f"## {HEADINGS[module]}", table(findings)]
    if left_out:
        parts.append(f"Left out, as the time was over: {', '.join(left_out)}.")
    with atomic_write(subject.out / "gpu_check.md", "w", durable=False) as file:
        file.write("\n\n".join(parts) + "\n")
    content = {
        "gpu_measured": subject.is_gpu,
        "machine": subject.machine(),
        "findings": {module: [finding.as_json() for finding in findings] for module, findings in found.items()},
        "left_out": list(left_out),
    }
    with atomic_write(subject.out / "gpu_check.json", "w", durable=False) as file:
        file.write(json.dumps(content, indent=2) + "\n")
