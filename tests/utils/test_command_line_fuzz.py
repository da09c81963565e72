"""Whatever stands on the command line: a listed fault or a run, never a traceback."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import main
from lib.utils.cli import FLAGS, parse_command_line
from lib.utils.config import load_config
from lib.utils.config.read import parse_yaml
from lib.utils.config.validate import all_keys
from lib.utils.errors import ConfigError
from tests.fuzz import cases

FLAG = st.sampled_from([f"--{name}" for name in FLAGS])
VALUE = st.sampled_from(
    ["y", "n", "0", "-1", "1e9", "3.5", "nan", "null", "[1, 2]", "{a: 1}", "[", "'", "unet", "train", "check", ""]
    + ["x" * 5000, "../..", "/dev/null", "~", "\udcff", "a\nb", "é", "--", "=", "!!python/name:os.system x", "*a"]
)  # fmt: skip
KEY = st.sampled_from(all_keys())
PAIR = st.tuples(KEY, VALUE).map("=".join)
WORD = st.one_of(FLAG, VALUE, KEY, PAIR, st.tuples(FLAG, VALUE).map("=".join), st.text(max_size=12))


@cases(800)
@given(st.lists(WORD, max_size=12))
def test_any_words(words):
    with contextlib.suppress(ConfigError):
        parse_command_line(words)


@pytest.fixture
def config_file(tmp_path):
    """A config that is right."""
    path = tmp_path / "right.json"
    path.write_text(json.dumps({"network": {"model_name": "unet"}, "data": {"data_dir": str(tmp_path)}}))
    return path


@cases(300)
@given(st.lists(WORD, max_size=8) | st.lists(PAIR, max_size=2))
def test_any_command_prints_its_config_or_its_faults(config_file, capsys, words):
    status = main.main(["--print_config", "--configs", str(config_file), *words, "--print_config"])
    printed = capsys.readouterr()
    if status == 0:
        assert isinstance(parse_yaml(printed.out) if not printed.out.startswith(("usage:", "## Keys")) else {}, dict)
    else:
        assert status in (1, 2)
        assert printed.err.startswith("Traceback" if "--debug" in words else "error: ")


@cases(200)
@given(st.lists(st.tuples(KEY, VALUE), min_size=1, max_size=6))
def test_flags_and_pairs_say_the_same(config_file, values):
    keys = {flag.key: name for name, flag in FLAGS.items() if flag.kind == "one" and flag.key}
    chosen = {key: value for key, value in values if key in keys and value not in ("", "--")}
    pairs = [f"{key}={value}" for key, value in chosen.items()]
    flags = [f"--{keys[key]}={value}" for key, value in chosen.items()]
    outcomes = []
    for words in (pairs, flags):
        try:
            line = parse_command_line(["--configs", str(config_file), *words])
            outcomes.append(load_config(line.configs, line.flags, line.pairs)[0])
        except ConfigError as error:
            outcomes.append({line.strip() for line in str(error).splitlines()[1:]})
    # A flag's value that is no value at all is refused before anything is looked up.
    of_pairs, of_flags = outcomes
    assert of_pairs == of_flags or (isinstance(of_pairs, set) and of_flags and of_flags < of_pairs)
