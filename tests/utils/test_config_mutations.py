"""Whatever a config holds: a listed fault or a valid config, never another exception."""

import contextlib
import json
from copy import deepcopy

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.utils.config import load_config
from lib.utils.config.read import Dumper, parse_json, parse_value, parse_yaml
from lib.utils.config.validate import all_keys
from lib.utils.errors import ConfigError
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
    """The config, or None after checking the form of the error's message."""
    try:
        return load_config(path, **arguments)[0]
    except ConfigError as error:
        header, *lines = str(error).splitlines()
        assert path.name in header
        assert lines
        assert all(line.startswith("  ") and len(line) < 2000 for line in lines)
        return None


@settings(max_examples=200, deadline=None)
@given(mutated(), st.booleans())
def test_mutated_configs(tmp_path_factory, tree, as_yaml):
    folder = tmp_path_factory.getbasetemp()
    path = folder / ("mutated.yaml" if as_yaml else "mutated.json")
    path.write_text(yaml.dump(tree, Dumper=Dumper) if as_yaml else json.dumps(tree))
    config = load_or_fault(path)
    if config is not None:
        resolved = folder / "resolved.yaml"
        resolved.write_text(config.to_yaml())
        assert load_config(resolved)[0] == config


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(all_keys()) | st.text(max_size=12), st.text(max_size=20) | SCALARS), max_size=5)
)
def test_any_pairs(tmp_path_factory, pairs):
    path = tmp_path_factory.getbasetemp() / "empty.json"
    path.write_text("{}")
    load_or_fault(
        path, pairs=[f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in pairs]
    )


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(all_keys()) | st.text(max_size=12), VALUES, max_size=5))
def test_any_flag_values(tmp_path_factory, flags):
    path = tmp_path_factory.getbasetemp() / "empty.json"
    path.write_text("{}")
    load_or_fault(path, flags=flags)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="abn0159.-+e_~ \n\t:,[]{}&*!<>|'\"#%?", max_size=60) | st.text(max_size=40))
def test_any_text(text):
    for parse in (parse_yaml, parse_json, parse_value):
        with contextlib.suppress(ConfigError):
            parse(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([".json", ".yaml"]))
def test_any_bytes(tmp_path_factory, content, ending):
    path = tmp_path_factory.getbasetemp() / f"bytes{ending}"
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        load_config(path)
