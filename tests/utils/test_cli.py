"""The command line: flags, values and pairs in any order."""

import contextlib
import json
import re
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.utils.cli import FLAGS, parse_command_line
from lib.utils.config import Config, load_config
from lib.utils.config.published import WITHOUT_EFFECT
from lib.utils.config.validate import all_keys, field_at
from lib.utils.errors import ConfigError

# Every flag of the published mains.
PUBLISHED_FLAGS = re.findall(
    r"--\w+",
    """
--backbone --base_lr --bn_type --checkpoints_name --checkpoints_root --configs --cudnn --data_dir --display_iter
--distributed --drop_last --finetune --gathered --gpu --group_method --include_atr --include_cihp --include_coarse
--include_val --is_warm --local_rank --log_file --log_to_file --logfile_level --loss_balance --loss_type --lr_policy
--max_epoch --max_iters --model_name --multi_grid --nbb_mult --only_coarse --only_mapillary --only_small
--optim_method --out_dir --phase --pretrained --resume --resume_continue --resume_eval_train --resume_eval_val
--resume_strict --rewrite --save_epoch --save_iters --save_prob --seed --stdout_level --test_dir --test_img
--test_interval --train_batch_size --use_ground_truth --val_batch_size --workers
    """,
)
OURS = re.findall(
    r"--\w+",
    """
--print_config --print_keys --debug --overwrite --val_aug --on_bad_sample --compile --precision --keep --input
--temp_preset --temp_scale --temp_offset --raw_size --axes --polarity --fps --min_component_ratio --least_share
--erode --correct_in --format --runs --save_vis
    """,
)
KEYS_FILE = Path(__file__).parents[3] / "shared" / "published_keys.txt"


def parse(text):
    return parse_command_line(text.split())


def faults_of(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_all_published_flags_are_there():
    assert {f"--{name}" for name in FLAGS} == {*PUBLISHED_FLAGS, *OURS}


@pytest.mark.skipif(not KEYS_FILE.is_file(), reason="the list of published flags isn't here")
def test_the_list_of_published_flags_is_whole():
    last = [line for line in KEYS_FILE.read_text().splitlines() if line.startswith("--")]
    assert sorted(re.findall(r"--\w+", " ".join(last))) == sorted(PUBLISHED_FLAGS)


@pytest.mark.parametrize(
    "text",
    ["--phase predict --resume a.pth --input b", "--phase export --resume a.pth", "--phase compare --runs a b"],
)
def test_what_uses_a_checkpoint_or_results_needs_no_config(text):
    assert parse(text).configs == ""


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("--phase predict --input b", "--resume"),
        ("--phase export", "--resume"),
        ("--phase train --resume a.pth", "--configs"),
        ("--phase check", "--configs"),
        ("--phase test", "--configs"),
    ],
)
def test_what_a_line_lacks_is_named(text, missing):
    assert faults_of(text)[0].startswith(missing)


def test_every_flag_sets_a_key_of_the_config():
    keys = {flag.key for flag in FLAGS.values() if flag.key}
    assert keys <= {*all_keys(Config), *WITHOUT_EFFECT}
    assert {name for name, flag in FLAGS.items() if not flag.key} == {"configs", "print_config", "print_keys", "debug"}


def test_the_published_command_line_loads(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"network": {"model_name": "unet"}}))
    line = parse(
        f"--configs {path} --drop_last y --phase train --gathered n --loss_balance y --log_to_file n "
        "--backbone none --model_name unet --gpu 0 1 --data_dir a b --loss_type rmi_loss --max_iters 40000 "
        "--train_batch_size 8 --base_lr 1e-3 --checkpoints_root ./R --checkpoints_name 0815 --distributed "
        "--resume c.pth --resume_continue y --test_dir D --out_dir O --save_prob y --workers 4 --seed 5 "
        "solver.display_iter 20 lr.warm.power=2"
    )
    config, notes = load_config(line.configs, line.flags, line.pairs)
    assert (config.gpu, config.data.data_dir, config.data.drop_last) == ([0, 1], ["a", "b"], True)
    assert (config.lr.base_lr, config.lr.warm.power, config.solver.display_iter) == (1e-3, 2.0, 20)
    assert (config.checkpoints.checkpoints_name, config.distributed) == ("0815", True)
    assert (config.logging.log_to_file, config.test.save_prob) == (False, True)
    assert notes == ["without effect here: network.gathered, network.loss_balance"]


@pytest.mark.parametrize("flag", [name for name, flag in FLAGS.items() if flag.kind == "switch" and flag.key])
def test_switches_take_all_words_and_stand_alone(flag):
    key = FLAGS[flag].key
    for words, value in (("y yes true t 1 Y Yes TRUE", True), ("n no false f 0 N No FALSE", False)):
        for word in words.split():
            assert parse(f"--configs c --{flag} {word}").flags == {key: value}
            assert parse(f"--configs c --{flag}={word}").flags == {key: value}
    assert parse(f"--configs c --{flag}").flags == {key: True}
    assert parse(f"--{flag} --configs c").flags == {key: True}
    line = parse(f"--{flag} seed=3 --configs c")
    assert (line.flags, line.pairs) == ({key: True}, ["seed=3"])


@settings(max_examples=100)
@given(
    st.permutations(["--configs c.json", "--gpu 0 1", "solver.max_iters 10", "lr.base_lr=1e-3", "--cudnn", "--seed 3"])
)
def test_the_order_of_flags_and_pairs_does_not_matter(parts):
    line = parse(" ".join(parts))
    assert line.configs == "c.json"
    assert line.flags == {"gpu": [0, 1], "cudnn": True, "seed": 3}
    assert sorted(line.pairs) == ["lr.base_lr=1e-3", "solver.max_iters=10"]


def test_a_word_right_after_a_flag_is_its_value():
    line = parse("--configs test.json --out_dir data.v2 --data_dir data.v1 solver.max_iters 3 --log_file a=b")
    assert line.configs == "test.json"
    assert line.flags == {"test.out_dir": "data.v2", "data.data_dir": ["data.v1"], "logging.log_file": "a=b"}
    assert line.pairs == ["solver.max_iters=3"]


def test_negative_values_and_equals_signs():
    assert parse("--configs=c --gpu -1 gcl.margin -0.5").flags == {"gpu": [-1]}
    assert parse("--configs c test.out_dir=a=b").pairs == ["test.out_dir=a=b"]
    assert parse("--configs c test.out_dir a=b").pairs == ["test.out_dir=a=b"]


def test_own_flags():
    line = parse("--configs c --print_config --debug --overwrite y")
    assert (line.print_config, line.debug) == (True, True)
    assert line.flags == {"checkpoints.overwrite": True}
    assert not parse("--configs c --debug n").debug


def test_all_faults_of_a_line_come_together():
    faults = faults_of("stray --max_itres 3 --gpu --save_prob=maybe solver.max_iters")
    assert faults[1] == "--max_itres: unknown flag, did you mean --max_iters?"
    assert [fault.split(":")[0] for fault in faults] == [
        "stray",
        "--max_itres",
        "--gpu",
        "--save_prob",
        "solver.max_iters",
        "--configs",
    ]


def test_misspelt_sections_of_pairs_get_to_the_config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{}")
    line = parse(f"--configs {path} slover.max_iters 10")
    with pytest.raises(ConfigError, match=r"slover: unknown key, did you mean solver\?"):
        load_config(line.configs, line.flags, line.pairs)


def test_wrong_values_of_flags_are_faults_of_the_config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{}")
    line = parse(f"--configs {path} --max_iters many --lr_policy lambda_poli --gpu zero")
    with pytest.raises(ConfigError) as caught:
        load_config(line.configs, line.flags, line.pairs)
    text = str(caught.value)
    assert "solver.max_iters: expected an integer, got 'many'" in text
    assert "did you mean lambda_poly?" in text
    assert "gpu[0]: expected an integer, got 'zero'" in text


@pytest.mark.parametrize("line", ["", "--configs c --help", "-h nonsense --wrong"])
def test_help_is_asked_for_anywhere_on_the_line_and_short(line):
    text = parse(line).text
    assert 20 <= len(text.splitlines()) <= 32
    assert all(
        re.search(rf"^  {phase} ", text, re.MULTILINE) for phase in typing.get_args(field_at("phase").annotation)
    )
    assert not parse("--configs c").text


def test_the_long_help_names_every_flag_that_does_something():
    text = parse("--help_all").text
    listed = {name for name in FLAGS if re.search(rf"--{name}\b", text)}
    unlisted = {name for name in FLAGS if FLAGS[name].key in WITHOUT_EFFECT} | {"least_share"}
    assert listed == set(FLAGS) - unlisted
    assert max(map(len, text.splitlines())) <= 120


WORDS = st.sampled_from(
    [f"--{name}" for name in FLAGS]
    + ["seed=3", "solver.max_iters", "10", "y", "-1", "--", "--x=", "=", "a.b.c", "[", "'"]
)


@settings(max_examples=500)
@given(st.lists(WORDS | st.text(max_size=12), max_size=10))
def test_any_line_parses_or_is_a_fault(words):
    with contextlib.suppress(ConfigError):
        parse_command_line(words)
