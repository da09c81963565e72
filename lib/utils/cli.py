"""The command line of ``main.py``: published flags, our own, and ``section.key value`` pairs anywhere among them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.utils.config import Fault, did_you_mean, value_for
from lib.utils.config.base import NO_WORDS, YES_WORDS
from lib.utils.config.faults import refuse
from lib.utils.config.published import PUBLISHED_SECTIONS
from lib.utils.config.schema import Config

_SECTIONS = {*Config.model_fields, *PUBLISHED_SECTIONS}
USAGE = "python main.py --configs FILE [--phase PHASE] [flags] [section.key value | section.key=value ...]"


@dataclass(frozen=True)
class Flag:
    """A flag ``--name`` for the config key ``key``.

    Attributes:
        key: dotted key; empty for flags about the command itself.
        kind: ``one`` value, ``many`` (one or more), or ``switch`` (yes or no, alone for yes).
        text: a line of help.
    """

    key: str
    kind: str
    text: str


_GROUPS: dict[str, dict[str, Flag]] = {
    "what to do": {
        "configs": Flag("", "one", "the config, JSON or YAML"),
        "phase": Flag("phase", "one", "train, test, check (data), predict, export or compare"),
        "print_config": Flag("", "switch", "print the resolved config as YAML and stop"),
        "debug": Flag("", "switch", "show where an error came from"),
        "seed": Flag("seed", "one", "seed of all random streams"),
    },
    "device": {
        "gpu": Flag("gpu", "many", "GPUs to use, e.g. 0 1; -1 = the CPU"),
        "distributed": Flag("distributed", "switch", "one process per GPU"),
        "cudnn": Flag("cudnn", "switch", "let cuDNN look for its fastest kernels"),
    },
    "data": {
        "data_dir": Flag("data.data_dir", "many", "folders with {train,val}/{image,label}"),
        "include_val": Flag("data.include_val", "switch", "train on the validation frames as well"),
        "drop_last": Flag("data.drop_last", "switch", "leave out the last, smaller batch of an epoch"),
        "workers": Flag("data.workers", "one", "processes that load frames"),
        "on_bad_sample": Flag("data.on_bad_sample", "one", "stop or skip"),
        "train_batch_size": Flag("train.batch_size", "one", "frames per training step"),
        "val_batch_size": Flag("val.batch_size", "one", "frames per validation step"),
    },
    "network": {
        "model_name": Flag("network.model_name", "one", "the network"),
        "backbone": Flag("network.backbone", "one", "its backbone"),
        "bn_type": Flag("network.bn_type", "one", "torchsyncbn or torchbn"),
        "multi_grid": Flag("network.multi_grid", "many", "factors of the last stage's dilations"),
        "pretrained": Flag("network.pretrained", "one", "weights to start from"),
        "resume": Flag("network.resume", "one", "a checkpoint to read"),
        "resume_strict": Flag("network.resume_strict", "switch", "weights that don't fit are an error"),
        "resume_continue": Flag("network.resume_continue", "switch", "go on with the checkpoint's run"),
    },
    "training": {
        "loss_type": Flag("loss.loss_type", "one", "the pixel loss or objective"),
        "max_iters": Flag("solver.max_iters", "one", "steps of the run"),
        "display_iter": Flag("solver.display_iter", "one", "steps from one log line to the next"),
        "test_interval": Flag("solver.test_interval", "one", "steps from one validation to the next"),
        "optim_method": Flag("optim.optim_method", "one", "sgd, adam or adamw"),
        "base_lr": Flag("lr.base_lr", "one", "learning rate"),
        "nbb_mult": Flag("lr.nbb_mult", "one", "its factor outside the backbone"),
        "compile": Flag("solver.compile", "switch", "compile network and losses"),
        "precision": Flag("solver.precision", "one", "auto, fp32, bf16 or fp16"),
        "lr_policy": Flag("lr.lr_policy", "one", "how it falls"),
        "is_warm": Flag("lr.is_warm", "switch", "begin with a warm-up"),
    },
    "outputs": {
        "checkpoints_root": Flag("checkpoints.checkpoints_root", "one", "folder of checkpoints_dir"),
        "checkpoints_name": Flag("checkpoints.checkpoints_name", "one", "name of the run"),
        "save_iters": Flag("checkpoints.save_iters", "one", "steps from one _latest to the next"),
        "keep": Flag("checkpoints.keep", "one", "how many of these to keep"),
        "overwrite": Flag("checkpoints.overwrite", "switch", "train although the name exists"),
        "test_dir": Flag("test.test_dir", "one", "folder of frames to test on"),
        "val_aug": Flag("test.val_aug", "one", "none, or tiaug: test on unconstrained frames"),
        "out_dir": Flag("test.out_dir", "one", "folder for results"),
        "save_prob": Flag("test.save_prob", "switch", "write class probabilities"),
        "log_file": Flag("logging.log_file", "one", "the log file"),
        "log_to_file": Flag("logging.log_to_file", "switch", "write it"),
        "logfile_level": Flag("logging.logfile_level", "one", "debug, info, warning or error"),
        "stdout_level": Flag("logging.stdout_level", "one", "the same for the terminal"),
        "rewrite": Flag("logging.rewrite", "switch", "begin the log file anew"),
    },
    "predict, export, compare": {
        "input": Flag("predict.input", "one", "frames: a file, a folder, a video, or - for names on standard input"),
        "temp_preset": Flag("data.temp_preset", "one", "what integers in a file mean, e.g. centikelvin"),
        "temp_scale": Flag("data.temp_scale", "one", "deg C = temp_scale x value + temp_offset"),
        "temp_offset": Flag("data.temp_offset", "one", "see temp_scale"),
        "raw_size": Flag("data.raw_size", "many", "width and height of headerless .bin frames"),
        "polarity": Flag("predict.polarity", "one", "of grey pictures: auto, white_hot or black_hot"),
        "fps": Flag("predict.fps", "one", "frames per second of a sequence"),
        "min_component_ratio": Flag(
            "predict.min_component_ratio", "one", "smallest other face, as a share of the largest; 0 keeps all"
        ),
        "erode": Flag("predict.erode", "one", "pixels off every region's edge before it is measured"),
        "format": Flag("export.format", "one", "onnx or torch_export"),
        "runs": Flag("compare.runs", "many", "result folders to compare"),
    },
}
_FORMER = {
    "finetune": Flag("network.finetune", "switch", ""),
    "gathered": Flag("network.gathered", "switch", ""),
    "group_method": Flag("optim.group_method", "one", ""),
    "include_atr": Flag("data.include_atr", "switch", ""),
    "include_cihp": Flag("data.include_cihp", "switch", ""),
    "include_coarse": Flag("data.include_coarse", "switch", ""),
    "local_rank": Flag("local_rank", "one", ""),
    "loss_balance": Flag("network.loss_balance", "switch", ""),
    "max_epoch": Flag("solver.max_epoch", "one", ""),
    "only_coarse": Flag("data.only_coarse", "switch", ""),
    "only_mapillary": Flag("data.only_mapillary", "switch", ""),
    "only_small": Flag("data.only_small", "switch", ""),
    "resume_eval_train": Flag("network.resume_eval_train", "switch", ""),
    "resume_eval_val": Flag("network.resume_eval_val", "switch", ""),
    "save_epoch": Flag("checkpoints.save_epoch", "one", ""),
    "test_img": Flag("test.test_img", "one", ""),
    "use_ground_truth": Flag("test.use_ground_truth", "switch", ""),
    "least_share": Flag("predict.min_component_ratio", "one", ""),
}
"""Flags that the help doesn't list: published ones without effect, and former names."""

FLAGS: dict[str, Flag] = {name: flag for group in (*_GROUPS.values(), _FORMER) for name, flag in group.items()}


@dataclass
class CommandLine:
    """A parsed command line.

    Attributes:
        configs: the config file; empty where the checkpoint's own config is meant, or none is needed.
        flags: values by dotted key, for ``load_config``; the right type is checked there.
        pairs: ``"section.key=value"``, in their order.
        print_config: print the resolved config and stop.
        debug: show tracebacks.
        help: print :func:`help_text` and stop; the rest of the line isn't looked at.
    """

    configs: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    pairs: list[str] = field(default_factory=list)
    print_config: bool = False
    debug: bool = False
    help: bool = False


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Parse the arguments of ``main.py``, without the program's name.

    A flag's value follows it, or ``=``. Pairs may stand anywhere: ``section.key=value``, or ``section.key value``
    where ``section`` is one of the config's. Everything that is wrong is reported together.

    Raises:
        ConfigError: unknown flags, missing values, words that are neither flag nor pair.
    """
    if {"-h", "--help"} & set(arguments):
        return CommandLine(help=True)
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
    if not line.configs and not any(fault.key == "--configs" for fault in faults):
        faults += _without_config(line.flags)
    refuse("the command line", faults)
    return line


def _without_config(flags: dict[str, Any]) -> list[Fault]:
    """What is wrong with a line that names no config: nothing where it comes out of a checkpoint, or none is needed."""
    phase, resumes = flags.get("phase"), "network.resume" in flags
    if phase == "compare" or (phase in ("test", "predict", "export") and resumes):
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
        near = did_you_mean("", ()) if word == "--" else did_you_mean(word, [f"--{name}" for name in FLAGS])
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
    values = []
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


def help_text() -> str:
    """All flags, by group."""
    parts = [f"usage: {USAGE}", ""]
    for title, group in _GROUPS.items():
        parts.append(f"{title}:")
        shapes = {"one": " VALUE", "many": " VALUE [VALUE ...]", "switch": " [y|n]"}
        for name, flag in group.items():
            key = f" ({flag.key})" if flag.key else ""
            parts.append(f"  {f'--{name}{shapes[flag.kind]}':36} {flag.text}{key}")
        parts.append("")
    parts.append("Every key of a config can be set: section.key value, or section.key=value, anywhere on the line.")
    parts.append("--print_config shows them all. Later ones win: bases, the config file, flags, pairs.")
    return "\n".join(parts)
