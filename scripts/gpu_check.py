"""Command line of the GPU check; run it through gpu_check.sh, whose --help says what it does."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if TYPE_CHECKING:
    from scripts.gpu_checks.findings import Finding
    from scripts.gpu_checks.subject import Subject

PACKAGES = {
    **{name: name for name in ("torch", "torchvision", "numpy", "scipy", "tqdm", "pydantic")},
    **{"cv2": "opencv-python", "yaml": "PyYAML", "PIL": "Pillow"},
}
"""Modules that the check needs, with the names of their packages."""
PARTS = (
    *("arithmetic:networks", "arithmetic:losses", "arithmetic:sam_cl", "training:scaling", "training:resuming"),
    *("training:waiting", "training:batches", "training:processes", "speed:full_steps", "speed:loss_shares"),
    *("loading:loader", "speed:number_formats", "compiling:compiling", "compiling:compiled_steps"),
)
"""Module and function of each, in order: what matters most comes first, as time may run out."""
RIGHT = ("arithmetic", "training", "compiling")
"""The modules whose limits are not goals but what makes results right."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and write; returns the exit status: 1 where a result is wrong or a package is missing."""
    args = _parser().parse_args(arguments)
    missing = [package for module, package in PACKAGES.items() if not find_spec(module)]
    if missing:
        print(f"gpu_check.sh: error: missing packages: {', '.join(missing)} (pip install them)", file=sys.stderr)
        return 1
    from scripts.gpu_checks.findings import table, write_report
    from scripts.gpu_checks.subject import Subject

    out, deadline = args.out.resolve(), time.monotonic() + 60 * args.minutes
    subject = Subject.of_this_machine(out, args.quick)
    print(subject.machine(), flush=True)
    found: dict[str, list[Finding]] = {}
    left_out: list[str] = []
    for part in PARTS:
        if time.monotonic() > deadline:
            left_out.append(part.replace(":", ": "))
            continue
        findings = found.setdefault(part.partition(":")[0], [])
        for finding in _findings(part, subject):
            findings.append(finding)
            print(table([finding]).splitlines()[-1], flush=True)
            write_report(subject, found, [*left_out])
            if time.monotonic() > deadline:
                left_out.append(f"the rest of {part.replace(':', ': ')}")
                break
    write_report(subject, found, left_out)
    print(f"{out / 'gpu_check.md'}\n{out / 'gpu_check.json'}")
    wrong = [finding.name for module in RIGHT for finding in found.get(module, []) if finding.met is False]
    if wrong:
        print(f"gpu_check.sh: error: not as it should be: {'; '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def _findings(part: str, subject: "Subject") -> Iterator["Finding"]:
    """What a part finds; a part that fails is a finding, too, and loses no other."""
    from scripts.gpu_checks.findings import Finding

    module, _, function = part.partition(":")
    check: Callable[[Subject], Iterator[Finding]] = getattr(import_module(f"scripts.gpu_checks.{module}"), function)
    try:
        yield from check(subject)
    except Exception as error:
        traceback.print_exc()
        reason = str(error).strip().partition("\n")[0]
        yield Finding.verdict(
            f"{function.replace('_', ' ')} ran to its end", False, f"{type(error).__name__}: {reason}"
        )
    finally:
        subject.tidy()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu_check.sh", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="three networks at one size")
    parser.add_argument("--minutes", type=float, default=7.0, metavar="N", help="begin nothing new after these (7)")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu_check"), metavar="DIR", help="runs/gpu_check")
    return parser


if __name__ == "__main__":
    sys.exit(main())
