"""Whatever a checkpoint file holds: weights or a CheckpointError; no code in it runs, no path in it is used."""

import contextlib
import copy
import pickle
import re
import struct
import zipfile
from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib.utils.checkpoint import load_checkpoint, portable_config, save_checkpoint
from lib.utils.config import Config, load_config
from lib.utils.config.validate import all_keys
from lib.utils.errors import CheckpointError, ConfigError
from lib.utils.machine import peak_memory
from segmentor.checking.names import check_names
from tests.fuzz import cases
from tests.utils.test_config_mutations import SCALARS, mutated


def saved(content, **options):
    """The bytes of a checkpoint."""
    file = BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


CONTENT = {
    "state_dict": {"a.weight": torch.arange(12.0).reshape(3, 4), "n": torch.tensor(3), "h": torch.ones(2).bfloat16()},
    "config_dict": {"network": {"model_name": "unet"}, "performance": np.float64(0.5)},
    "training": {"iteration": 3, "best": {"miou": 0.5}, "lr": [0.1, 1e-3]},
}
WHOLE = [saved(CONTENT), saved(CONTENT, _use_new_zipfile_serialization=False), saved(CONTENT["state_dict"])]
PICKLES = [zipfile.ZipFile(BytesIO(WHOLE[0])).read("archive/data.pkl"), pickle.dumps(CONTENT["training"], 2)]


@st.composite
def damaged(draw, wholes):
    """A file with bytes changed, cut out or put in, or cut off."""
    content = bytearray(draw(st.sampled_from(wholes)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content) - 1)) if content else 0
        kind = draw(st.sampled_from(["flip", "set", "cut", "put", "end"]))
        if kind == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del content[place : place + draw(st.integers(1, 40))]
        elif kind == "put":
            content[place:place] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "end":
            del content[place:]
    return bytes(content)


def in_archive(data, name="data.pkl"):
    """A checkpoint in the new format whose pickle is ``data``."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"archive/{name}", data)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return file.getvalue()


def load_or_fault(path):
    """The content, or None after a CheckpointError that names the file."""
    message, content = "", None
    try:
        content = load_checkpoint(path)
    except CheckpointError as error:
        message = str(error)
    assert isinstance(content, dict) or message.startswith(str(path))
    return content


@cases(500)
@given(damaged(WHOLE))
def test_damaged_files(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    load_or_fault(tmp_path / "a.pth")


@cases(300)
@given(damaged(PICKLES) | st.binary(max_size=60), st.booleans())
def test_damaged_pickles_in_whole_archives(tmp_path, content, bare):
    (tmp_path / "a.pth").write_bytes(content if bare else in_archive(content))
    load_or_fault(tmp_path / "a.pth")


class Call:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class State(Call):
    """Pickles as a call whose result is given a state."""

    def __reduce__(self):
        return (*self.call, {"x": 1})


def by_name(module, name, *arguments, protocol=2):
    """A pickle that calls ``module.name``, which need not exist here."""
    if protocol == 4:
        head = b"\x80\x04" + b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name)) + b"\x93"
    else:
        head = b"\x80\x02c" + f"{module}\n{name}\n".encode()
    return head + pickle.dumps(arguments, 2)[2:-1] + b"R."


def gadgets(mark):
    """Pickles that would make the file ``mark`` if anything called what they name."""
    from pathlib import Path

    touch = f"open({str(mark)!r}, 'w').close()"
    yield from (pickle.dumps(Call(exec, touch), protocol) for protocol in range(2, 6))
    yield pickle.dumps({"state_dict": {"w": Call(Path.touch, mark)}}, 2)
    yield pickle.dumps([State(eval, touch)], 2)
    yield pickle.dumps(np.array([Call(exec, touch)], dtype=object), 2)
    yield pickle.dumps(torch.nn.Parameter, 2)
    for protocol in (2, 4):
        yield by_name("os", "system", f"touch {mark}", protocol=protocol)
        yield by_name("subprocess", "check_call", ["touch", str(mark)], protocol=protocol)
        yield by_name("builtins", "open", str(mark), "w", protocol=protocol)
        yield by_name("torch", "load", str(mark), protocol=protocol)
        yield by_name("torch.serialization", "add_safe_globals", [], protocol=protocol)
        yield by_name("torch.hub", "load", str(mark), protocol=protocol)
        yield by_name("torch._utils", "_rebuild_wrapper_subclass", str(mark), protocol=protocol)
        yield by_name("numpy", "load", str(mark), None, True, protocol=protocol)
        yield by_name("runpy", "run_path", str(mark), protocol=protocol)
    # Persistent identifiers, extension codes, instances of old classes.
    yield b"\x80\x02" + pickle.dumps(("storage", Call(exec, touch)), 2)[2:-1] + b"Q."
    yield b"\x80\x02\x82\x01."
    yield b"(" + pickle.dumps(touch, 0)[:-1] + b"i__builtin__\nexec\n."


@pytest.fixture
def mark(tmp_path):
    """The file that code from a checkpoint would make."""
    return tmp_path / "ran"


def forms(data):
    """A pickle alone, in a new archive, after the header of the old format, and as the constants of TorchScript."""
    magic, protocol = (pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001))
    yield data
    yield in_archive(data)
    yield magic + protocol + pickle.dumps({"little_endian": True}, 2) + data
    file = BytesIO(in_archive(data))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("archive/constants.pkl", data)
        archive.writestr("archive/code/__torch__.py", "open")
    yield file.getvalue()


def test_code_in_any_form_is_refused_and_does_not_run(tmp_path, mark):
    path = tmp_path / "a.pth"
    for data in gadgets(mark):
        for content in forms(data):
            path.write_bytes(content)
            with pytest.raises(CheckpointError, match=r"a\.pth"):
                load_checkpoint(path)
            assert not mark.exists(), data


def test_the_gadgets_run_where_pickles_are_trusted(mark):
    ran = 0
    for data in gadgets(mark):
        try:
            pickle.loads(data)
        except Exception:
            continue
        ran += mark.exists()
        mark.unlink(missing_ok=True)
    assert ran >= 10


@cases(150)
@given(st.data())
def test_code_among_damage_does_not_run(tmp_path, data):
    mark = tmp_path / "ran"
    content = data.draw(damaged([form for pick in gadgets(mark) for form in forms(pick)]))
    (tmp_path / "a.pth").write_bytes(content)
    load_or_fault(tmp_path / "a.pth")
    assert not mark.exists()


@pytest.mark.parametrize("old", [True, False], ids=["old format", "new format"])
def test_sizes_that_lie_are_refused_without_the_memory_they_ask_for(tmp_path, old):
    twelve, many = (struct.pack("<q", number) for number in (12, 1 << 40))
    content = WHOLE[1].replace(twelve, many) if old else in_archive(PICKLES[0].replace(b"K\x0c", b"J\xff\xff\xff\x7f"))
    assert (many if old else b"\xff\x7f") in content
    (tmp_path / "a.pth").write_bytes(content)
    before = peak_memory()
    assert load_or_fault(tmp_path / "a.pth") is None
    assert peak_memory() - before < 500  # MB


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The bytes of a checkpoint that this project wrote."""
    path = tmp_path_factory.mktemp("ours") / "a.pth"
    save_checkpoint(path, CONTENT, "")
    return path.read_bytes()


@cases(300)
@given(st.data())
def test_damage_in_a_file_of_ours_never_goes_unseen(tmp_path, ours, data):
    content = data.draw(damaged([ours]))
    (tmp_path / "a.pth").write_bytes(content)
    assert load_or_fault(tmp_path / "a.pth") is None or content == ours


CHECKPOINT_VALUES = st.recursive(
    SCALARS | st.binary(max_size=4) | st.just(torch.ones(2)) | st.just((1, 2)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)


PATHS = [key for key in all_keys() if re.search(r"(_dir|_root|_file|\.input|runs|resume|pretrained|ts_name)$", key)]
"""Keys that name places."""


@cases(300)
@given(
    mutated() | st.just({}),
    st.dictionaries(st.sampled_from(all_keys()), CHECKPOINT_VALUES, max_size=4)
    | st.dictionaries(st.sampled_from(PATHS), st.just("/elsewhere"), min_size=1, max_size=9),
)
def test_a_checkpoints_config_is_a_fault_or_a_config_without_its_paths(tmp_path, tree, values):
    tree = copy.deepcopy(tree)
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        holder = tree.setdefault(section, {}) if section and "." not in section else tree
        if isinstance(holder, dict):
            holder[name] = value
    torch.save({"config_dict": tree, "state_dict": {}}, tmp_path / "a.pth")
    out = str(tmp_path / "out")
    flags = {"phase": "test", "network.resume": "given.pth", "test.out_dir": out}
    try:
        config, _ = load_config("", flags, checks=[check_names], base=portable_config(tmp_path / "a.pth"))
    except (ConfigError, CheckpointError):
        return
    assert (config.network.resume, config.test.out_dir) == ("given.pth", out)
    assert "/elsewhere" not in str(config)
    for section in ("checkpoints", "logging", "predict", "compare", "export"):
        assert getattr(config, section) == getattr(Config(), section)
    assert (config.data.data_dir, config.network.pretrained, config.test.test_dir) == ([], None, None)


@cases(100)
@given(
    st.recursive(SCALARS, lambda inner: st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2), max_leaves=4)
)
def test_a_config_of_any_type(tmp_path, tree):
    torch.save({"config_dict": tree}, tmp_path / "a.pth")
    with contextlib.suppress(ConfigError, CheckpointError):
        load_config("", {}, base=portable_config(tmp_path / "a.pth"))


def test_a_config_that_contains_itself_is_refused(tmp_path):
    tree = {"normalize": {}}
    tree["normalize"]["mean"] = tree["normalize"]
    torch.save({"config_dict": tree}, tmp_path / "a.pth")
    with pytest.raises(ConfigError, match="at most 32 levels"):
        load_config("", {}, base=portable_config(tmp_path / "a.pth"))
