"""Config files: what JSON and YAML mean, inheritance, and input that nobody should write."""

import math

import pytest

from lib.utils.config import load_config
from lib.utils.config.read import parse_json, parse_value, parse_yaml, read_with_bases
from lib.utils.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-3", -3),
        ("010", 10),
        ("0x1f", 31),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("1_000", "1_000"),
        ("'5'", "5"),
        ("[1, a, null]", [1, "a", None]),
        ("{a: 1e-3}", {"a": 1e-3}),
        ("-.inf", -math.inf),
    ],
)
def test_yaml_scalars(text, value):
    for result in (parse_yaml(text), parse_value(text)):
        assert result == value
        assert type(result) is type(value)


def test_anchors_and_merge_keys_work():
    tree = parse_yaml("a: &a {x: 1, y: [1, 2]}\nb: *a\nc: {<<: *a, x: 2}\nd: {<<: [{x: 3}, {x: 4, z: 5}]}")
    assert tree["b"] == {"x": 1, "y": [1, 2]}
    assert tree["c"] == {"x": 2, "y": [1, 2]}
    assert tree["d"] == {"x": 3, "z": 5}


LAUGHS = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))])
HOSTILE_YAML = {
    "python tag": "seed: !!python/object/apply:os.system ['true']",
    "own tag": "seed: !mine 3",
    "binary tag": "seed: !!binary aGk=",
    "timestamp tag": "seed: !!timestamp 2024-01-01",
    "set tag": "seed: !!set {a, b}",
    "int tag of text": "seed: !!int abc",
    "cyclic anchor": "data: &a {x: *a}",
    "cyclic list": "&a [*a]",
    "laughs": LAUGHS,
    "merged laughs": "\n".join(
        ["a0: &a0 {x: 1}", *(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12))]
    ),
    "merge of text": "a: {<<: x}",
    "deep list": "[" * 100_000,
    "deep closed list": "[" * 2000 + "]" * 2000,
    "deep mapping": "{a: " * 2000 + "}" * 2000,
    "deep block": "\n".join(" " * i + "a:" for i in range(1000)),
    "many values": "a: [" + "1," * 100_000 + "]",
    "twice": "seed: 1\nseed: 2",
    "twice below": "solver: {max_iters: 1, max_iters: 2}",
    "list as key": "[1]: 2",
    "mapping as key": "{a: b}: 2",
    "two documents": "seed: 1\n---\nseed: 2",
    "unfinished": "seed: [1",
    "tab": "a:\n\t- b",
    "control character": "a: \x01",
    "undefined alias": "a: *b",
    "long number": "seed: " + "9" * 100_000,
    "long hexadecimal": "seed: 0x" + "f" * 100_000,
}
HOSTILE_JSON = {
    "deep": "[" * 100_000,
    "deep closed": "[" * 5000 + "]" * 5000,
    "deep below": '{"data": ' + "[" * 60 + "]" * 60 + "}",
    "many values": "[" + "1," * 100_000 + "1]",
    "twice": '{"seed": 1, "seed": 2}',
    "long number": '{"seed": ' + "9" * 100_000 + "}",
    "unfinished": '{"seed": ',
    "comment": '{"seed": 1} // one',
}


@pytest.mark.parametrize("text", HOSTILE_YAML.values(), ids=HOSTILE_YAML)
def test_yaml_that_is_no_plain_data_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
def test_json_that_is_no_plain_data_is_refused(text):
    with pytest.raises(ConfigError) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "text", "# a comment"])
def test_a_file_must_be_a_mapping(write, text):
    with pytest.raises(ConfigError, match="config.yaml: expected a mapping of sections"):
        load_config(write("config.yaml", text))


def test_other_bytes_than_utf8_are_refused(write):
    with pytest.raises(ConfigError, match="config.json: expected UTF-8 text"):
        load_config(write("config.json", b'{"seed": "\xff\xfe"}'))


def test_a_byte_order_mark_is_fine(write):
    assert load_config(write("config.json", b'\xef\xbb\xbf{"seed": 3}'))[0].seed == 3


def test_other_endings_folders_and_missing_files_are_refused(write, tmp_path):
    with pytest.raises(ConfigError, match=r"expected a file ending in \.json"):
        load_config(write("config.txt", "seed: 3"))
    for path in (tmp_path, tmp_path / "missing.json", tmp_path / ("x" * 1000), tmp_path / "a\0b.json"):
        with pytest.raises(ConfigError):
            load_config(path)


def test_large_files_are_refused(write):
    with pytest.raises(ConfigError, match="expected a config of at most"):
        load_config(write("config.json", "{" + " " * 5 * 2**20 + "}"))


@pytest.mark.parametrize("name", ["config.json", "config.yaml"])
def test_a_megabyte_of_text_is_a_fault(write, name):
    path = write(name, '{"dataset": "' + "x" * 2**20 + '"}')
    with pytest.raises(ConfigError, match="dataset: expected text of at most 4096 characters") as caught:
        load_config(path)
    assert len(str(caught.value)) < 500


def test_bases_merge_left_to_right_and_deeply(write):
    write("bases/a.json", '{"solver": {"max_iters": 1, "display_iter": 1}, "data": {"remap_classes": [0, 1, 2]}}')
    write("bases/b.yaml", "_base_: ../c.yml\nsolver: {max_iters: 2}")
    write("c.yml", "solver: {test_interval: 3, max_iters: 9}")
    path = write("config.json", '{"_base_": ["bases/a.json", "bases/b.yaml"], "data": {"remap_classes": [1]}}')
    config, _ = load_config(path)
    solver = config.solver
    assert (solver.max_iters, solver.display_iter, solver.test_interval) == (2, 1, 3)
    assert config.data.remap_classes == [1]
    assert [source.rpartition("/")[2] for source, _ in read_with_bases(path)] == [
        "a.json",
        "c.yml",
        "b.yaml",
        "config.json",
    ]


def test_the_same_base_twice_is_no_cycle(write):
    write("a.json", '{"seed": 1}')
    write("b.json", '{"_base_": "a.json", "seed": 2}')
    assert load_config(write("c.json", '{"_base_": ["b.json", "a.json"]}'))[0].seed == 1


def test_cycles_of_bases_are_refused(write):
    write("a.json", '{"_base_": "b.json"}')
    write("b.json", '{"_base_": "./c.json"}')
    path = write("c.json", '{"_base_": "a.json"}')
    with pytest.raises(ConfigError, match="the bases form a cycle: .*c.json -> .*a.json -> .*b.json -> .*c.json"):
        load_config(path)
    with pytest.raises(ConfigError, match="cycle"):
        load_config(write("self.json", '{"_base_": "self.json"}'))


def test_a_tilde_is_the_home_folder(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write("base.yaml", "solver: {max_iters: 7}")
    write("c.yaml", "_base_: ~/base.yaml")
    assert load_config("~/c.yaml")[0].solver.max_iters == 7


def test_a_missing_base_is_named_with_the_file_that_asks_for_it(write):
    write("a.json", '{"_base_": "gone.json"}')
    path = write("c.json", '{"_base_": "a.json"}')
    with pytest.raises(ConfigError, match=r"a\.json: _base_: no such file: .*gone\.json"):
        load_config(path)


def test_many_bases_end(write):
    write("0.json", "{}")
    for index in range(1, 12):
        base = f'"{index - 1}.json"'
        path = write(f"{index}.json", f'{{"_base_": [{", ".join([base] * 9)}]}}')
    with pytest.raises(ConfigError, match="at most 1000 files"):
        load_config(path)


def test_a_long_chain_of_bases_ends(write):
    write("0.json", "{}")
    for index in range(1, 2000):
        path = write(f"{index}.json", f'{{"_base_": "{index - 1}.json"}}')
    with pytest.raises(ConfigError, match="at most"):
        load_config(path)


@pytest.mark.parametrize("base", ["3", "null", "[1]", "{}", '""', '"a\\u0000b"', "true"])
def test_bases_must_be_file_names(write, base):
    with pytest.raises(ConfigError, match="_base_"):
        load_config(write("config.json", f'{{"_base_": {base}}}'))
