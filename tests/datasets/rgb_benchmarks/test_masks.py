"""Pickled masks: reading them calls nothing, whoever wrote them; damaged files are named."""

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib.datasets.rgb_benchmarks.masks import read_pickled_masks
from lib.utils.errors import DataError
from tests.fuzz import cases

MASK = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("make", [lambda mask: mask, Image.fromarray])
def test_masks_come_back_from_files_of_old_and_new_pytorch(zipped, make, tmp_path):
    torch.save({2008_000001: make(MASK)}, tmp_path / "m.pth", _use_new_zipfile_serialization=zipped)
    masks = read_pickled_masks(tmp_path / "m.pth")
    assert list(masks) == [2008_000001]
    np.testing.assert_array_equal(np.asarray(masks[2008_000001]), MASK)


class Calls:
    """Something whose pickle calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("function", [os.mkdir, eval, np.load])
def test_a_pickle_that_would_call_something_is_refused_and_calls_nothing(function, zipped, tmp_path):
    path, made = tmp_path / "m.pth", tmp_path / "made"
    torch.save({1: MASK, 2: Calls(function, str(made))}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=rf"m\.pth: not read, as it would call \S*{function.__name__}\b"):
        read_pickled_masks(path)
    assert not made.exists()


@pytest.mark.parametrize(
    ("content", "given"),
    [([MASK], "list"), ({"a": MASK}, "str to ndarray"), ({1: MASK, 2: "mask"}, "int to str"),
     (OrderedDict(a=torch.zeros(2)), "str to Tensor")],
)  # fmt: skip
def test_other_contents_than_masks_by_number_are_refused(content, given, tmp_path):
    torch.save(content, tmp_path / "m.pth")
    with pytest.raises(DataError, match=f"expected a dictionary from numbers of pictures to masks, got {given}$"):
        read_pickled_masks(tmp_path / "m.pth")


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({1: MASK}, 2)])
def test_files_of_other_kinds_are_named(content, tmp_path):
    (tmp_path / "m.pth").write_bytes(content)
    with pytest.raises(DataError, match=r"m\.pth: not read, as it is damaged, or torch\.save didn't write it"):
        read_pickled_masks(tmp_path / "m.pth")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Content of files of masks by their name, of old and new PyTorch."""
    folder = tmp_path_factory.mktemp("masks")
    masks = {1: MASK, 2: Image.fromarray(MASK)}
    torch.save(masks, folder / "new.pth")
    torch.save(masks, folder / "old.pth", _use_new_zipfile_serialization=False)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@cases(100)
@given(st.data())
def test_changed_files_give_masks_or_an_error_that_names_them(files, tmp_path, data):
    name = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / name
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    said = str(path)
    try:
        masks = list(read_pickled_masks(path).values())
    except DataError as error:
        masks, said = [], str(error)
    assert str(path) in said
    assert all(isinstance(mask, np.ndarray | Image.Image) for mask in masks)
