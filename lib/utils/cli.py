"""The command line of ``main.py``: published flags, our own, and ``section.key value`` pairs anywhere among them."""

import re
import textwrap
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.utils.config import Fault, did_you_mean, value_for
from lib.utils.config.base import NO_WORDS, YES_WORDS
from lib.utils.config.faults import refuse
from lib.utils.config.published import PUBLISHED_SECTIONS
from lib.utils.config.reference import first_sentence
from lib.utils.config.schema import Config
from lib.utils.config.validate import field_at

_SECTIONS = {*Config.model_fields, *PUBLISHED_SECTIONS}
USAGE = "python main.py --configs FILE [--phase PHASE] [flags] [section.key value | section.key=value ...]"


@dataclass(frozen=True)
class Flag:
    """A flag ``--name``.

    Attributes:
        key: dotted key of the config that it sets; empty for flags about the command itself.
        kind: ``one`` value, ``many`` (one or more), or ``switch`` (yes or no, alone for yes).
        text: a line of help.
    """

    key: str
    kind: str
    text: str


_COMMAND = {
    "configs": Flag("", "one", "The config, JSON or YAML"),
    "print_config": Flag("", "switch", "Print the resolved config as YAML and stop"),
    "print_keys": Flag("", "switch", "Print the reference of all config keys, configs/README.md, and stop"),
    "debug": Flag("", "switch", "Show where an error came from"),
}
"""Flags about the command itself."""

_GROUPS = {
    "what to do": """
        phase seed
    """,
    "device": """
        gpu distributed cudnn
    """,
    "data": """
        data.data_dir data.include_val data.drop_last data.workers data.on_bad_sample train.batch_size
        val.batch_size
    """,
    "network": """
        network.model_name network.backbone network.bn_type network.multi_grid network.pretrained network.resume
        network.resume_strict network.resume_continue
    """,
    "training": """
        loss.loss_type solver.max_iters solver.display_iter solver.test_interval optim.optim_method lr.base_lr
        lr.nbb_mult solver.compile solver.precision lr.lr_policy lr.is_warm
    """,
    "outputs": """
        checkpoints.checkpoints_root checkpoints.checkpoints_name checkpoints.save_iters checkpoints.keep
        checkpoints.overwrite test.test_dir test.val_aug test.out_dir test.save_vis test.save_prob
        logging.log_file
        logging.log_to_file logging.logfile_level logging.stdout_level logging.rewrite
    """,
    "predict, export, compare": """
        predict.input data.temp_preset data.temp_scale data.temp_offset data.raw_size data.axes predict.polarity
        predict.fps predict.min_component_ratio predict.erode predict.correct_in export.format compare.runs
    """,
}
"""The keys that flags set, by group. A flag is called as the last part of its key, but for :data:`_LONGER`; what it
takes and its help come from the schema."""

_LONGER = {"train.batch_size": "train_batch_size", "val.batch_size": "val_batch_size"}

_UNUSED_SWITCHES = """
    network.finetune network.gathered data.include_atr data.include_cihp data.include_coarse network.loss_balance
    data.only_coarse data.only_mapillary data.only_small network.resume_eval_train network.resume_eval_val
    test.use_ground_truth
"""
_UNUSED_VALUES = """
    optim.group_method local_rank solver.max_epoch checkpoints.save_epoch test.test_img
"""
"""Published flags that change nothing here, by their keys; the help doesn't list them."""

_FORMER = {"least_share": "min_component_ratio"}
"""Former names of flags."""


def _name_of(key: str) -> str:
    """The name of the flag that sets a key."""
    return _LONGER.get(key, key.rpartition(".")[2])


def _flag_of(key: str) -> Flag:
    """The flag that sets a key of the schema."""
    field = field_at(key)
    annotation = field.annotation if field else None
    parts = (annotation, *typing.get_args(annotation))
    if annotation is bool:
        kind = "switch"
    else:
        kind = "many" if any(typing.get_origin(part) is list for part in _bare(parts)) else "one"
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
    return Flag(key, kind, first_sentence(key) + (f": {', '.join(map(str, choices))}" if choices else ""))


def _bare(parts: Iterable[Any]) -> list[Any]:
    """Types without what is noted beside them."""
    return [typing.get_args(part)[0] if typing.get_origin(part) is typing.Annotated else part for part in parts]


FLAGS: dict[str, Flag] = {
    **_COMMAND,
    **{_name_of(key): _flag_of(key) for group in _GROUPS.values() for key in group.split()},
    **{_name_of(key): Flag(key, "switch", "") for key in _UNUSED_SWITCHES.split()},
    **{_name_of(key): Flag(key, "one", "") for key in _UNUSED_VALUES.split()},
}
FLAGS |= {former: FLAGS[name] for former, name in _FORMER.items()}


@dataclass
class CommandLine:
    """A parsed command line.

    Attributes:
        configs: the config file; empty where the checkpoint's own config is meant, or none is needed.
        flags: values by dotted key, for ``load_config``; the right type is checked there.
        pairs: ``"section.key=value"``, in their order.
        print_config: print the resolved config and stop.
        print_keys: print the reference of keys and stop.
        debug: show tracebacks.
        text: print this and stop; the rest of the line isn't looked at.
    """

    configs: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    pairs: list[str] = field(default_factory=list)
    print_config: bool = False
    debug: bool = False
    print_keys: bool = False
    text: str = ""


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Parse the arguments of ``main.py``, without the program's name.

    Without arguments the help is what is meant. A flag's value follows it, or ``=``. Pairs may stand anywhere:
    ``section.key=value``, or ``section.key value`` where ``section`` is one of the config's. Everything that is wrong
    is reported together.

    Raises:
        ConfigError: unknown flags, missing values, words that are neither flag nor pair.
    """
    if "--help_all" in arguments:
        return CommandLine(text=flags_text())
    if not arguments or {"-h", "--help"} & set(arguments):
        return CommandLine(text=HELP)
    line, faults, rest = CommandLine(), [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            faults += _take_flag(line, word, rest)
        elif _is_pair(word):
            line.pairs.append(word)
        elif _is_dotted(word) and rest and not rest[0].startswith("--"):
            line.pairs.append(f"{word}={rest.pop(0)}")
        elif _is_dotted(word):
            faults.append(Fault(word, "a value after it"))
        else:
            faults.append(Fault(word, hint="neither a flag nor a section.key pair"))
    if not line.configs and not line.print_keys and not any(fault.key == "--configs" for fault in faults):
        faults += _without_config(line.flags)
    refuse("the command line", faults)
    return line


def _without_config(flags: dict[str, Any]) -> list[Fault]:
    """What is wrong with a line that names no config: nothing where it comes out of a checkpoint, or none is needed."""
    phase, resumes = flags.get("phase"), "network.resume" in flags
    if phase == "compare" or (phase in ("test", "test_offset", "predict", "export") and resumes):
        return []
    if phase in ("predict", "export"):
        return [Fault("--resume", "a checkpoint, a .pth file")]
    return [Fault("--configs", "a config file", hint=f"usage: {USAGE}")]


def _take_flag(line: CommandLine, word: str, rest: list[str]) -> list[Fault]:
    """Put the flag ``word`` into ``line``, its values taken from the front of ``rest``; return what is wrong."""
    word, equals, value = word.partition("=")
    flag = FLAGS.get(word.removeprefix("--"))
    if flag is None:
        while rest and not rest[0].startswith("--") and not _is_key(rest[0]) and not _is_pair(rest[0]):
            rest.pop(0)
        near = (
            did_you_mean("", ()) if word == "--" else did_you_mean(word, [f"--{name}" for name in (*FLAGS, "help_all")])
        )
        return [Fault(word, hint=f"unknown flag, {near}")]
    values = [value] if equals else _values(flag, rest)
    if not values:
        return [Fault(word, "a value")]
    if flag.kind == "switch" and values[0].lower() not in YES_WORDS | NO_WORDS:
        return [Fault(word, "y or n", values[0])]
    if word == "--configs":
        line.configs = values[0]
    elif not flag.key:
        setattr(line, word.removeprefix("--"), values[0].lower() in YES_WORDS)
    elif flag.kind == "switch":
        line.flags[flag.key] = values[0].lower() in YES_WORDS
    else:
        parsed = [value_for(flag.key, value) for value in values]
        line.flags[flag.key] = [one for one, _ in parsed] if flag.kind == "many" else parsed[0][0]
        return [fault for _, faults in parsed for fault in faults]
    return []


def _values(flag: Flag, rest: list[str]) -> list[str]:
    """Take a flag's values from the front of ``rest``; the one right after the flag is never taken for a pair."""
    if flag.kind == "switch":
        return [rest.pop(0)] if rest and rest[0].lower() in YES_WORDS | NO_WORDS else ["y"]
    values: list[str] = []
    while rest and not rest[0].startswith("--"):
        if values and (flag.kind == "one" or _is_key(rest[0]) or _is_pair(rest[0])):
            break
        values.append(rest.pop(0))
    return values


def _is_dotted(word: str) -> bool:
    """Whether a word looks like ``section.key``."""
    return re.fullmatch(r"[A-Za-z_]\w*(\.\w+)+", word) is not None


def _is_key(word: str) -> bool:
    """Whether a word is a dotted key of one of the config's sections; below that it may be misspelt."""
    return _is_dotted(word) and word.partition(".")[0] in _SECTIONS


def _is_pair(word: str) -> bool:
    """Whether a word is ``section.key=value``, or ``key=value`` of the config's top level."""
    return re.match(r"\w+(\.\w+)*=", word) is not None and (
        "." in word.partition("=")[0] or word.partition("=")[0] in _SECTIONS
    )


HELP = """\
usage: python main.py --configs FILE --phase PHASE [flags] [section.key value ...]

phases:
  train     train a network, validating as it goes; --resume FILE --resume_continue y goes on with a run
  test      score a checkpoint (--resume FILE) on labelled frames and write masks, overlays and a report
  test_offset  predict SegFix's offsets, with which scripts/segfix.py mends the masks of any network
  predict   find the regions of faces in any frames or video (--input PATH) and measure their temperatures
  check     look through a data set for files, labels and subjects that would spoil a run
  export    write a checkpoint's network as ONNX or torch.export
  compare   compare the results of tests (--runs FOLDER FOLDER ...)

common calls:
  python main.py --configs configs/thermalFaceDB/U_GCL_Occ.json --phase train --data_dir DATA_ROOT/Processed
  python main.py --configs configs/thermalFaceDB/U_GCL_Occ.json --phase test --data_dir DATA_ROOT/Processed \\
      --resume CHECKPOINT.pth --out_dir results
  python main.py --phase predict --resume CHECKPOINT.pth --input FRAMES --out_dir predictions

Every key of a config can be set anywhere on the line: solver.max_iters 10000, or solver.max_iters=10000.
Later ones win: the config's bases, the config, flags, section.key pairs.

more:
  --help_all       all flags
  --print_config   the config that a command line makes, as YAML
  --print_keys     all keys: type, default, unit, meaning (also in configs/README.md)
  README.md        what this is; scripts/README.md: guide by task
"""
"""What a newcomer needs."""


def flags_text() -> str:
    """All flags, by group, for ``--help_all``."""
    shapes = {"one": " VALUE", "many": " VALUE [VALUE ...]", "switch": " [y|n]"}
    parts = [f"usage: {USAGE}", ""]
    groups = {
        "the command itself": tuple(_COMMAND),
        **{title: tuple(map(_name_of, keys.split())) for title, keys in _GROUPS.items()},
    }
    for title, names in groups.items():
        parts.append(f"{title}:")
        for name in names:
            flag = FLAGS[name]
            text = f"{flag.text} ({flag.key})" if flag.key else flag.text
            lines = textwrap.wrap(text, 120 - 41)
            parts.append(f"  {f'--{name}{shapes[flag.kind]}':38} {lines[0]}")
            parts += [" " * 41 + line for line in lines[1:]]
        parts.append("")
    parts.append("Every key of a config can be set: section.key value, or section.key=value, anywhere on the line.")
    parts.append("--print_keys shows them all. Later ones win: bases, the config file, flags, pairs.\n")
    return "\n".join(parts)
