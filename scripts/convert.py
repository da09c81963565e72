"""Labels of annotation tools to data to train on, and labels to those of tools; ``scripts/convert.sh`` runs it."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.datasets.annotations.formats import FORMATS  # noqa: E402
from lib.datasets.preparation import SKIPPED_FILE  # noqa: E402
from lib.utils.cli import parse_command_line  # noqa: E402
from lib.utils.config import load_config  # noqa: E402
from lib.utils.log import log_to_terminal, show  # noqa: E402
from lib.utils.text import first_few  # noqa: E402
from scripts.arguments import positive, switch  # noqa: E402
from segmentor.conversion.converter import ASK_FOR_SHAPES, TRAINING, Converter, Options, Summary  # noqa: E402

WRITTEN = [name for name, form in FORMATS.items() if form.write]


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert; returns the exit status: 0 done, 1 frames were left out as their labels can't be used, 2 an error."""
    args, further = _parser().parse_known_args(arguments)
    size = None if args.size == ["none"] else tuple(map(positive, args.size))
    try:
        # Of a phase that needs no config, as a conversion doesn't.
        line = parse_command_line(["--phase", "compare", *further])
        data = load_config(args.configs or "", line.flags, line.pairs)[0].data
        log_to_terminal("info", "%(message)s", True)
        options = Options(
            *(args.labels, args.frames, args.out_dir, args.source, args.target, tuple(args.rename), args.shapes),
            *(args.tolerance, size, args.split, args.subject_pattern, args.subject_table, args.subject_column),
            *(tuple(args.val_subjects), args.uncorrected, args.skip_bad, args.overwrite),
        )
        summary = Converter(options, data).run()
    except (ValueError, OSError) as error:
        print(f"convert.sh: error: {error}", file=sys.stderr)
        return 2
    show("".join(f"{line}\n" for line in _lines(summary, args.out_dir)))
    return 1 if summary.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="convert.sh",
        usage="bash scripts/convert.sh LABELS FRAMES OUT_DIR [options] [any main.py arguments, such as --temp_preset]",
        description="Makes labels of annotation tools ready to train on, or writes labels in the form of a tool, to be "
        "corrected there. Frames and labels pair by name. Nothing is written if a label can't be used.",
        epilog=f"Exit status: 0 done; 1 labels were left out ({SKIPPED_FILE} in OUT_DIR says why); 2 error.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("labels", metavar="LABELS", type=Path, help="file or folder of the labels")
    add("frames", metavar="FRAMES", type=Path, help="folder of the thermal frames, or a file that holds them")
    add(
        "out_dir",
        metavar="OUT_DIR",
        type=Path,
        help="gets {train,val}/{image,label} and config.yaml, or a tool's files",
    )
    add("--from", dest="source", choices=list(FORMATS), default="labelme", help="format of the labels (labelme)")
    add("--to", dest="target", choices=[TRAINING, *WRITTEN], default=TRAINING, help="what to write (training)")
    add("--rename", nargs="+", metavar="OLD=NEW", default=[], help="read a label as another, as ignore or background")
    add("--configs", type=Path, metavar="FILE", help="a config whose section data names classes and reading of frames")
    add(
        "--uncorrected", type=switch, metavar="y|n", default=False, help="take predictions that nobody has changed, too"
    )
    add("--skip_bad", type=switch, metavar="y|n", default=False, help="leave out labels that can't be used")
    add("--overwrite", type=switch, metavar="y|n", default=False, help="replace what is prepared in OUT_DIR already")
    training = parser.add_argument_group("to train on").add_argument
    training("--split", choices=["subject", "time", "frame"], default="subject", help="what to validate on (subject)")
    training(
        "--subject_pattern", metavar="REGEX", help="its group is the subject in a frame's name, such as '^([^-]+)-'"
    )
    training("--subject_table", type=Path, metavar="CSV", help="a table with the columns frame and subject")
    training("--subject_column", metavar="NAME", default="subject", help="column of the subjects in that table")
    training(
        "--val_subjects", nargs="+", metavar="SUBJECT", default=[], help="default: the smallest, a fifth of frames"
    )
    training("--size", nargs="+", metavar="PIXELS", default=["320", "256"],
             help="width and height that frames are scaled to fit, as in predictions, or none (320 256)")  # fmt: skip
    tool = parser.add_argument_group("for tools").add_argument
    tool("--shapes", choices=["polygons", "masks"], default="polygons", help="outlines, or exact masks (polygons)")
    tool("--tolerance", type=float, metavar="PIXELS", help="that outlines may be simplified by (longer side / 320)")
    return parser


def _lines(summary: Summary, out_dir: Path) -> Iterator[str]:
    counts = summary.frames
    if summary.config:
        yield f"{counts['train']} frames to train on, {counts['val']} to validate on in {out_dir}"
        yield f"config:  {summary.config}"
    else:
        yield f"{counts.total()} frames with labels for {', '.join(counts)} in {out_dir}"
    yield f"classes: {', '.join(summary.names)}"
    if summary.uncorrected:
        yield f"left out: {summary.uncorrected} that nobody has changed since they were predicted (--uncorrected y)"
    if summary.unlabelled:
        yield f"left out: {len(summary.unlabelled)} without shapes ({first_few(summary.unlabelled)}): {ASK_FOR_SHAPES}"
    if summary.faults:
        reasons = first_few([f"\n  {reason}" for _, reason in summary.faults], separator="")
        yield f"left out: {len(summary.faults)} whose labels can't be used, see {out_dir / SKIPPED_FILE}:{reasons}"


if __name__ == "__main__":
    sys.exit(main())
