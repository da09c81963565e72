"""Whatever a config holds: a listed fault or a valid config, never another exception, and never a hang."""

import contextlib
import json
from copy import deepcopy

import yaml
from hypothesis import given
from hypothesis import strategies as st

from lib.utils.config import load_config
from lib.utils.config.read import Dumper, parse_json, parse_value, parse_yaml
from lib.utils.config.validate import all_keys
from lib.utils.errors import ConfigError
from segmentor.checking.names import check_names
from tests.fuzz import cases
from tests.utils.published_configs import cityscapes, published

TREES = [
    published(gcl=True, critic="gcl_companion"),
    published("unet_contrast_mem", contrast=True),
    published("hrnet_w48", "deepbase_resnet101_dilated8"),
    cityscapes(),
    {},
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 20),
    st.sampled_from([10**30, -(10**400), 2**31, 2**63, 1e308, -0.0, 1e-320]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from(["x" * 10**5, "none", "auto", "nan", "\ud800", "a\0", "samcl_loss_2", "y", "../x"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def paths(tree, prefix=()):
    for key, value in tree.items():
        yield (*prefix, key)
        if isinstance(value, dict):
            yield from paths(value, (*prefix, key))


@st.composite
def mutated(draw):
    """A config with up to four keys replaced, removed, renamed, doubled under another name or moved."""
    tree = deepcopy(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 4))):
        known = list(paths(tree))
        path = draw(st.sampled_from(known)) if known else ("seed",)
        holder = tree
        for name in path[:-1]:
            holder = holder[name]
        change = draw(st.sampled_from(["replace", "remove", "rename", "add", "nest"]))
        value = holder.pop(path[-1], None)
        if change == "replace":
            holder[path[-1]] = draw(VALUES)
        elif change == "rename":
            holder[draw(st.text(max_size=12)) or path[-1][:-1]] = value
        elif change == "add":
            holder |= {path[-1]: value, draw(st.text(max_size=12)): draw(VALUES)}
        elif change == "nest":
            holder[path[-1]] = {path[-1]: value}
    tree.pop("_base_", None)
    return tree


def load_or_fault(path, **arguments):
    """The config, or None after checking the form of the error's message: where, then one line per fault."""
    try:
        return load_config(path, checks=[check_names], **arguments)[0]
    except ConfigError as error:
        header, *lines = str(error).splitlines()
    assert str(path.parent) in header
    assert all(line.startswith("  ") for line in lines)
    assert all(len(line) < 2000 for line in (header, *lines))
    return None


@cases(600)
@given(mutated(), st.booleans())
def test_mutated_configs(tmp_path, tree, as_yaml):
    path = tmp_path / ("mutated.yaml" if as_yaml else "mutated.json")
    path.write_text(yaml.dump(tree, Dumper=Dumper) if as_yaml else json.dumps(tree))
    config = load_or_fault(path)
    if config is not None:
        resolved = tmp_path / "resolved.yaml"
        resolved.write_text(config.to_yaml())
        assert load_config(resolved)[0] == config


@cases(400)
@given(
    st.lists(st.tuples(st.sampled_from(all_keys()) | st.text(max_size=12), st.text(max_size=20) | SCALARS), max_size=5)
)
def test_any_pairs(tmp_path, pairs):
    path = tmp_path / "empty.json"
    path.write_text("{}")
    load_or_fault(
        path, pairs=[f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in pairs]
    )


@cases(300)
@given(st.dictionaries(st.sampled_from(all_keys()) | st.text(max_size=12), VALUES, max_size=5))
def test_any_flag_values(tmp_path, flags):
    path = tmp_path / "empty.json"
    path.write_text("{}")
    load_or_fault(path, flags=flags)


@cases(500)
@given(st.text(alphabet="abn0159.-+e_~ \n\t:,[]{}&*!<>|'\"#%?", max_size=60) | st.text(max_size=40))
def test_any_text(text):
    for parse in (parse_yaml, parse_json, parse_value):
        with contextlib.suppress(ConfigError):
            parse(text)


@cases(300)
@given(st.binary(max_size=60), st.sampled_from([".json", ".yaml"]))
def test_any_bytes(tmp_path, content, ending):
    path = tmp_path / f"bytes{ending}"
    path.write_bytes(content)
    load_or_fault(path)


PLAIN = st.sampled_from(
    ["1", "-0.5", "1e-3", "text", "null", "true", "'a b'", '"\\u00e9"', "unet", "[-1]", "{}", "''", ".nan"]
)
TAGS = [
    "!!str",
    "!!int",
    "!!float",
    "!!null",
    "!!bool",
    "!!binary",
    "!!set",
    "!!omap",
    "!!timestamp",
    "!mine",
    "!<a:b>",
]
TAGS += ["!!python/name:os.system", "!!python/object/new:os.system"]
ANCHORS = st.sampled_from("abc")
FLOW = st.recursive(
    PLAIN | ANCHORS.map("*{}".format),
    lambda inner: st.one_of(
        st.tuples(ANCHORS, inner).map("&{0[0]} {0[1]}".format),
        st.tuples(st.sampled_from(TAGS), inner).map("{0[0]} {0[1]}".format),
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(st.sampled_from(["<<", "a", "b", "? x", "*a", "&b k"]), inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key} : {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)


@cases(500)
@given(st.lists(st.tuples(st.sampled_from(all_keys()) | ANCHORS, FLOW), max_size=5))
def test_yaml_with_anchors_aliases_merges_and_tags(tmp_path, entries):
    path = tmp_path / "flow.yaml"
    path.write_text("".join(f"{key.partition('.')[0]}: {value}\n" for key, value in entries))
    load_or_fault(path)


@cases(60)
@given(st.sampled_from(["!!python/object/apply", "!!python/object/new", "!!python/name", "!!python/module"]), FLOW)
def test_yaml_never_calls_anything(tmp_path, tag, value):
    mark = tmp_path / "called"
    path = tmp_path / "calls.yaml"
    path.write_text(f"seed: {tag}:os.system ['touch {mark}']\ndata: {value}\n")
    assert load_or_fault(path) is None
    assert not mark.exists()


BASES = st.lists(
    st.sampled_from(["0.yaml", "1.yaml", "2.json", "./1.yaml", "../{0}/0.yaml", "gone.yaml", "", "."]), max_size=3
)


@cases(200)
@given(st.lists(BASES | st.sampled_from(["0.yaml", 3, None, {}, [["1.yaml"]], [None]]), min_size=3, max_size=3))
def test_bases_that_miss_repeat_or_form_cycles(tmp_path, bases):
    for index, names in enumerate(bases):
        known = (
            [name.format(tmp_path.name) if isinstance(name, str) else name for name in names or ()]
            if isinstance(names, list)
            else names
        )
        tree = {"_base_": known, "seed": index, "solver": {"max_iters": index + 1}}
        (tmp_path / f"{index}.{'json' if index == 2 else 'yaml'}").write_text(json.dumps(tree))
    config = load_or_fault(tmp_path / "0.yaml")
    assert config is None or (config.seed, config.solver.max_iters) == (0, 1)


FILLINGS = [
    "x",
    "x ",
    "é",
    "[",
    "{a: ",
    "- ",
    "1",
    "'",
    "&a ",
    "*a ",
    "\\n",
    "#",
    ":",
    "? ",
    "!a ",
    "\n",
    "x: y\n",
    "\0",
    "=",
    "a.",
]


@cases(60)
@given(
    st.sampled_from(
        ["{}", "seed: {}", "dataset: '{}'", "network: {{{}: 1}}", "data: [{}]", '{{"seed": "{}"}}', "a: |\n  {}"]
    ),
    st.sampled_from(FILLINGS),
    st.sampled_from([".yaml", ".json"]),
)
def test_a_hundred_kilobytes_of_anything(tmp_path, frame, filling, ending):
    text = frame.format(filling * (100_000 // len(filling)))
    path = tmp_path / f"large{ending}"
    path.write_text(text)
    load_or_fault(path)
    (tmp_path / "empty.json").write_text("{}")
    load_or_fault(tmp_path / "empty.json", pairs=[f"dataset={text}", text])
